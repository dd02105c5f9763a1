__import__("\x1b[2J\nos\u202e")


def summarize(numbers):
    return []
