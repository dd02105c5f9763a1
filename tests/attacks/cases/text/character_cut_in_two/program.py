import os

os.write(1, b"x" + "\u20ac".encode() * 30000)


def summarize(numbers):
    return []
