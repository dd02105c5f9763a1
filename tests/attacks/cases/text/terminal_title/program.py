def summarize(numbers):
    raise ValueError("\x1b]0;owned\x07\x1b]2;owned\x1b\\ \x1b]8;;http://owned\x07link\x1b]8;;\x07")
