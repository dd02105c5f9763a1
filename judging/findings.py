"""From what the runner reported to what a verdict says: outcome, compiles, first error, label."""

import signal
from collections.abc import Mapping
from typing import Any, Literal

from ..analysis.labels import label_program
from ..schemas.error_kinds import UNRESOLVED
from .container import RunnerLostError
from .jobs import Finding, Job, Limits, Outcome

Stage = Literal["parse", "load", "run"]


def find(job: Job, result: Mapping[str, Any], limits: Limits) -> Finding:
    """Return the finding of `job` from the runner's `result`."""
    tests = tuple(result["tests"])
    # A program that ends the trial before it has loaded was at least read: what cannot be parsed is reported.
    stage: Stage = "load" if result["end"] and result["stage"] == "parse" else result["stage"]
    outcome = _outcome(result, stage, limits)
    error = None if outcome == "passed" else _error(result, outcome)
    return label(
        job,
        Finding(
            outcome=outcome,
            stage=stage,
            compiles=stage == "run" and not any(_kind(test) in UNRESOLVED for test in tests),
            tests=tests,
            error=error,
            calls=result["calls"],
            opaque=result["opaque"],
            bypass=tuple(result["bypass"]),
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


def _without_result(job: Job, outcome: Outcome, kind: str, message: str, attempts: int = 1) -> Finding:
    error = {"type": outcome, "message": message[:500], "line": None, "kind": kind}
    tests = tuple({"passed": False, "error": None} for _ in job.problem.tests)
    return Finding(outcome, "run", compiles=False, tests=tests, error=error, attempts=attempts)


def _outcome(result: Mapping[str, Any], stage: Stage, limits: Limits) -> Outcome:
    """Return the first outcome that applies, in the declared order; only the trusted tests can say `passed`."""
    passed = sum(test["passed"] for test in result["tests"])
    if passed == len(result["tests"]) and stage == "run":
        return "passed"
    if result["end"] == "timeout" or _killed_for_cpu(result, limits):
        return "timeout"
    if _out_of_memory(result):
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


def _killed_for_cpu(result: Mapping[str, Any], limits: Limits) -> bool:
    """Tell whether the limit on CPU time ended the program: SIGXCPU, or SIGKILL a second later where that was caught.

    The kernel counts the limit in ticks, and can be a tenth ahead of the time that it reports as used.
    """
    number: int = result["status"] & 0x7F  # the signal in a wait status
    killed: bool = number == signal.SIGKILL and result["cpu_ms"] >= 1000 * limits.cpu_seconds
    died: bool = result["end"] == "died"
    return died and (number == signal.SIGXCPU or killed)


def _out_of_memory(result: Mapping[str, Any]) -> bool:
    by_kernel = result["counters"]["oom_kill"] > 0 and result["end"] == "died"
    return by_kernel or (result["error"] or {}).get("kind") == "out_of_memory"


def _error(result: Mapping[str, Any], outcome: Outcome) -> dict[str, Any] | None:
    """Return the first error; where the process ended, why it did."""
    error: dict[str, Any] | None = result["error"]
    if outcome == "out_of_memory" and (error or {}).get("kind") != "out_of_memory":
        return _event("OutOfMemory", "the kernel killed the program for its memory", "out_of_memory")
    if outcome == "timeout":
        seconds = result["cpu_ms"] / 1000
        return _event("Timeout", f"stopped at the time limit, after {seconds:.1f} s of CPU time", _cause(result))
    if outcome == "crashed" and result["end"] == "died":
        return _event(*_death(result["status"]))
    if outcome == "crashed" and result["end"] == "closed":
        return _event("Protocol", "the program closed the pipe that its results go through", "protocol")
    if error and result["counters"]["pids_max"] > 0:
        return error | {"kind": "process_limit"}  # the kernel's word for it
    return error


def _cause(result: Mapping[str, Any]) -> str:
    return "process_limit" if result["counters"]["pids_max"] > 0 else "timeout"


def _death(status: int) -> tuple[str, str, str]:
    number = status & 0x7F
    if number:
        name = signal.Signals(number).name if number in signal.valid_signals() else f"signal {number}"
        return "Signal", f"the program's process was ended by {name}", "signal"
    return "Exit", f"the program ended its own process, with exit status {status >> 8}", "exit"


def _event(name: str, message: str, kind: str) -> dict[str, Any]:
    return {"type": name, "message": message, "line": None, "kind": kind}


def _kind(test: Mapping[str, Any]) -> str | None:
    error: Mapping[str, Any] | None = test["error"]
    kind: str | None = error["kind"] if error else None
    return kind


def label(job: Job, finding: Finding) -> Finding:
    """Return `finding` with its adoption label, where the job's world has the change its problem belongs to."""
    change = next((change for change in job.changes if change.change_id == job.problem.change_id), None)
    if change is None:
        return finding
    labelling = label_program(
        job.program,
        change,
        passed=finding.outcome == "passed",
        calls=finding.calls.get(change.replacement, 0),
        outcome=finding.outcome,
        error_kind=finding.error["kind"] if finding.error else None,
        bypass=finding.bypass,
    )
    return finding.labelled(labelling.label, labelling.detail, labelling.disagreement, labelling.uses)
