import time


def summarize(numbers):
    time.sleep(0.7)
    return []
