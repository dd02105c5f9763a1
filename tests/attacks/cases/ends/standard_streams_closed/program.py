import os

for number in range(3):
    os.close(number)


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
