def summarize(numbers):
    raise ValueError("<" * 10**6)
