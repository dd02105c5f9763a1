def summarize(numbers):
    send(bytes(range(256)))
