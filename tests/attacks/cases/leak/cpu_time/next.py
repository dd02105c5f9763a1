import time

while time.process_time() < 0.5:
    pass


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
