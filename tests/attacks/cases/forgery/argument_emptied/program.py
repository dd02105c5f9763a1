def summarize(numbers):
    numbers.clear()
