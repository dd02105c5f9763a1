def summarize(numbers):
    return getattr(numbers, "\x1b]52;c;eA==\x07\n\u202esort")
