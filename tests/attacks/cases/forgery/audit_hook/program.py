import sys


def refuse(event, arguments):
    raise SystemExit(f"{event} is not wanted")


def summarize(numbers):
    sys.addaudithook(refuse)
    return []
