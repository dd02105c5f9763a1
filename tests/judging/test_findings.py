"""Outcomes from what the runner reported: the declared order, and the events that are easy to take for another."""

import signal
from typing import Any

import pytest

from edittool.judging.findings import find
from edittool.judging.jobs import Job, Limits
from edittool.schemas.bench import Bench

PASSED = {"passed": True, "error": None}
WRONG = {"passed": False, "error": {"type": "AssertionError", "message": "", "line": None, "kind": "assertion"}}


def result(**facts: Any) -> dict[str, Any]:
    quiet = {"fault": None, "end": None, "stage": "run", "tests": [PASSED, WRONG], "error": WRONG["error"], "calls": {}}
    seen = {"bypass": [], "trace": {}}
    measured = {"opaque": False, "output": "", "status": 0, "cpu_ms": 10.0, "peak_memory_kib": 1, "duration_ms": 10.0}
    return quiet | seen | measured | {"counters": {"oom_kill": 0, "pids_max": 0}} | facts


@pytest.mark.parametrize(
    ("facts", "outcome", "kind"),
    [
        ({}, "partial", "assertion"),
        ({"tests": [PASSED, PASSED], "error": None}, "passed", None),
        # What came after the last test passed does not count.
        ({"tests": [PASSED, PASSED], "error": None, "status": signal.SIGSEGV}, "passed", None),
        ({"tests": [WRONG, WRONG]}, "failed", "assertion"),
        ({"end": "timeout"}, "timeout", "timeout"),
        # Only the limit sends it; the kernel counts that limit in ticks, and may be a tenth ahead of the measured time.
        ({"end": "died", "status": signal.SIGXCPU, "cpu_ms": 2645.4}, "timeout", "timeout"),
        ({"end": "died", "status": signal.SIGKILL, "cpu_ms": 3990.0}, "timeout", "timeout"),
        ({"end": "died", "status": signal.SIGKILL, "cpu_ms": 20.0}, "crashed", "signal"),
        (
            {"end": "died", "status": signal.SIGKILL, "counters": {"oom_kill": 1, "pids_max": 0}},
            "out_of_memory",
            "out_of_memory",
        ),
        ({"end": "died", "status": 0, "stage": "parse"}, "crashed", "exit"),
        ({"end": "output_limit"}, "output_limit", "assertion"),
        ({"end": "timeout", "counters": {"oom_kill": 0, "pids_max": 9}}, "timeout", "process_limit"),
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
