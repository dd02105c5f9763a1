import os


def summarize(numbers):
    os.abort()
