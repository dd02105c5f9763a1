"""Programs in worlds, by the hundred."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edittool.sandbox_images.python.untrusted import world as world_module

# Runs each program in a world of its own as the sandbox's untrusted process would, in an interpreter where there is no
# `site`; a fork for each, since an interpreter's start is what costs time, and worlds leave traces in sys.modules.
HOST = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from python.boundary import codec
from python.untrusted.candidate import Candidate
from python.untrusted.world import World
jobs = json.load(sys.stdin)
for name in [name for name in sys.modules if name.partition(".")[0] == "python"]:
    del sys.modules[name]

def judge(changes, program, call, run="first", own="", counterfactual=None):
    candidate = Candidate(program, World(changes, run=run), own=own, counterfactual=counterfactual)
    reply = candidate.reply(candidate.load)
    if call and "error" not in reply:
        _, f = candidate.name("f")
        arguments = [codec.encode(value, candidate.keep) for value in (f, (), {})]
        reply = candidate.reply(lambda: candidate.operate("call", arguments))
    return reply

results = []
for job in jobs:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(judge(**job)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        results.append(json.load(pipe))
    os.wait()
print(json.dumps(results))
"""

Run = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def run_in_worlds() -> Run:
    """Return what runs jobs {"changes", "program", "call"} and returns the candidate's process's last replies.

    A job may have a "run", an "own" replacement and a "counterfactual" too.
    """

    def run(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ended = subprocess.run(
            [sys.executable, "-I", "-S", "-c", HOST, Path(world_module.__file__).parents[2]],
            input=json.dumps(jobs),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        replies: list[dict[str, Any]] = json.loads(ended.stdout.splitlines()[-1])
        return replies

    return run
