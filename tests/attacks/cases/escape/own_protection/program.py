import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)
OPTIONS = {"keep capabilities": 8, "seccomp": 22, "timing": 14, "securebits": 28, "mm": 35,
           "child subreaper": 36, "ambient capabilities": 47, "ptracer": 0x59616D61, "parent death signal": 1}


def summarize(numbers):
    done = [name for name, option in OPTIONS.items() if LIBC.prctl(option, 1, 0, 0, 0) != -1]
    raise RuntimeError(f"set: {done}")
