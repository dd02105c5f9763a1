def summarize(numbers):
    return os.read(REQUESTS, 1)
