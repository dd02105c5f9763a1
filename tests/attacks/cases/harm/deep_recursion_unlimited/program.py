import sys

sys.setrecursionlimit(10**9)


def summarize(numbers):
    return summarize(numbers)
