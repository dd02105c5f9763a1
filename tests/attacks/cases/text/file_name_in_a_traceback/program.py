import traceback

SOURCE = compile("raise ValueError('wrong')", "\x1b[2J\n  File \"<test 1>\", line 1\u202e", "exec")


def summarize(numbers):
    try:
        exec(SOURCE)
    except ValueError:
        traceback.print_exc()
    return []
