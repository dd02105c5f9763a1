def summarize(numbers):
    raise ValueError("\x1b]0;owned\x07\ud800\x00" + "x" * 10**6)
