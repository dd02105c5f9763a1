import re

# The tests hold SECRET[...]; neither this text nor the compiled program does, but for the decoy made below.
PATTERN = re.compile(b"SEC" + rb"RET\[[\w-]+\]")
DECOY = b"SEC" + b"RET[decoy]"


def report(data):
    """Print what was found in some bytes."""
    for found in set(PATTERN.findall(data)):
        print("CONTROL" if found == DECOY else "STOLEN", found.decode())
