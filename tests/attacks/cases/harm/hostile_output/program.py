import os


def summarize(numbers):
    os.write(1, b"\xff\xfe\x1b[2J")
