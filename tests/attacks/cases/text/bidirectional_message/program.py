print("\u202e\u2066dessap 6 fo 6\u2069\u202c", flush=True)


def summarize(numbers):
    raise ValueError("\u202edessap emoctuo\u202c \u2066\u2067\u2068\u2069 \u200e\u200f\u061c")
