import os

os.write(1, b"a\x00b\x00" * 10)


def summarize(numbers):
    raise ValueError("a\x00b" + "\x00" * 100)
