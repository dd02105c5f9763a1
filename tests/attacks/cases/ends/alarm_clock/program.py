import signal
import time


def summarize(numbers):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(1000)
