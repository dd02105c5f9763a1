"""What the limits on time did to a program: which of them ended it, in words, and whether it was given any CPU."""

import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from .container import RunnerLostError
from .job import Limits

_OF_CPU: Final = ("cpu", "total_cpu")
STAT: Final = Path("/proc/stat")
FREE: Final = 0.25  # of a CPU: a machine that left less than this unused during a trial was busy
# How often a program is tried alone before it is given up: a starved one has waited for minutes each time.
TRIALS_ALONE: Final[Mapping[str, int]] = {"starved": 1, "unmeasured": 3}
TOLD: Final = 1.0  # seconds without a CPU, from which on a message speaks of them

REMEDY: Final = (
    "it was tried alone, too. The machine is too busy: judge when less else runs on it, or with more --cpus for a "
    "container; to judge this sample again, remove its line and start the same command"
)


def limit_reached(result: Mapping[str, Any], limits: Limits) -> str:
    """Return which limit on time ended the program of this `result`, where, and what it had used."""
    clock, all_used = result["clock"], _seconds(result["cpu_ms"])
    where = "while it loaded" if clock["part"] == "loading" else f"in {clock['part']}"
    if clock["limit"] == "cpu":
        used = f"it used {_seconds(clock['part_cpu_ms'])} there, {all_used} in all"
        return f"stopped {where} at the limit of {limits.cpu_seconds:g} s of CPU time; {used}"
    if clock["limit"] != "wall":
        whole = f"{limits.total_cpu_seconds:g} s of CPU time"
        return f"stopped {where} at the limit for the whole program of {whole}; it used {all_used}"
    took = _seconds(clock["tests_cpu_ms"])  # counts with the waiting
    tests = f", the tests themselves took {took}" * (took != _seconds(0))
    kept = f"; {_seconds(clock['delayed_ms'])} without a CPU do not count" * (clock["delayed_ms"] >= 1000 * TOLD)
    return (
        f"stopped {where} at the limit of {limits.wall_seconds:g} s of wall time; "
        f"it waited {_seconds(clock['waited_ms'])} and used {all_used} of CPU time{tests}{kept}"
    )


class SpareCpu:
    """How much of this machine's CPUs nobody has used since this was made."""

    def __init__(self) -> None:
        self._idle, self._begun = _idle(), time.monotonic()

    def is_scarce(self) -> bool:
        """Tell whether a program could have been kept waiting for a CPU; so it is where the kernel does not tell."""
        passed, idle = time.monotonic() - self._begun, _idle() - self._idle
        return not idle >= FREE * passed


def require_cpu(result: Mapping[str, Any], *, alone: bool, spare: SpareCpu, used_outside: Callable[[], float]) -> None:
    """Raise RunnerLostError where the machine, not the program, decided how this trial ended.

    Where the kernel does not tell how long a process was kept from a CPU (gVisor: its CPU time then counts some of
    that), a program that ran into a limit is tried again alone, and found to be slow if the machine had a CPU to
    `spare` since that trial began, or if its container, which served no other program, has used the CPU time:
    `used_outside` asks the engine for it, in seconds.
    """
    clock = result["clock"]
    doubtful = clock["limit"] is not None and not clock["measured"]
    if doubtful and alone:
        doubtful = spare.is_scarce() and not (clock["limit"] in _OF_CPU and _is_used(result, used_outside()))
    if clock["limit"] == "starved" or doubtful:
        raise RunnerLostError(
            "unmeasured" if doubtful else "starved",
            f"starved: in {_seconds(clock['wall_ms'])} the program could use {_seconds(result['cpu_ms'])} of CPU time "
            f"and was kept waiting for {_seconds(clock['delayed_ms'])}",
        )


def _is_used(result: Mapping[str, Any], outside: float) -> bool:
    return bool(result["cpu_ms"] / 1000 <= outside < math.inf)


def _idle() -> float:
    """Return for how many seconds the CPUs of this machine have been idle, all together; NaN where nobody counts it."""
    try:
        fields = STAT.read_text("ascii").splitlines()[0].split()
        return (int(fields[4]) + int(fields[5])) / os.sysconf("SC_CLK_TCK")  # idle, and waiting for a disk alone
    except (OSError, ValueError, IndexError):
        return math.nan


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s"
