import ctypes
import faulthandler

faulthandler.enable()


def summarize(numbers):
    return ctypes.string_at(0)
