import threading


def summarize(numbers):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
