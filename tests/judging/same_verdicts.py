"""A few programs, and what is found of each, whatever engine and runtime it is judged with."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from ..cli.command import run as edittool


class Verdict(NamedTuple):
    outcome: str
    stage: str
    tests_passed: int
    kind: str | None  # of the error
    label: str | None


GOOD = "def count(items):\n    return my_builtin_len(value=items)\n"
WRONG = "def count(items):\n    return my_builtin_len(value=items) + 1\n"
ENDLESS = "def count(items):\n    while True:\n        pass\n"
HUNGRY = "def count(items):\n    return b'x' * 2**28\n"
FORKS = "import os\ndef count(items):\n    os.fork()\n    return my_builtin_len(value=items)\n"
THREADS = """
import threading, time
threading.stack_size(2**16)
def count(items):
    while True:
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
"""
FLOOD = "def count(items):\n    while True:\n        print('x' * 1000)\n"
NETWORK = """
import socket
def count(items):
    socket.create_connection(("127.0.0.1", 80), 1)
"""
PROBE = """
import os
def count(items):
    found = []
    for path in ("/proc/1/mem", "/proc/1/environ", "/proc/kcore"):
        try:
            open(path, "rb").read(1)
            found.append(path)
        except OSError:
            pass
    try:
        open("/written", "w")
        found.append("root")
    except OSError:
        pass
    try:
        os.open("/tmp/program", os.O_CREAT | os.O_WRONLY, 0o755)
        os.execv("/tmp/program", ["program"])
    except OSError:
        pass
    interfaces = "/sys/class/net"  # gVisor has no such folder
    if found or os.path.exists(interfaces) and os.listdir(interfaces) != ["lo"]:
        raise RuntimeError(found)
    return my_builtin_len(value=items)
"""

EXPECTED = {
    GOOD: Verdict("passed", "run", 3, None, "correct_adoption"),
    WRONG: Verdict("failed", "run", 0, "assertion", "misuse"),
    ENDLESS: Verdict("timeout", "run", 0, "timeout", "no_adoption"),
    HUNGRY: Verdict("out_of_memory", "run", 0, "out_of_memory", "no_adoption"),
    FORKS: Verdict("failed", "run", 0, "exception", "misuse"),
    THREADS: Verdict("failed", "run", 0, "process_limit", "no_adoption"),
    FLOOD: Verdict("output_limit", "run", 0, "output_limit", "no_adoption"),
    NETWORK: Verdict("failed", "run", 0, "exception", "no_adoption"),
    PROBE: Verdict("passed", "run", 3, None, "correct_adoption"),
}


def judge(folder: Path, bench: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Judge the programs with `edittool judge`, whose verdicts go to `folder`."""
    rows = ({"task_id": "count", "solution": program} for program in EXPECTED)
    (folder / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    limits = ("--cpu-seconds", "2", "--workers", "4", "--no-cache")
    samples, output = folder / "samples.jsonl", folder / "verdicts.jsonl"
    return edittool("judge", bench, samples, "-o", output, *limits, *options, **environment)


def verdicts(folder: Path) -> dict[str, Verdict]:
    """Return what the judge has found of each program."""
    lines = (folder / "verdicts.jsonl").read_text().splitlines()
    rows = sorted((json.loads(line) for line in lines), key=lambda row: row["sample_index"])
    return {
        program: Verdict(
            row["outcome"], row["stage"], row["tests_passed"], (row["error"] or {}).get("kind"), row["label"]
        )
        for program, row in zip(EXPECTED, rows, strict=True)
    }
