"""Outcomes from what the runner reported: the declared order, and the events that are easy to take for another."""

import signal
from typing import Any

import pytest

from edittool.judging.sandbox.job import Job, Limits
from edittool.judging.sandbox.outcome import find
from edittool.schemas.bench import Bench

PASSED = {"passed": True, "error": None}
WRONG = {"passed": False, "error": {"type": "AssertionError", "message": "", "line": None, "kind": "assertion"}}
NO_MEMORY = {"type": "MemoryError", "message": "", "line": 1, "kind": "out_of_memory"}
OOM_KILLED = {"oom_kill": 1, "pids_max": 0}
REFUSED = {"oom_kill": 0, "pids_max": 9}


def result(**facts: Any) -> dict[str, Any]:
    quiet = {"fault": None, "end": None, "stage": "run", "tests": [PASSED, WRONG], "error": WRONG["error"], "calls": {}}
    seen = {"bypass": [], "seen": [], "failed_calls": {}, "refused_calls": {}, "rebound": False, "trace": {}}
    measured = {"opaque": False, "output": "", "status": 0, "cpu_ms": 10.0, "peak_memory_kib": 1, "duration_ms": 10.0}
    clock = {"limit": None, "part": "test 2", "part_cpu_ms": 10.0, "wall_ms": 15_010.0, "waited_ms": 14_900.0}
    clock |= {"delayed_ms": 0.0, "tests_cpu_ms": 0.0, "measured": True} | facts.pop("clock", {})
    return quiet | seen | measured | {"counters": {"oom_kill": 0, "pids_max": 0}, "clock": clock} | facts


@pytest.mark.parametrize(
    ("facts", "outcome", "kind"),
    [
        ({}, "partial", "assertion"),
        ({"tests": [PASSED, PASSED], "error": None}, "passed", None),
        # What came after the last test passed does not count.
        ({"tests": [PASSED, PASSED], "error": None, "status": signal.SIGSEGV}, "passed", None),
        ({"tests": [WRONG, WRONG]}, "failed", "assertion"),
        ({"end": "timeout"}, "timeout", "timeout"),
        # The kernel counts that limit in ticks, which may run ahead of the measured time.
        ({"end": "died", "status": signal.SIGXCPU, "cpu_ms": 26450.4}, "timeout", "timeout"),
        ({"end": "died", "status": signal.SIGKILL, "cpu_ms": 31990.0}, "timeout", "timeout"),
        # A program can send itself either signal; then it has not used the time.
        ({"end": "died", "status": signal.SIGXCPU, "cpu_ms": 20.0}, "crashed", "signal"),
        ({"end": "died", "status": signal.SIGKILL, "cpu_ms": 26450.4}, "crashed", "signal"),
        # Nor does time used up make a timeout of another signal, or of an exit.
        ({"end": "died", "status": signal.SIGSEGV, "cpu_ms": 30000.0}, "crashed", "signal"),
        ({"end": "died", "status": 137 << 8, "cpu_ms": 30000.0}, "crashed", "exit"),
        ({"end": "died", "status": signal.SIGKILL, "counters": OOM_KILLED}, "out_of_memory", "out_of_memory"),
        # A child was killed for its memory, not the program.
        ({"end": "died", "status": 0, "counters": OOM_KILLED}, "crashed", "exit"),
        ({"end": "died", "status": signal.SIGABRT, "counters": OOM_KILLED}, "crashed", "signal"),
        ({"end": None, "counters": OOM_KILLED}, "partial", "assertion"),
        # The program's own MemoryError came first, so that is what the verdict tells.
        ({"error": NO_MEMORY, "end": "died", "status": 1 << 8}, "out_of_memory", "out_of_memory"),
        # A refusal that the program caught does not explain a wrong answer.
        ({"counters": REFUSED}, "partial", "assertion"),
        ({"end": "closed"}, "crashed", "protocol"),
        ({"end": "protocol"}, "crashed", "protocol"),
        ({"end": "died", "status": 0, "stage": "parse"}, "crashed", "exit"),
        ({"end": "output_limit"}, "output_limit", "output_limit"),
        ({"end": "timeout", "counters": REFUSED}, "timeout", "process_limit"),
        ({"stage": "parse", "tests": [WRONG]}, "syntax_error", "assertion"),
        ({"stage": "load", "tests": [WRONG]}, "load_error", "assertion"),
    ],
)
def test_the_first_outcome_that_applies(bench: Bench, facts: dict[str, Any], outcome: str, kind: str | None) -> None:
    found = find(Job("x = 1\n", bench.problems["count"]), result(**facts), Limits())
    assert found.outcome == outcome
    assert (found.error["kind"] if found.error else None) == kind


@pytest.mark.parametrize("kind", ["missing_name", "missing_import", "missing_attribute", "bad_call"])
def test_an_api_unresolved_in_any_test_does_not_compile(bench: Bench, kind: str) -> None:
    failed = {"passed": False, "error": {"type": "E", "message": "", "line": 1, "kind": kind}}
    found = find(Job("x = 1\n", bench.problems["count"]), result(tests=[PASSED, failed]), Limits())
    assert (found.compiles, found.outcome) == (False, "partial")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"end": "timeout", "clock": {"limit": "wall"}, "cpu_ms": 40.0},
            "stopped in test 2 at the limit of 15 s of wall time; it waited 14.9 s and used 0.0 s of CPU time",
        ),
        (
            {"end": "timeout", "clock": {"limit": "wall", "tests_cpu_ms": 9000.0, "waited_ms": 6000.0}},
            "stopped in test 2 at the limit of 15 s of wall time; it waited 6.0 s and used 0.0 s of CPU time, the "
            "tests themselves took 9.0 s",
        ),
        (
            {"end": "timeout", "clock": {"limit": "wall", "delayed_ms": 44_200.0}, "cpu_ms": 40.0},
            "stopped in test 2 at the limit of 15 s of wall time; it waited 14.9 s and used 0.0 s of CPU time; 44.2 s "
            "without a CPU do not count",
        ),
        (
            {"end": "timeout", "clock": {"limit": "cpu", "part": "loading", "part_cpu_ms": 3004.0}, "cpu_ms": 3010.0},
            "stopped while it loaded at the limit of 3 s of CPU time; it used 3.0 s there, 3.0 s in all",
        ),
        (
            {"end": "timeout", "clock": {"limit": "cpu", "part": "test 4", "part_cpu_ms": 3004.0}, "cpu_ms": 8010.0},
            "stopped in test 4 at the limit of 3 s of CPU time; it used 3.0 s there, 8.0 s in all",
        ),
        (
            {"end": "timeout", "clock": {"limit": "total_cpu", "part": "test 87"}, "cpu_ms": 30_010.0},
            "stopped in test 87 at the limit for the whole program of 30 s of CPU time; it used 30.0 s",
        ),
        (
            {"end": "died", "status": signal.SIGXCPU, "cpu_ms": 29_600.0},
            "stopped in test 2 at the limit for the whole program of 30 s of CPU time; it used 29.6 s",
        ),
        ({"end": "died", "status": 137 << 8}, "the program ended its own process, with exit status 137"),
        ({"end": "died", "status": signal.SIGKILL}, "the program's process was ended by SIGKILL"),
        ({"end": "output_limit"}, "the program printed more than 1024 KiB"),
    ],
)
def test_what_ended_the_program_is_told_once_and_in_every_test_it_ended(
    bench: Bench, facts: dict[str, Any], message: str
) -> None:
    ended = {"passed": False, "error": {"type": "TrialEnd", "message": "", "line": None, "kind": facts["end"]}}
    found = find(Job("x = 1\n", bench.problems["count"]), result(tests=[PASSED, WRONG, ended], **facts), Limits())
    assert found.error is not None
    assert found.error["message"] == message
    assert [test["error"] for test in found.tests] == [None, WRONG["error"], found.error]


def test_the_kernel_counts_the_limit_on_cpu_time_in_whole_seconds(bench: Bench) -> None:
    facts = result(end="died", status=signal.SIGKILL, cpu_ms=700.0)  # by its own hand, at 0.7 of 1 s
    limits = Limits(cpu_seconds=0.5, total_cpu_seconds=0.5)
    assert find(Job("x = 1\n", bench.problems["count"]), facts, limits).outcome == "crashed"
