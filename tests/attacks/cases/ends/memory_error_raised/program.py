def summarize(numbers):
    raise MemoryError("as if")
