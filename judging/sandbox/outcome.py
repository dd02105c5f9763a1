"""Makes a finding of the runner's report: outcome, compiles, first error, label.

The clock and the limits of the trusted process, the wait status and the kernel's counters say how a program ended. The
program's own word counts for its exceptions only.
"""

import math
import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from ...analysis.called import Calls, how_called
from ...analysis.labels import label_program
from ...sandbox_images.python.boundary.limits import kernel_cpu_seconds
from ...schemas.verdicts import UNRESOLVED, Outcome, Stage
from .container import RunnerLostError
from .job import Excess, Finding, Job, Limits
from .time_limits import limit_reached

# Kinds of an error that the trusted process gives to a test when the trial is over; no program can send them.
ENDS: Final = frozenset({"timeout", "died", "closed", "protocol", "output_limit"})
_REFERRING: Final = frozenset({"call", "value", "attribute"})  # uses that may be a call; no import, no definition
# The limit on CPU time is counted in ticks, what was used is measured: on a busy machine the two lie far apart.
TICK_TOLERANCE: Final = 0.5


def find(job: Job, result: Mapping[str, Any], limits: Limits) -> Finding:
    """Return the finding of `job` from the runner's `result`."""
    # A program that ends the trial before it has loaded was at least read: what cannot be parsed is reported.
    stage: Stage = "load" if result["end"] and result["stage"] == "parse" else result["stage"]
    outcome = _outcome(result, stage, limits)
    ending = _ending(result, outcome, limits)
    tests = tuple(_told(test, ending) for test in result["tests"])
    return label(
        job,
        Finding(
            outcome=outcome,
            stage=stage,
            compiles=stage == "run" and not any(_kind(test) in UNRESOLVED for test in tests),
            tests=tests,
            error=None if outcome == "passed" else ending or result["error"],
            calls=result["calls"],
            failed_calls=result["failed_calls"],
            refused_calls=result["refused_calls"],
            opaque=result["opaque"],
            bypass=tuple(result["bypass"]),
            seen=tuple(result["seen"]),
            again=tuple(result.get("again", ())),
            rebound=result["rebound"],
            trace={int(index): tuple(paths) for index, paths in result["trace"].items()},
            output=result["output"],
            duration_ms=result["duration_ms"],
            cpu_ms=result["cpu_ms"],
            peak_memory_kib=result["peak_memory_kib"],
        ),
    )


def find_lost(job: Job, loss: RunnerLostError) -> Finding:
    """Return the finding of `job` when the runner itself was stopped by the program: it hung, or ran out of memory."""
    outcome: Outcome = "timeout" if loss.reason == "timeout" else "out_of_memory"
    return label(job, _without_result(job, outcome, outcome, str(loss)))


def find_fault(job: Job, message: str, attempts: int, kind: Literal["sandbox", "tests"] = "sandbox") -> Finding:
    """Return the finding of `job` when the sandbox, or the problem's own tests, failed: nothing counts against it."""
    return _without_result(job, "sandbox_error", kind, message, attempts)


def find_too_large(job: Job, excess: Excess) -> Finding:
    """Return the finding of `job`, which cannot be sent: for its program, or for what is no fault of the sample."""
    size = f"takes {excess.size:,} bytes as it is sent to the sandbox, over the limit of {excess.limit:,}"
    if excess.part == "program":
        message = f"the program {size}, and was not run"
        error = {"type": "TooLarge", "message": message, "line": None, "kind": "too_large"}
        return label(job, replace(_without_result(job, "load_error", "too_large", message), stage="load", error=error))
    return find_fault(job, f"the problem's tests and helpers with the changes: all of it {size}", 1, "tests")


def _without_result(job: Job, outcome: Outcome, kind: str, message: str, attempts: int = 1) -> Finding:
    error = {"type": outcome, "message": message[:500], "line": None, "kind": kind}
    tests = tuple({"passed": False, "error": None} for _ in job.problem.tests)
    return Finding(outcome, "run", compiles=False, tests=tests, error=error, attempts=attempts)


def _outcome(result: Mapping[str, Any], stage: Stage, limits: Limits) -> Outcome:
    """Return the first outcome that applies, in the declared order; only the trusted tests can say `passed`."""
    passed = sum(test["passed"] for test in result["tests"])
    if passed == len(result["tests"]) and stage == "run":
        return "passed"
    if result["end"] == "timeout" or _ended_by_cpu_limit(result, limits):
        return "timeout"
    if _ended_by_oom_killer(result) or (result["error"] or {}).get("kind") == "out_of_memory":
        return "out_of_memory"
    if result["end"] == "output_limit":
        return "output_limit"
    if result["end"] in ("died", "closed", "protocol"):
        return "crashed"
    if stage == "parse":
        return "syntax_error"
    if stage == "load":
        return "load_error"
    return "partial" if passed else "failed"


def _ended_by_cpu_limit(result: Mapping[str, Any], limits: Limits) -> bool:
    """Tell whether the kernel's limit on CPU time ended the program: SIGXCPU, or SIGKILL a second later.

    A program can send itself both. It has reached the limit if it has used the time.
    """
    limit_ms = 1000 * kernel_cpu_seconds(limits.total_cpu_seconds)
    least: dict[int, float] = {signal.SIGXCPU: TICK_TOLERANCE * limit_ms, signal.SIGKILL: limit_ms}
    used: float = result["cpu_ms"]
    return result["end"] == "died" and used >= least.get(_signal_of(result), math.inf)


def _ended_by_oom_killer(result: Mapping[str, Any]) -> bool:
    killed: bool = result["counters"]["oom_kill"] > 0
    return killed and result["end"] == "died" and _signal_of(result) == signal.SIGKILL


def _signal_of(result: Mapping[str, Any]) -> int:
    number: int = result["status"] & 0x7F  # of a wait status
    return number


def _ending(result: Mapping[str, Any], outcome: Outcome, limits: Limits) -> dict[str, Any] | None:
    """Return the event that ended the trial, or None where that is not what the verdict is about."""
    end = result["end"]
    if outcome == "timeout":
        return _event("Timeout", limit_reached(result, limits), _cause(result))
    if _ended_by_oom_killer(result):
        return _event("OutOfMemory", "the kernel killed the program for its memory", "out_of_memory")
    if end is None or outcome == "out_of_memory":  # where the program said so itself: its MemoryError came first
        return None
    if end == "output_limit":
        return _event("OutputLimit", f"the program printed more than {limits.output_kib} KiB", "output_limit")
    if end == "died":
        return _event(*_death(result["status"]))
    if end == "closed":
        return _event("Protocol", "the program closed the pipe that its results go through", "protocol")
    said = next((test["error"]["message"] for test in result["tests"] if _kind(test) == end), "no reply")
    return _event("Protocol", said, "protocol")


def _told(test: Mapping[str, Any], ending: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the result of a test, with what ended the trial where that is its error."""
    return {**test, "error": ending} if ending and _kind(test) in ENDS else test


def _cause(result: Mapping[str, Any]) -> str:
    return "process_limit" if result["counters"]["pids_max"] > 0 else "timeout"


def _death(status: int) -> tuple[str, str, str]:
    number = status & 0x7F
    if number:
        name = next((known.name for known in signal.Signals if known == number), f"signal {number}")
        return "Signal", f"the program's process was ended by {name}", "signal"
    return "Exit", f"the program ended its own process, with exit status {status >> 8}", "exit"


def _event(name: str, message: str, kind: str) -> dict[str, Any]:
    return {"type": name, "message": message, "line": None, "kind": kind}


def _kind(test: Mapping[str, Any]) -> str | None:
    error: Mapping[str, Any] | None = test["error"]
    kind: str | None = error["kind"] if error else None
    return kind


def label(job: Job, finding: Finding) -> Finding:
    """Return `finding` with label and how the replacement was called, where the problem's own change is active."""
    change = job.own_change
    if change is None:
        return finding
    calls = Calls(
        *(counts.get(change.replacement, 0) for counts in (finding.calls, finding.failed_calls, finding.refused_calls))
    )
    labelling = label_program(
        job.program,
        change,
        passed=finding.outcome == "passed",
        calls=calls.returned,
        failed_calls=calls.failed,
        outcome=finding.outcome,
        error=finding.error,
        bypass=finding.bypass,
        needed=finding.needs_replacement,
        rebound=finding.rebound,
        problem=job.problem,
    )
    called = how_called(
        job.program,
        change,
        calls,
        outcome=finding.outcome,
        errors=[error for error in (finding.error, *(test["error"] for test in finding.tests)) if error],
        named=any(use["name"] == change.replacement and use["kind"] in _REFERRING for use in labelling.uses),
        needed=finding.needs_replacement,
        entry_point=job.problem.entry_point,
    )
    return finding.labelled(labelling.label, labelling.detail, labelling.disagreement, labelling.uses, called)
