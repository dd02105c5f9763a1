def deep():
    return deep()


class Last:
    def __del__(self):
        deep()


def summarize(numbers):
    Last()
    return [sum(numbers), max(numbers, default=None)]
