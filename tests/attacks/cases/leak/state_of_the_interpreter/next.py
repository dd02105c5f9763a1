import json
import os
import sys

print("changed:", [os.getcwd() == "/tmp", "LEFT" in os.environ, os.umask(0o22) == 0o777, sys.getrecursionlimit() < 1000,
                   not sys.path, json is None])


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
