import threading


def take():
    reader = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    while True:
        try:
            os.read(reader, 4096)
        except BlockingIOError:
            pass


threading.Thread(target=take, daemon=True).start()


def summarize(numbers):
    for _ in range(1000):
        os.write(1, b"x")
    return []
