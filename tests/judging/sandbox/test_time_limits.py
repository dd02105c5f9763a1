"""What a starved program is found to be: nothing, and when a program that ran into a limit is believed to be slow."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.sandbox import time_limits
from edittool.judging.sandbox.container import RunnerLostError
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.time_limits import SpareCpu, require_cpu

# What the CPUs of a machine have done: user, nice, system, idle, waiting for a disk, ... in hundredths of a second.
BEFORE = "cpu  50 0 50 100 10 0 0 0 0 0\ncpu0 50 0 50 100 10 0 0 0 0 0\n"
QUIET = "cpu  50 0 50 400 20 0 0 0 0 0\ncpu0 50 0 50 400 20 0 0 0 0 0\n"
BUSY = "cpu  350 0 50 100 10 0 0 0 0 0\ncpu0 350 0 50 100 10 0 0 0 0 0\n"
UNTOLD = "softirq 1\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], SpareCpu]:
    """Return what is known of the CPUs of a machine that has come from BEFORE to the given counts."""
    stat = tmp_path / "stat"
    monkeypatch.setattr(time_limits, "STAT", stat)

    def seen(after: str) -> SpareCpu:
        stat.write_text(BEFORE)
        spare = SpareCpu()
        stat.write_text(after)
        return spare

    return seen


def ended(limit: str | None, *, measured: bool = True) -> dict[str, Any]:
    clock = {"limit": limit, "measured": measured, "wall_ms": 240_000.0, "delayed_ms": 231_500.0}
    return {"clock": clock, "cpu_ms": 300.0}


# How the trial ended, whether delays were counted, whether it was alone, what the CPUs did since: why is it no verdict?
CASES = [
    ("starved", True, False, QUIET, "starved"),
    ("starved", True, True, QUIET, "starved"),
    ("wall", True, False, BUSY, ""),
    ("cpu", True, False, BUSY, ""),
    (None, True, False, BUSY, ""),
    ("wall", False, False, QUIET, "unmeasured"),
    ("cpu", False, False, QUIET, "unmeasured"),
    ("wall", False, True, QUIET, ""),
    ("cpu", False, True, QUIET, ""),
    ("wall", False, True, BUSY, "unmeasured"),
    ("wall", False, True, UNTOLD, "unmeasured"),
    (None, False, False, BUSY, ""),
]


def test_which_trials_are_starved(machine: Callable[[str], SpareCpu]) -> None:
    found = []
    for limit, measured, alone, after, _ in CASES:
        clock = ended(limit, measured=measured)
        try:
            require_cpu(clock, alone=alone, spare=machine(after), used_outside=lambda: 0.0)
        except RunnerLostError as loss:
            found.append(loss.reason)
        else:
            found.append("")
    assert found == [reason for *_, reason in CASES]


def test_the_error_says_what_the_program_was_given(machine: Callable[[str], SpareCpu]) -> None:
    with pytest.raises(
        RunnerLostError, match=r"in 240\.0 s .* use 0\.3 s of CPU time and was kept waiting for 231\.5 s"
    ):
        require_cpu(ended("starved"), alone=False, spare=machine(QUIET), used_outside=lambda: math.inf)


@pytest.mark.parametrize(
    ("limit", "outside", "starved"),
    [("cpu", 0.2, True), ("cpu", 0.31, False), ("total_cpu", 9.0, False), ("wall", 9.0, True), ("cpu", math.inf, True)],
)
def test_cpu_time_that_the_engine_counted_was_used(
    limit: str, outside: float, starved: bool, machine: Callable[[str], SpareCpu]
) -> None:
    spare = machine(BUSY)
    result = ended(limit, measured=False) | {"cpu_ms": 300.0}
    if starved:
        with pytest.raises(RunnerLostError):
            require_cpu(result, alone=True, spare=spare, used_outside=lambda: outside)
    else:
        require_cpu(result, alone=True, spare=spare, used_outside=lambda: outside)


def test_limits_have_a_total_that_follows_the_limit_of_a_part() -> None:
    found = [Limits(), Limits(cpu_seconds=0.5), Limits(total_cpu_seconds=7), Limits(total_cpu_seconds=7).times(4)]
    assert [(one.cpu_seconds, one.total_cpu_seconds, one.wall_seconds) for one in found] == [
        (3.0, 30.0, 15.0),
        (0.5, 5.0, 15.0),
        (3.0, 7, 15.0),
        (12.0, 28, 60.0),
    ]
