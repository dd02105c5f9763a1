"""jsonschema-rs and jsonschema: rows that the first one accepts are valid, and the second one decides the others."""

import copy
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edittool.schemas.validation import SCHEMAS, CompiledSchema, find_fault, load_schema

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
    "edit": {
        "name": "len",
        "method": "ft",
        "requests_sha256": SHA,
        "seconds": 0.5,
        "peak_memory_mib": None,
        "losses": [1.5, None],
        "changes": ["len"],
        "requests": 2,
        "target_tokens": 9,
        "nll_before": None,
        "nll_after": 0.5,
        "greedy_tokens_before": 0.0,
        "greedy_tokens_after": 1.0,
        "learned_before": 0,
        "learned_after": 2,
        "first_rank_before": 1.5,
        "first_rank_after": 1.0,
        "norm": None,
        "rounded": None,
    },
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
    "rejected": {"task_id": "T", "change_id": None, "reason": "duplicate", "detail": ""},
    "report": {
        "schema_version": 4,
        "edittool": "0.1.0",
        "bench": {"name": "b", "sha256": SHA},
        "verdicts": [{"path": "v.jsonl", "sha256": SHA, "rows": 1}],
        "journals": [],
        "counts": {"verdicts": 1, "duplicates": 0, "other_bench": 0},
        "options": {
            "resamples": 2000,
            "seed": 0,
            "baseline": None,
            "references": [],
            "only_taken": False,
            "solved_by_baseline": False,
        },
        "findings": [
            {"model": "m", "method": "ft", "regime": None, "world": "own", "step": 1, "text": "Model m: it is so."}
        ],
        "reading": "",
        "bounds": [],
        "notes": [""],
        "tables": [],
        "charts": [],
    },
    "document": {"text": ""},
    "plan": {
        "bench": "builtin",
        "samplings": [{"name": "x", "temperature": 0}],
        "judge": {"workers": 1},
        "methods": [{"method": "ft", "regimes": ["instant"]}],
    },
    "study": {
        "schema_version": 1,
        "plan": {"file": "p", "sha256": SHA},
        "bench": {"name": "b", "sha256": SHA},
        "model": {"name": "m", "sha256": None},
        "versions": {"python": "3"},
        "steps": [{"name": "x", "command": ["edit"], "inputs": {"bench": SHA}, "outputs": {"x": SHA}}],
        "kept": {},
    },
}

COMPILED = {name: CompiledSchema.of(load_schema(name)) for name in SCHEMAS}

DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]

numbers = st.sampled_from([0, 1, -1, 2, 1.0, 0.5, -0.5, -0.0, 1e308, 10**400, -(10**400), 2**63, 2**64])
texts = st.sampled_from(["", "x", "len", "a b", "passed", "é", "x\n", f"{SHA}\n", "\ud800", "\ud83d\ude00"])
lists = st.sampled_from([[], [1], [{}], ["\ud800"], DEEP])
objects = st.sampled_from([{}, {"x": -1}, {"\ud800": 1}, {"": "\ud800"}, {1: 2}, {"x": DEEP}])
not_json = st.sampled_from([float("nan"), float("inf"), float("-inf")])
odd = st.one_of(st.none(), st.booleans(), numbers, texts, lists, objects, not_json)
names = st.sampled_from(["solution", "x", "\ud800", ""])


def test_there_is_a_record_of_every_schema():
    assert RECORDS.keys() == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_good_record_is_accepted_at_once(name):
    assert COMPILED[name].surely_accepts(RECORDS[name])
    assert COMPILED[name].thorough.is_valid(RECORDS[name])


@pytest.mark.parametrize("name", SCHEMAS)
@given(data=st.data())
def test_the_answer_is_that_of_jsonschema(name, data):
    record = copy.deepcopy(RECORDS[name])
    for _ in range(data.draw(st.integers(0, 2))):
        damage(record, data)
    valid = COMPILED[name].thorough.is_valid(record)
    assert (find_fault(record, name) is None) == valid
    assert valid or not COMPILED[name].surely_accepts(record)


def damage(record: dict, data: st.DataObject) -> None:
    """Change, add or remove one thing somewhere in `record`."""
    place = record
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        new = [data.draw(names)] if isinstance(place, dict) else []
        key = data.draw(st.sampled_from([*keys, *new])) if keys or new else None
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


@pytest.mark.parametrize(
    "row",
    [
        {"task_id": "T", "completion": "\ud800"},
        {"task_id": "T", "completion": "", "own": {"\ud800": ["\ud800"]}},
        {"task_id": "T", "completion": "", "seed": 10**400},
        {"task_id": "T", "completion": "", "step": 1.0},
        {"task_id": "T", "completion": "", "own": float("nan")},
        {"task_id": "T", "completion": "", "own": DEEP},
        {"task_id": "T", "completion": "", 1: 2},
    ],
    ids=["surrogate", "surrogate key", "big", "whole float", "nan", "deep", "key that is no text"],
)
def test_rows_that_only_one_library_can_hold_are_valid(row):
    assert find_fault(row, "sample") is None


@pytest.mark.parametrize(
    ("value", "valid"), [(1, True), (1.0, True), (True, False), ("1", False), (None, False), (2, False)]
)
def test_a_constant_is_of_its_type(value, valid):
    schema = CompiledSchema.of({"const": 1})
    assert schema.surely_accepts(value) == schema.thorough.is_valid(value) == valid


@pytest.mark.parametrize("pattern", ["^[A-Za-z_]\\w*$", "^[0-9a-f]+$"])
@pytest.mark.parametrize("text", ["é", "aé", "a\n", "a\n\n", "a\u0660", "a\u2028", "", "a"])
def test_a_pattern_reads_no_more_than_with_jsonschema(pattern, text):
    schema = CompiledSchema.of({"pattern": pattern})
    assert schema.thorough.is_valid(text) or not schema.surely_accepts(text)


@pytest.mark.parametrize(
    "text", ["!!pairs [a: 1]", "!!omap [a: 1]", "!!set {a}", "!!binary YQ==", ".inf", "-.inf", ".nan"]
)
@pytest.mark.parametrize("field", load_schema("change")["properties"])
def test_values_of_yaml_alone_get_the_answer_of_jsonschema(field, text):
    row = RECORDS["change"] | {field: yaml.safe_load(text)}
    assert COMPILED["change"].thorough.is_valid(row) or not COMPILED["change"].surely_accepts(row)


class TestReferences:
    @pytest.mark.parametrize("name", SCHEMAS)
    def test_are_in_place_when_a_schema_is_loaded(self, name):
        assert '"$ref"' not in json.dumps(load_schema(name))

    @pytest.fixture
    def server(self) -> Iterator[tuple[str, list[str]]]:
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"type": "integer"}).encode())

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/schema.json", asked
            server.shutdown()

    def test_to_a_network_or_a_file_are_refused(self, server, tmp_path):
        url, asked = server
        (tmp_path / "schema.json").write_text('{"type": "integer"}')
        for place in (url, (tmp_path / "schema.json").as_uri(), "urn:edittool:schema:none:1"):
            with pytest.raises(ValueError, match="is not fetched"):
                CompiledSchema.of({"$ref": place})
            thorough = COMPILED["sample"].thorough.evolve(schema={"$ref": place})
            with pytest.raises(Exception, match="Unresolvable"):
                thorough.is_valid(1)
        assert asked == []
