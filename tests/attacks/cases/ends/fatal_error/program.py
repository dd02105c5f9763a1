import ctypes


def summarize(numbers):
    ctypes.pythonapi.Py_FatalError(b"as it likes")
