"""Categories of failure: the first that applies to a verdict says why its program did not pass."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...schemas.error_kinds import UNRESOLVED

FAILURES: dict[str, str] = {
    "syntax": "cannot be parsed",
    "timeout": "reached the limit on its time",
    "out_of_memory": "reached the limit on its memory",
    "output_limit": "printed more than the limit",
    "crashed": "its process ended, or broke off the exchange of results",
    "missing_api": "uses a name, import or attribute that is not there: the removed API, or one that never was",
    "ill_called_api": "calls an API with arguments that it refuses",
    "missing_entry_point": "does not define the function that the tests call",
    "load": "fails while it loads, for another reason",
    "exception": "raises another exception in a test",
    "wrong_result": "runs, and its results are wrong",
    "unknown": "did not pass, and the verdict does not say why",
}

_STOPPED = ("timeout", "out_of_memory", "output_limit", "crashed")
_BY_KIND = {
    **{kind: kind for kind in ("timeout", "out_of_memory", "output_limit")},
    "bad_call": "ill_called_api",
    "missing_entry_point": "missing_entry_point",
    "assertion": "wrong_result",
    "exception": "exception",
    "exit": "crashed",
    "signal": "crashed",
    "protocol": "crashed",
    "died": "crashed",
    "process_limit": "crashed",
}


def failure_of(verdict: Mapping[str, Any]) -> str | None:
    """Return the category of FAILURES that a judged `verdict` belongs to; None where it passed or was not judged."""
    outcome = verdict["outcome"]
    if outcome in ("passed", "sandbox_error"):
        return None
    kinds = [error["kind"] for error in _errors(verdict) if error.get("kind")]
    if outcome == "syntax_error" or "syntax" in kinds[:1]:
        return "syntax"
    if outcome in _STOPPED:
        return str(outcome)
    unresolved = next((kind for kind in kinds if kind in UNRESOLVED), None)
    if unresolved:
        return _BY_KIND.get(unresolved, "missing_api")
    if outcome == "load_error":
        return "load"
    return next((_BY_KIND[kind] for kind in kinds if kind in _BY_KIND), "unknown")


def _errors(verdict: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the errors of `verdict`, what went wrong first before the others."""
    if verdict.get("error"):
        yield verdict["error"]
    yield from (test["error"] for test in verdict.get("tests") or () if test.get("error"))
