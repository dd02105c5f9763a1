def summarize(numbers):
    return [0, 0]
