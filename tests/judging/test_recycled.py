"""Containers that serve several jobs: each program finds the place as if it were the first, or is tried elsewhere."""

import time
from collections.abc import Iterable
from contextlib import closing

import pytest

from edittool.judging.jobs import Finding, Job
from edittool.judging.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.run import run_jobs
from edittool.schemas.problems import Problem, Test

TASK = Problem("own/f", "", "f", "def f():\n    return 1\n", (Test("", "assert f() == 1"),), "specificity", None)
GOOD = "def f():\n    return 1\n"

LEAVES_FILES = """
import os
os.makedirs("/tmp/a/b/c")
open("/tmp/a/b/c/left", "w").write("x")
os.symlink("/proc", "/tmp/link")
os.chmod("/tmp/a/b", 0)
def f():
    return 1
"""
SEES_NOTHING = """
import os
def f():
    own = {str(os.getpid()), "1"}
    waiting = [name for name in os.listdir("/proc") if name.isdigit() and name not in own]
    return int(os.listdir("/tmp") == [] and len(waiting) <= WAITING)
"""
LEAVES_THREADS = """
import signal, threading, time
for number in range(1, 60):
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
for _ in range(5):
    threading.Thread(target=time.sleep, args=(100,)).start()
def f():
    return 1
"""
KILLS_ALL_OTHERS = """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass
def f():
    return 1
"""
STOPS_ALL_OTHERS = KILLS_ALL_OTHERS.replace("SIGKILL", "SIGSTOP")
CHANGES_ITS_INTERPRETER = """
import builtins, math
builtins.sorted = None
math.pi = 3
def f():
    return 1
"""
USES_ITS_INTERPRETER = """
import math
def f():
    return int(sorted("ba") == ["a", "b"] and math.pi > 3)
"""
ENDLESS = "def f():\n    while True: pass\n"
SLOW = "import time\ntime.sleep(2)\n" + GOOD
HUNGRY = "def f():\n    return len(bytearray(2**40))\n"


def judge_in_one_container(programs: Iterable[str], size: int = 8) -> list[Finding]:
    jobs = [Job(program, TASK, tag=number) for number, program in enumerate(programs)]
    options = SandboxOptions(workers=1, pool=1, jobs_per_container=size)
    findings = {job.tag: finding for job, finding in run_jobs(jobs, options)}
    return [findings[number] for number in range(len(jobs))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LEAVES_FILES, SEES_NOTHING.replace("WAITING", "6")),
        (LEAVES_THREADS, SEES_NOTHING.replace("WAITING", "6")),
        (CHANGES_ITS_INTERPRETER, USES_ITS_INTERPRETER),
    ],
    ids=["files", "threads", "interpreter"],
)
def test_nothing_of_one_program_is_left_for_the_next(before: str, after: str) -> None:
    assert [finding.outcome for finding in judge_in_one_container([before, after, GOOD])] == ["passed"] * 3


@pytest.mark.parametrize("harm", [KILLS_ALL_OTHERS, STOPS_ALL_OTHERS], ids=["killed", "stopped"])
def test_a_program_whose_process_was_harmed_by_another_gets_another_container(harm: str) -> None:
    findings = judge_in_one_container([harm, GOOD, GOOD])
    assert [(finding.outcome, finding.attempts) for finding in findings] == [("passed", 1)] * 3


def test_ends_of_one_program_are_not_those_of_the_next() -> None:
    findings = judge_in_one_container([ENDLESS, GOOD, HUNGRY, "def f(:\n", GOOD, "import os\nos._exit(3)\n", GOOD])
    outcomes = ["timeout", "passed", "out_of_memory", "syntax_error", "passed", "crashed", "passed"]
    assert [finding.outcome for finding in findings] == outcomes


def test_more_jobs_than_one_container_serves() -> None:
    assert [finding.outcome for finding in judge_in_one_container([GOOD] * 7, size=3)] == ["passed"] * 7


def test_a_finding_comes_as_soon_as_it_is_made() -> None:
    options = SandboxOptions(workers=1, pool=1, jobs_per_container=2)
    with closing(run_jobs([Job(GOOD, TASK), Job(SLOW, TASK)], options)) as findings:
        next(findings)
        came = time.monotonic()
        next(findings)
    assert time.monotonic() - came > 1


def test_sets_are_ordered_by_the_hash_seed_asked_for() -> None:
    program = "def f():\n    raise ValueError(','.join(set('abcdefgh')))\n"
    orders = set()
    for seed in (0, 1, 2, 1):
        [(_, finding)] = run_jobs([Job(program, TASK)], SandboxOptions(workers=1, pool=1, hash_seed=seed))
        assert finding.error
        orders.add((seed, finding.error["message"]))
    assert len(orders) == 3
    assert len({message for _, message in orders}) == 3


@pytest.mark.parametrize("number", [0, MAX_JOBS_PER_CONTAINER + 1])
def test_numbers_of_jobs_that_no_container_serves(number: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MAX_JOBS_PER_CONTAINER}"):
        SandboxOptions(jobs_per_container=number)
