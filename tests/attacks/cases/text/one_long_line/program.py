print("=" * 500000 + "\u3000" * 10000, flush=True)


def summarize(numbers):
    return ["="] * 100000
