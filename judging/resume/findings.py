"""Findings as text, and back: a text that says anything but what the judge finds is no finding."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, get_args

from ...sandbox_images.python.boundary.bypasses import CODES
from ...sandbox_images.python.boundary.runs import IN_TESTS, ON_LOAD, RUNS_AGAIN
from ...schemas.verdicts import DETAILS_IN_WORDS, Called, ErrorKind, Label, Outcome, Stage
from ..sandbox.job import Finding

_TUPLES: Final = ("tests", "uses", "bypass", "seen", "again")
_KINDS: Final = frozenset(get_args(ErrorKind))
_OF_PASSING: Final = frozenset({"correct_adoption", "workaround"})


def write_finding(finding: Finding) -> str:
    """Return `finding` as text."""
    return json.dumps(asdict(finding), ensure_ascii=True)


def read_finding(text: str) -> Finding | None:
    """Return the finding that `write_finding` made `text` of, or None for what it cannot have made."""
    try:
        row: Any = json.loads(text)
        if type(row) is not dict or row.keys() != FIELDS.keys():
            return None
        if not all(is_valid(row[name]) for name, is_valid in FIELDS.items()):
            return None
        trace = {int(index): tuple(paths) for index, paths in row["trace"].items()}
        finding = Finding(**{**row, **{name: tuple(row[name]) for name in _TUPLES}, "trace": trace})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return finding if _agrees_with_itself(finding) else None


def _agrees_with_itself(finding: Finding) -> bool:
    """Tell whether outcome, stage, tests, error and label can stand beside each other."""
    passed, total = finding.tests_passed, len(finding.tests)
    stages: Mapping[str, str] = {"syntax_error": "parse", "load_error": "load", "failed": "run", "partial": "run"}
    counts = {"passed": passed == total, "partial": 0 < passed < total}.get(
        finding.outcome, passed < total if finding.outcome not in stages else passed == 0
    )
    whole = finding.stage == "run" and finding.compiles and finding.error is None
    detail = finding.label_detail
    return (
        counts
        and finding.stage == stages.get(finding.outcome, finding.stage)
        and (finding.outcome != "passed" or whole)
        and (finding.stage == "run" or not finding.compiles)
        and (finding.label is None or (finding.label in _OF_PASSING) == (finding.outcome == "passed"))
        and (detail is None or (finding.label is not None and detail in DETAILS_IN_WORDS[finding.label]))
    )


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_measure(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _is_error(value: Any) -> bool:
    return value is None or (
        type(value) is dict
        and value.keys() == {"type", "message", "line", "kind"}
        and _is_text(value["type"])
        and _is_text(value["message"])
        and (value["line"] is None or _is_count(value["line"]))
        and value["kind"] in _KINDS
    )


def _is_test(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"passed", "error"}
        and type(value["passed"]) is bool
        and _is_error(value["error"])
        and not (value["passed"] and value["error"])
    )


def _is_use(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"name", "kind", "line"}
        and _is_text(value["name"])
        and _is_text(value["kind"])
        and _is_count(value["line"])
    )


def _is_seen(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"api", "line"}
        and _is_text(value["api"])
        and (value["line"] is None or _is_count(value["line"]))
    )


def _is_run(value: Any) -> bool:
    return (
        type(value) is dict
        and value.keys() == {"run", "phase", "passed", "stage", "end"}
        and value["run"] in RUNS_AGAIN
        and value["phase"] in ("", ON_LOAD, IN_TESTS)
        and type(value["passed"]) is bool
        and value["stage"] in get_args(Stage)
        and (value["end"] is None or _is_text(value["end"]))
    )


def _list_of(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is list and all(map(is_valid, value))


def _by_name(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is dict and all(map(is_valid, value.values()))


def _one_of(*words: str | None) -> Callable[[Any], bool]:
    return lambda value: (value is None or _is_text(value)) and value in words


# What each field of a finding may hold.
FIELDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "outcome": _one_of(*get_args(Outcome)),
    "stage": _one_of(*get_args(Stage)),
    "compiles": lambda value: type(value) is bool,
    "tests": lambda value: bool(value) and _list_of(_is_test)(value),
    "error": _is_error,
    "calls": _by_name(_is_count),
    "failed_calls": _by_name(_is_count),
    "refused_calls": _by_name(_is_count),
    "seen": _list_of(_is_seen),
    "again": _list_of(_is_run),
    "rebound": lambda value: type(value) is bool,
    "label": _one_of(None, *get_args(Label)),
    "label_detail": _one_of(None, *(detail for details in DETAILS_IN_WORDS.values() for detail in details)),
    "called": _one_of(None, *get_args(Called)),
    "disagreement": lambda value: value is None or _is_text(value),
    "uses": _list_of(_is_use),
    "opaque": lambda value: type(value) is bool,
    "bypass": _list_of(_one_of(*CODES)),
    "trace": _by_name(_list_of(_is_text)),
    "output": _is_text,
    "duration_ms": _is_measure,
    "cpu_ms": _is_measure,
    "peak_memory_kib": _is_count,
    "attempts": lambda value: _is_count(value) and value > 0,
}
