"""A finding as text: it comes back as it was, and no text that says anything impossible is one."""

import json
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.resume.findings import FIELDS, read_finding, write_finding
from edittool.judging.sandbox.job import Finding

from .test_cache import ERROR, FOUND

PASSED = replace(
    FOUND,
    outcome="passed",
    compiles=True,
    tests=({"passed": True, "error": None},) * 2,
    error=None,
    label="correct_adoption",
    label_detail="mixed",
    trace={0: ("list", "?"), 1: ()},
)
FAILED = {"passed": False, "error": None}


def test_every_field_of_a_finding_is_looked_at() -> None:
    assert FIELDS.keys() == {field.name for field in fields(Finding)}


@pytest.mark.parametrize("finding", [FOUND, PASSED])
def test_a_finding_comes_back_as_it_was(finding: Finding) -> None:
    assert read_finding(write_finding(finding)) == finding


# A field and what it cannot be, in FOUND: partial, misuse, one test of two.
WRONG: list[tuple[str, Any]] = [
    *(("outcome", value) for value in (None, 1, "won", ["passed"], "passed", "failed", "syntax_error", "load_error")),
    *(("stage", value) for value in (None, "end", "parse", "load")),
    *(("compiles", value) for value in (None, 1, "true")),
    ("tests", []),
    ("tests", None),
    ("tests", {}),
    ("tests", [{"passed": True, "error": None}] * 2),
    ("tests", [FAILED] * 2),
    ("tests", [{"passed": 1, "error": None}, FAILED]),
    ("tests", [{"passed": True}, FAILED]),
    ("tests", [{"passed": True, "error": ERROR}, FAILED]),
    ("error", "text"),
    ("error", {}),
    ("error", ERROR | {"more": 1}),
    *(("error", ERROR | wrong) for wrong in ({"kind": "odd"}, {"line": "2"}, {"line": -1}, {"message": None})),
    *(("calls", value) for value in (None, [], {"len": -1}, {"len": 1.5}, {"len": True}, {"len": "1"})),
    *(("label", value) for value in ("adoption", 1, [], "correct_adoption", "workaround", "no_adoption", None)),
    *(("label_detail", value) for value in ("odd", 1, "clean", "other_api")),
    ("disagreement", 1),
    *(("uses", value) for value in (None, {}, [1], [{"name": "len"}], [{"name": "len", "kind": 1, "line": 2}])),
    *(("opaque", value) for value in (None, 0)),
    *(("bypass", value) for value in (None, "gc", ["odd"], [1], {"gc": 1})),
    *(("trace", value) for value in (None, [], {"x": []}, {"1": "list"}, {"1": [1]})),
    *(("output", value) for value in (None, 1, ["x"])),
    *((name, value) for name in ("duration_ms", "cpu_ms") for value in (None, -1, "1", True, float("nan"), 1e999)),
    *(("peak_memory_kib", value) for value in (None, -1, 1.5)),
    *(("attempts", value) for value in (None, 0, 1.0)),
    ("more", 1),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_what_no_finding_says_is_none(name: str, value: Any) -> None:
    row = json.loads(write_finding(FOUND)) | {name: value}
    assert read_finding(json.dumps(row)) is None


def test_a_finding_that_lacks_a_field_is_none() -> None:
    row = asdict(FOUND)
    for name in row:
        assert read_finding(json.dumps({field: value for field, value in row.items() if field != name})) is None


@given(st.text() | st.builds(lambda depth: "[" * depth, st.integers(0, 10**5)))
def test_any_other_text_is_none(text: str) -> None:
    assert read_finding(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["passed", "run"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(FIELDS)), JSON)
def test_any_value_of_any_field_is_refused_or_comes_back(name: str, value: Any) -> None:
    row = json.loads(write_finding(PASSED)) | {name: value}
    finding = read_finding(json.dumps(row))
    if finding is not None:
        assert json.loads(write_finding(finding)) == row
        assert finding.outcome == "passed"
        assert all(test["passed"] for test in finding.tests)
