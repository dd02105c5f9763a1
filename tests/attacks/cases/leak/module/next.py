import heapq
import json

print("from:", json.__file__.startswith("/tmp"), heapq.__file__.startswith("/tmp"))


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
