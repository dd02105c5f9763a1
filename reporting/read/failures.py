"""Categories of failure: the first that applies to a verdict says why its program did not pass."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...schemas.verdicts import STOPPED, UNRESOLVED, Verdict

_BY_KIND = {
    **{kind: kind for kind in ("timeout", "out_of_memory", "output_limit")},
    "bad_call": "ill_called_api",
    "old_call": "ill_called_api",
    "missing_entry_point": "missing_entry_point",
    "assertion": "wrong_result",
    "exception": "exception",
    "exit": "crashed",
    "signal": "crashed",
    "protocol": "crashed",
    "died": "crashed",
    "process_limit": "crashed",
}


def failure_of(verdict: Verdict) -> str | None:
    """Return the category of FAILURES that a judged `verdict` belongs to; None where it passed or was not judged."""
    outcome = verdict.outcome
    if outcome in ("passed", "sandbox_error"):
        return None
    kinds = [error["kind"] for error in _errors(verdict) if error.get("kind")]
    if kinds[:1] == ["no_program"]:
        return "no_program"
    if outcome == "syntax_error" or "syntax" in kinds[:1]:
        return "syntax"
    if outcome in STOPPED:
        return outcome
    unresolved = next((kind for kind in kinds if kind in UNRESOLVED), None)
    if unresolved:
        return _BY_KIND.get(unresolved, "missing_api")
    if outcome == "load_error":
        return "load"
    return next((_BY_KIND[kind] for kind in kinds if kind in _BY_KIND), "unknown")


def _errors(verdict: Verdict) -> Iterator[Mapping[str, Any]]:
    """Yield the errors of `verdict`, what went wrong first before the others."""
    if verdict.error:
        yield verdict.error
    yield from (test["error"] for test in verdict.tests if test.get("error"))
