import os


def summarize(numbers):
    os.fork()
    return [0, 0]
