def summarize(numbers):
    raise RuntimeError("can't start new thread")
