def summarize(numbers):
    return range(10**8)
