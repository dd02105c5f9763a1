def summarize(numbers):
    def forever():
        while True:
            yield 6

    return forever()
