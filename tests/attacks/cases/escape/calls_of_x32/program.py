import ctypes
import os
import platform
import signal


def summarize(numbers):
    if platform.machine() != "x86_64":
        os.kill(os.getpid(), signal.SIGSYS)  # there is no second table of calls here
    return ctypes.CDLL(None).syscall(0x40000000 + 39)  # getpid
