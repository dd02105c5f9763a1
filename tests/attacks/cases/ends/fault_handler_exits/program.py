import faulthandler
import time

faulthandler.dump_traceback_later(0.1, exit=True)


def summarize(numbers):
    time.sleep(1000)
