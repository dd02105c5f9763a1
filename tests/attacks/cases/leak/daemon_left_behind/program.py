import threading
import time


def summarize(numbers):
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return [sum(numbers), max(numbers, default=None)]
