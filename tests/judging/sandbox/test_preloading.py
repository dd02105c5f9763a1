"""Modules that a container for several loads ahead change no finding: not in worlds that remove something from them."""

from dataclasses import replace

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

pytestmark = pytest.mark.usefixtures("docker_client")

TASK = Problem("own/f", "", "f", "def f():\n    return 1\n", (Test("", "assert f() == 1"),), "specificity", None)
# What is removed, and a program that comes upon it, or upon what is left.
REMOVED = [
    ("collections.Counter", "import collections\ndef f():\n    return len(collections.Counter('a'))\n"),
    ("collections.Counter", "import typing\ndef f():\n    return len(typing.Counter('a'))\n"),
    ("re.sub", "from re import sub\ndef f():\n    return 1\n"),
    ("re.sub", "import string\ndef f():\n    return int(string.Template('$a').substitute(a=1))\n"),
    ("os.path.join", "import os.path\ndef f():\n    return os.path.join('1')\n"),
    ("math.floor", "import math, sys\ndef f():\n    return sys.modules['math'].floor(1.5)\n"),
    ("functools.reduce", "import functools, typing\ndef f():\n    return functools.reduce(max, [1])\n"),
    ("heapq.heappop", "from heapq import *\ndef f():\n    return heappop([1])\n"),
    ("sorted", "import importlib\ndef f():\n    return importlib.import_module('builtins').sorted([1])[0]\n"),
]


def removal(name: str) -> Change:
    replacement = "my_" + name.replace(".", "_")
    shim = f"def {replacement}(*, value):\n    return value\n"
    return Change(name, name, replacement, "keyword_only", "", shim, "")


def facts(finding: Finding) -> tuple[object, ...]:
    return (finding.outcome, finding.stage, finding.tests, finding.error, finding.calls, finding.bypass, finding.label)


def test_findings_are_those_of_containers_for_one() -> None:
    bench = load_builtin()
    changed = [
        Job(program, problem, tuple(bench.changes.values()), (problem.task_id, program))
        for problem in bench.problems.values()
        for program in (problem.solution, problem.updated_solution)
        if program and "import " in program
    ]
    own = [Job(program, replace(TASK, task_id=name), (removal(name),), (name, program)) for name, program in REMOVED]
    found = [
        {
            job.tag: facts(finding)
            for job, finding in run_jobs([*changed, *own], SandboxOptions(jobs_per_container=size))
        }
        for size in (1, 16)
    ]
    assert found[0] == found[1]
    assert len(found[0]) > len(REMOVED)
