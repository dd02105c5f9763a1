import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edittool.schemas.quick_check import compile_check
from edittool.schemas.validation import load_schema

SHA = "0" * 64
ERROR = {"type": "NameError", "message": "", "line": 3, "kind": "missing_name"}
RECORDS = {
    "problem": {
        "task_id": "T",
        "prompt": "",
        "entry_point": "f",
        "solution": "",
        "subset": "reliability",
        "change_id": None,
        "tests": [{"setup": "", "code": ""}],
        "uses": ["len"],
        "opaque": True,
    },
    "change": {
        "change_id": "len",
        "deprecated": "os.path.join",
        "replacement": "my_len",
        "usage": "renamed",
        "signature": "",
        "shim": "x",
        "doc": "",
        "order": 0,
        "kind": "builtin_method",
    },
    "manifest": {
        "schema_version": 1,
        "name": "b",
        "counts": {"problems": 1},
        "seed": None,
        "edittool": "",
        "files": {"problems.jsonl": SHA, "changes.jsonl": SHA},
        "sources": [{"name": "a", "sha256": SHA}],
    },
    "sample": {"task_id": "T", "completion": "", "edited": ["len"], "step": 1, "own": {"x": 1}},
    "verdict": {
        "sample_id": "a",
        "task_id": "T",
        "compiles": False,
        "tests_passed": 0,
        "tests_total": 1,
        "outcome": "failed",
        "label": None,
        "error": ERROR,
        "tests": [{"passed": False, "error": ERROR}],
        "uses": [{"name": "len", "kind": "call", "line": 1}],
        "calls": {"my_len": 1},
        "duration_ms": 0.5,
    },
}
CHECKS = {name: compile_check(load_schema(name)) for name in RECORDS}
VALIDATORS = {name: Draft202012Validator(load_schema(name)) for name in RECORDS}

odd = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.0, 0.5, -0.5, "", "x", "len", "a b", "passed", [], [1], [{}], {}, {"x": -1}]
)


@pytest.mark.parametrize("name", RECORDS)
def test_a_good_record_is_known_to_be_valid(name):
    assert VALIDATORS[name].is_valid(RECORDS[name])
    assert CHECKS[name](RECORDS[name])


@pytest.mark.parametrize("name", RECORDS)
@given(data=st.data())
def test_what_it_calls_valid_is_valid(name, data):
    record = copy.deepcopy(RECORDS[name])
    for _ in range(data.draw(st.integers(1, 2))):
        damage(record, data)
    if CHECKS[name](record):
        assert VALIDATORS[name].is_valid(record)


def damage(record: dict, data: st.DataObject) -> None:
    """Change, add or remove one thing somewhere in `record`."""
    place = record
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from([*keys, "solution"] if isinstance(place, dict) else keys)) if keys else None
        if key is None:
            return
        inner = place.get(key) if isinstance(place, dict) else place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    if data.draw(st.booleans()) and key in keys:
        del place[key]
    else:
        place[key] = copy.deepcopy(data.draw(odd))  # a list may be damaged further


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 2])
def test_a_constant_is_of_its_type(value):
    assert not compile_check({"const": 1})(value)
    assert compile_check({"const": 1})(1)


def test_an_unknown_keyword_is_left_to_jsonschema():
    check = compile_check({"not": {"required": ["a"]}, "maxItems": 1})
    assert check({})
    assert not check({"a": 1})
    assert not check([1, 2])
