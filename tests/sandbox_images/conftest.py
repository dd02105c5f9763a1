"""Programs in worlds, by the hundred."""

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from edittool.sandbox_images.python.boundary.frames import pack, unpack
from edittool.sandbox_images.python.untrusted import world as world_module

# Runs each program in a world of its own as the sandbox's untrusted process would, in an interpreter where there is no
# `site`; a fork for each, since an interpreter's start is what costs time, and worlds leave traces in sys.modules. And
# with "shelf" it runs beside modules that are loaded ahead of need, as in a container for several.
HOST = """
import posix, sys
sys.path.insert(0, sys.argv[1])
from python.boundary import codec
from python.boundary.frames import pack, read_frame, write_all
from python.boundary.preloading import POPULAR, Shelf
from python.untrusted.candidate import Candidate
from python.untrusted.world import World
jobs = read_frame(0, 2**30)
for name in [name for name in sys.modules if name.partition(".")[0] == "python"]:
    del sys.modules[name]
shelf = Shelf(POPULAR) if sys.argv[2] == "shelf" else None
results = posix.dup(1)
posix.dup2(posix.open("/dev/null", posix.O_WRONLY), 1)

def judge(changes, program, call, run="first", own="", counterfactual=None):
    candidate = Candidate(program, World(changes, run=run), own=own, counterfactual=counterfactual)
    reply = candidate.reply(candidate.load)
    if call and "error" not in reply:
        _, f = candidate.name("f")
        arguments = [codec.encode(value, candidate.keep) for value in (f, (), {})]
        reply = candidate.reply(lambda: candidate.operate("call", arguments))
    return reply

for job in jobs:
    reader, writer = posix.pipe()
    child = posix.fork()
    if child == 0:
        if shelf:
            shelf.offer(job["changes"])
        write_all(writer, pack(judge(**job)))
        posix._exit(0)
    posix.close(writer)
    write_all(results, pack(read_frame(reader)))
    posix.close(reader)
    posix.waitpid(child, 0)
"""

ADDRESS = re.compile(r"0x[0-9a-f]+|\d{12,}")

Run = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def run_in_worlds() -> Run:
    """Return what runs jobs {"changes", "program", "call"} and returns the candidate's process's last replies.

    They are the same in a container for one and in one for several. A job may have a "run", an "own" replacement and a
    "counterfactual" too.
    """

    def run(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with ThreadPoolExecutor() as executor:
            alone, beside_the_shelf = executor.map(run_in_interpreter, [jobs, jobs], ["alone", "shelf"])
        for job, one, other in zip(jobs, alone, beside_the_shelf, strict=True):
            assert shown(other) == shown(one), job
        return alone

    return run


def shown(reply: dict[str, Any]) -> str:
    """Return all of `reply` but its value, which may be a time or a number that is drawn, and addresses."""
    return ADDRESS.sub("", str(reply | {"value": "value" in reply}))


SYNTHETIC = {"form": "synthetic", "adopt": [], "old": ""}


def run_in_interpreter(jobs: list[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    jobs = [job | {"changes": [SYNTHETIC | change for change in job["changes"]]} for job in jobs]
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", HOST, Path(world_module.__file__).parents[2], how],
        input=pack(jobs),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    frames = BytesIO(ended.stdout)
    return [unpack(frames.read(int.from_bytes(frames.read(4), "big"))) for _ in jobs]
