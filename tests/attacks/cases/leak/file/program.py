with open("/tmp/left", "w") as file:
    file.write("for you")


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
