import ctypes


def summarize(numbers):
    return ctypes.string_at(0)
