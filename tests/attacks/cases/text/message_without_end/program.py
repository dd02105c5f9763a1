class Endless(Exception):
    def __str__(self):
        while True:
            pass


def summarize(numbers):
    raise Endless
