import os


def summarize(numbers):
    for path in ("/dev/mqueue/x", "/dev/shm/x"):
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        except OSError:
            continue
        return ["made", path]
    raise RuntimeError("all refused")
