async def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
