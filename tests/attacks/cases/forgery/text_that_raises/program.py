class Mute:
    def __str__(self):
        raise SystemExit("no text")

    __repr__ = __str__


def summarize(numbers):
    return Mute()
