import sys

sys.setrecursionlimit(10**9)


def deep():
    kept = bytearray(b"x" * (1 << 20))
    return deep(), kept


deep()
