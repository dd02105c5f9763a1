import pytest

from edittool.reporting.read.failures import failure_of
from edittool.schemas.verdicts import FAILURES, Verdict


def verdict(outcome, error=None, *tests):
    """Make a verdict as the judge writes it: `error` and `tests` are kinds of errors, None where there is none."""
    return {
        "outcome": outcome,
        "error": error and {"type": "E", "message": "m", "kind": error},
        "tests": [
            {"passed": kind is None, "error": kind and {"type": "E", "message": "m", "kind": kind}} for kind in tests
        ],
    }


REQUIRED = {"sample_id": "s", "task_id": "t", "compiles": False, "tests_passed": 0, "tests_total": 1, "label": None}
CASES = {
    "cannot be parsed": (verdict("syntax_error", "syntax"), "syntax"),
    "ran out of time": (verdict("timeout", "timeout", None, "timeout"), "timeout"),
    "ran out of time, after a name was missing": (verdict("timeout", "timeout", "missing_name", "timeout"), "timeout"),
    "ran out of memory": (verdict("out_of_memory", "out_of_memory"), "out_of_memory"),
    "printed too much": (verdict("output_limit", "output_limit"), "output_limit"),
    "ended itself": (verdict("crashed", "exit", "died"), "crashed"),
    "was killed by a signal": (verdict("crashed", "signal"), "crashed"),
    "forged a result": (verdict("crashed", "protocol"), "crashed"),
    "made too many processes": (verdict("crashed", "process_limit"), "crashed"),
    "uses a removed name in a test": (verdict("failed", None, "missing_name"), "missing_api"),
    "imports a removed function": (verdict("load_error", "missing_import"), "missing_api"),
    "uses a removed attribute": (verdict("partial", None, None, "missing_attribute"), "missing_api"),
    "is wrong in one test and lacks a name in another": (
        verdict("failed", None, "assertion", "missing_name"),
        "missing_api",
    ),
    "calls an API with arguments it refuses": (verdict("failed", None, "bad_call"), "ill_called_api"),
    "calls one wrongly first, and misses another": (
        verdict("failed", None, "bad_call", "missing_name"),
        "ill_called_api",
    ),
    "is of an answer without a program": (verdict("load_error", "no_program", "missing_entry_point"), "no_program"),
    "does not define the function": (verdict("load_error", "missing_entry_point"), "missing_entry_point"),
    "raises while it loads": (verdict("load_error", "exception"), "load"),
    "raises in a test": (verdict("failed", None, "exception"), "exception"),
    "raises first, and is wrong later": (verdict("failed", None, "exception", "assertion"), "exception"),
    "is wrong": (verdict("failed", None, "assertion"), "wrong_result"),
    "is wrong first, and raises later": (verdict("partial", None, None, "assertion", "exception"), "wrong_result"),
    "ends in one test": (verdict("partial", None, None, "exit"), "crashed"),
    "ran out of time in one test": (verdict("partial", None, None, "timeout"), "timeout"),
    "ran out of memory in one test": (verdict("partial", None, None, "out_of_memory"), "out_of_memory"),
    "printed too much in one test": (verdict("partial", None, None, "output_limit"), "output_limit"),
    "has tests that cannot run": (verdict("failed", "tests"), "unknown"),
    "is of another tool, which says no more": ({"outcome": "failed"}, "unknown"),
    "is of another tool, and cannot be parsed": ({"outcome": "syntax_error"}, "syntax"),
    "is of another tool, and cannot be loaded": ({"outcome": "load_error"}, "load"),
    "is of another tool, and crashed": ({"outcome": "crashed"}, "crashed"),
    "is of another tool, whose errors have no kind": (
        {"outcome": "failed", "error": {"type": "E", "message": "m"}, "tests": [{"passed": False}]},
        "unknown",
    ),
    "is of another tool, and is a syntax error by its kind": (
        {"outcome": "load_error", "error": {"type": "SyntaxError", "message": "m", "kind": "syntax"}},
        "syntax",
    ),
    "is of another tool, with a kind that nobody knows": (
        verdict("partial", None, None, "novel", "assertion"),
        "wrong_result",
    ),
    "passed": (verdict("passed", None, None), None),
    "was not judged": (verdict("sandbox_error", "sandbox"), None),
}


@pytest.mark.parametrize("words", CASES)
def test_a_program_that(words):
    found, category = CASES[words]
    assert failure_of(Verdict.from_row(REQUIRED | found)) == category


def test_every_category_is_reached():
    assert {category for _, category in CASES.values()} == {*FAILURES, None}
