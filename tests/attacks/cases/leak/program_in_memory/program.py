MARK = "LEFT[the-program-before]"


def summarize(numbers):
    return MARK
