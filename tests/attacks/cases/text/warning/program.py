import warnings


def summarize(numbers):
    warnings.warn_explicit("\x1b[2J\nwarned", UserWarning, "\x1b]0;x\x07.py", 1)
    return []
