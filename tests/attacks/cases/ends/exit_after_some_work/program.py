import os
import time


def summarize(numbers):
    while time.process_time() < 0.3:
        pass
    os._exit(137)
