import threading

HOARD = []
ERRORS = []
START = threading.Barrier(3)


def hoard():
    START.wait()  # a thread needs memory for its stack
    try:
        for _ in range(100):
            HOARD.append(bytes(4 << 20))
    except MemoryError as error:
        ERRORS.append(type(error).__name__)


def summarize(numbers):
    threads = [threading.Thread(target=hoard) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    HOARD.clear()
    raise RuntimeError(ERRORS)
