"""What a starved program is found to be: nothing, and when a program that ran into a limit is believed to be slow."""

import math
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.sandbox import time_limits
from edittool.judging.sandbox.container import RunnerLostError
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.time_limits import require_cpu

QUIET = "some avg10=1.50 avg60=80.00 avg300=80.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
BUSY = "some avg10=61.00 avg60=0.00 avg300=0.00 total=1\n"


def ended(limit: str | None, *, measured: bool = True) -> dict[str, Any]:
    clock = {"limit": limit, "measured": measured, "wall_ms": 240_000.0, "delayed_ms": 231_500.0}
    return {"clock": clock, "cpu_ms": 300.0}


# How the trial ended, whether delays were counted, whether it was alone, the pressure on CPUs: is it starved?
CASES = [
    ("starved", True, False, QUIET, True),
    ("starved", True, True, QUIET, True),
    ("wall", True, False, BUSY, False),
    ("cpu", True, False, BUSY, False),
    (None, True, False, BUSY, False),
    ("wall", False, False, QUIET, True),
    ("cpu", False, False, QUIET, True),
    ("wall", False, True, QUIET, False),
    ("cpu", False, True, QUIET, False),
    ("wall", False, True, BUSY, True),
    (None, False, False, BUSY, False),
]


def test_which_trials_are_starved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limits, "PRESSURE", tmp_path / "cpu")
    found = []
    for limit, measured, alone, pressure, _ in CASES:
        (tmp_path / "cpu").write_text(pressure)
        try:
            require_cpu(ended(limit, measured=measured), alone=alone, used_outside=lambda: 0.0)
        except RunnerLostError as loss:
            found.append(loss.reason)
        else:
            found.append("")
    assert found == ["starved" * starved for *_, starved in CASES]


def test_the_error_says_what_the_program_was_given() -> None:
    with pytest.raises(
        RunnerLostError, match=r"in 240\.0 s .* use 0\.3 s of CPU time and was kept waiting for 231\.5 s"
    ):
        require_cpu(ended("starved"), alone=False, used_outside=lambda: math.inf)


@pytest.mark.parametrize(
    ("limit", "outside", "starved"),
    [("cpu", 0.2, True), ("cpu", 0.31, False), ("total_cpu", 9.0, False), ("wall", 9.0, True), ("cpu", math.inf, True)],
)
def test_cpu_time_that_the_engine_counted_was_used(
    limit: str, outside: float, starved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limits, "PRESSURE", tmp_path / "cpu")
    (tmp_path / "cpu").write_text(BUSY)
    result = ended(limit, measured=False) | {"cpu_ms": 300.0}
    if starved:
        with pytest.raises(RunnerLostError):
            require_cpu(result, alone=True, used_outside=lambda: outside)
    else:
        require_cpu(result, alone=True, used_outside=lambda: outside)


def test_limits_have_a_total_that_follows_the_limit_of_a_part() -> None:
    found = [Limits(), Limits(cpu_seconds=0.5), Limits(total_cpu_seconds=7), Limits(total_cpu_seconds=7).times(4)]
    assert [(one.cpu_seconds, one.total_cpu_seconds, one.wall_seconds) for one in found] == [
        (3.0, 30.0, 15.0),
        (0.5, 5.0, 15.0),
        (3.0, 7, 15.0),
        (12.0, 28, 60.0),
    ]
