"""Runs a program that passed in a world again: whether it reached what is removed, and needs its replacement.

The first run decides the tests. A watched run then tells which removed APIs the program called. If it called none, and
the replacement returned to it, counterfactual runs follow until the program fails in one: the replacement does nothing
and returns what cannot be used, then it returns a wrong value of the right type. They change the calls that the tests
led to first; what the program got while it loaded is changed only after that, and has to show in the tests: a program
can check its replacement while it loads without needing it.
"""

from __future__ import annotations

from ..boundary.bypasses import CODES, UNWATCHABLE
from ..boundary.light import TYPE_CHECKING
from ..boundary.runs import IN_TESTS, NOTHING, ON_LOAD, WATCHED, WATCHED_AS_IT_IS, WRONG_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    Result = dict[str, Any]

# Of the CPU time that the first run took: what takes longer is not the program that passed, or not in reach of a watch.
_PATIENCE: Final = 4
_WATCHING: Final = 20
_LEAST_SECONDS: Final = 1.0


def run_again(job: Mapping[str, Any], first: Result, run: Callable[[dict[str, Any]], Result]) -> Result:
    """Return what the other runs found: {"bypass", "seen", "again"}; `run` runs the job, changed in some fields.

    A run that was given no CPU, or may not have been, leaves its "clock" for the first one's.
    """
    if not _passed(first):
        return {"again": []}
    results: list[Result] = []

    def noted(changed: dict[str, Any]) -> Result:
        results.append(run(changed))
        return results[-1]

    runs, bypass, seen = _watched_runs(job, first, noted)
    bypass = [code for code in CODES if code in bypass or code in first["bypass"]]
    if not bypass and first["calls"].get(job["own"]):
        runs += _counterfactual_runs(job, first, noted)
    doubtful = next((result["clock"] for result in results if _is_doubtful(result["clock"])), first["clock"])
    return {"again": runs, "bypass": bypass, "seen": seen, "clock": doubtful}


def _watched_runs(
    job: Mapping[str, Any], first: Result, run: Callable[[dict[str, Any]], Result]
) -> tuple[list[dict[str, Any]], list[str], list[Any]]:
    """Return the watched runs, the ways around the removal that they saw, and the calls."""
    runs = []
    for name in (WATCHED, WATCHED_AS_IT_IS):
        result = run({"run": name, **_limits(job, max(job["cpu_seconds"], _WATCHING * first["cpu_ms"] / 1000))})
        runs.append(_told(name, "", result))
        # Watching takes time: a program that had too little of it is watched as far as it came.
        if _passed(result) or result["bypass"] or result["end"] == "timeout":
            return runs, result["bypass"], result["seen"]
    return runs, [UNWATCHABLE], []


def _counterfactual_runs(
    job: Mapping[str, Any], first: Result, run: Callable[[dict[str, Any]], Result]
) -> list[dict[str, Any]]:
    """Return the runs up to the one that shows that the program needs its replacement, if one does."""
    calls, on_load = first["calls"][job["own"]], first["calls_on_load"].get(job["own"], 0)
    phases = [phase for phase, called in ((IN_TESTS, calls > on_load), (ON_LOAD, on_load)) if called]
    limits = _limits(job, max(_LEAST_SECONDS, _PATIENCE * first["cpu_ms"] / 1000))
    runs: list[dict[str, Any]] = []
    for phase in phases:
        for way in (NOTHING, WRONG_VALUE):
            result = run({"run": way, "counterfactual": [phase, way], **limits})
            runs.append(_told(way, phase, result))
            if result["stage"] == "run" and not _passed(result):
                return runs
    return runs


def _limits(job: Mapping[str, Any], seconds: float) -> dict[str, float]:
    return {name: min(job[name], seconds) for name in ("cpu_seconds", "total_cpu_seconds")}


def _is_doubtful(clock: Mapping[str, Any]) -> bool:
    return clock["limit"] == "starved" or (clock["limit"] is not None and not clock["measured"])


def _passed(result: Result) -> bool:
    return result["stage"] == "run" and not result["fault"] and all(test["passed"] for test in result["tests"])


def _told(name: str, phase: str, result: Result) -> dict[str, Any]:
    return {
        "run": name,
        "phase": phase,
        "passed": _passed(result),
        "stage": result["stage"],
        "end": result["end"],
    }
