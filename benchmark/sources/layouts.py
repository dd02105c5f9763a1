"""The data set that a row looks like, so that a file given in place of another is called by its name."""

from collections.abc import Mapping
from typing import Any

# The option of `edittool bench build` that takes the data set.
OPTIONS = {
    "HumanEval": "--humaneval",
    "HumanEval+": "--humaneval-plus",
    "MBPP": "--mbpp",
    "MBPP+": "--mbpp-plus",
    "APPS": "--apps",
    "a file of problems in edittool's own format": "--problems",
    "a file of changes": "--changes",
}

# First match wins: the rows of a "plus" data set have the fields of the plain one, and more.
_FIELDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("MBPP+", frozenset({"code", "test_list", "test"})),
    ("HumanEval", frozenset({"prompt", "entry_point", "canonical_solution", "test"})),
    ("MBPP", frozenset({"text", "code", "test_list"})),
    ("the sanitized MBPP", frozenset({"prompt", "code", "test_list"})),
    ("APPS", frozenset({"question", "input_output"})),
    ("a file of problems in edittool's own format", frozenset({"prompt", "entry_point", "solution", "tests"})),
    ("a file of changes", frozenset({"deprecated", "replacement", "shim"})),
    ("a file of samples", frozenset({"task_id", "completion"})),
)


def recognise(row: Mapping[str, Any]) -> str | None:
    """Return the name of the data set that `row` looks like, or None."""
    if {"base_input", "plus_input"} & row.keys():
        # The ids of MBPP+'s first version are MBPP's, mere numbers.
        of_mbpp = isinstance(row.get("task_id"), int) or str(row.get("task_id")).lower().startswith("mbpp")
        return "MBPP+" if of_mbpp else "HumanEval+"
    name = next((name for name, fields in _FIELDS if fields <= row.keys()), None)
    return "HumanEval+" if name == "HumanEval" and _zips_results(row["test"]) else name


def _zips_results(test: object) -> bool:
    return isinstance(test, str) and "    inputs = [" in test and "assertion(" in test
