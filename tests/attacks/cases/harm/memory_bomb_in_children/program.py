import os


def summarize(numbers):
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            hoard = bytearray(120 << 20)
            hoard[::4096] = bytes(len(hoard[::4096]))
            os.pause() if hasattr(os, "pause") else __import__("time").sleep(1000)
        children.append(child)
    killed = os.WTERMSIG(os.wait()[1])
    raise RuntimeError(f"a child was ended by signal {killed}")
