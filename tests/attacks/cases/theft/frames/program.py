import sys


def looked(value, depth=0):
    if isinstance(value, str):
        report(value.encode("utf-8", "replace"))
    elif isinstance(value, bytes):
        report(value)
    elif depth < 4 and isinstance(value, (list, tuple, set)):
        for item in list(value):
            looked(item, depth + 1)
    elif depth < 4 and isinstance(value, dict):
        for item in list(value.items()):
            looked(item, depth + 1)
    elif depth < 4 and hasattr(value, "__dict__"):
        looked(dict(vars(value)), depth + 1)


def summarize(numbers):
    frame = sys._getframe()
    local = DECOY
    while frame is not None:
        looked(dict(frame.f_locals))
        looked([str(frame.f_code.co_consts), frame.f_code.co_filename])
        frame = frame.f_back
    return []
