import os

for _ in range(16):
    os.write(1, b"x" * 65536)
os.write(2, b"x")


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
