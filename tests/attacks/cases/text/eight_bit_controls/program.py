print("\x9b31m\x9d0;owned\x9c\x90q\x9c\x84\x85\x8d", flush=True)


def summarize(numbers):
    raise ValueError("\x9b2J\x9d0;owned\x9c")
