import os

FOUND = [name for folder in ("/tmp", "/dev/shm", "/dev/mqueue") if os.path.isdir(folder) for name in os.listdir(folder)]
print("found:", FOUND)


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
