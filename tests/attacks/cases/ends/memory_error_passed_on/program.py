def summarize(numbers):
    try:
        return [0] * 10**9
    except MemoryError as error:
        raise error
