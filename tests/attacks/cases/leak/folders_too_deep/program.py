import os

os.chdir("/tmp")
for _ in range(300):
    os.mkdir("d")
    os.chdir("d")


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
