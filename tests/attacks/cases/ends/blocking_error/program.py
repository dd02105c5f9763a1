import os


def summarize(numbers):
    reader, _ = os.pipe()
    os.set_blocking(reader, False)
    os.read(reader, 1)
