import os

print("alone:", sum(name.isdigit() for name in os.listdir("/proc")) == 2)


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
