def summarize(numbers):
    raise ValueError("a" + "".join(chr(0x300 + n % 0x70) for n in range(10000)))
