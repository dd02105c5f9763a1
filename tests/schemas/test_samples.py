"""Rows of samples as people publish them: what is mended, what is kept of it, and what stays an error."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.schemas.errors import RowsError
from edittool.schemas.json_text import dump_row, parse_json
from edittool.schemas.samples import NEEDED, SampleRows
from edittool.schemas.validation import find_fault, load_schema

GOOD: dict[str, Any] = {"task_id": "T/0", "completion": "    return 1\n"}
OURS = load_schema("sample")["properties"]


def read(path: Path, *lines: str) -> tuple[list[dict[str, Any]], SampleRows]:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    rows = SampleRows()
    return [row.data for row in rows.read(path)], rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "samples.jsonl"


def test_a_null_in_a_field_of_ours_is_an_absent_field(path: Path) -> None:
    nulls = {name: None for name in OURS if name not in GOOD}
    found, rows = read(path, json.dumps(GOOD | nulls), json.dumps(GOOD | nulls | {"theirs": None}))
    assert found == [GOOD, GOOD | {"theirs": None}]
    assert (rows.foreign, rows.unfit) == (Counter(), 0)


@pytest.mark.parametrize("row", [{"task_id": None, "completion": ""}, {"task_id": "T/0", "completion": None}])
def test_a_null_in_a_field_that_is_needed_is_a_missing_one(path: Path, row: dict[str, Any]) -> None:
    with pytest.raises(RowsError, match=r"line 1: .*(lacks the required field|needs exactly one of)"):
        read(path, json.dumps(row))


FOREIGN = [
    ("seed", ""),
    ("seed", 1.5),
    ("seed", True),
    ("model", {"name": "x"}),
    ("model", 7),
    ("step", "3"),
    ("step", -1),
    ("raw", ["a"]),
    ("extraction", "regex"),
    ("extraction", {"mode": "regex"}),
    ("edited", "len"),
    ("prompt_sha256", []),
]


@pytest.mark.parametrize(("name", "value"), FOREIGN)
def test_a_foreign_value_is_carried_under_its_own_name(path: Path, name: str, value: Any) -> None:
    found, rows = read(path, json.dumps(GOOD | {name: value}), json.dumps(GOOD))
    assert found == [GOOD | {"carried": {name: value}}, GOOD]
    assert rows.foreign == {name: 1}


def test_every_field_that_is_not_needed_may_be_foreign(path: Path, subtests: pytest.Subtests) -> None:
    for name in OURS.keys() - NEEDED:
        with subtests.test(name):
            assert read(path, json.dumps(GOOD | {name: [[]]}))[0] == [GOOD | {"carried": {name: [[]]}}]


@pytest.mark.parametrize(
    ("before", "after"),
    [({"score": 1}, {"score": 1, "seed": ""}), (3, {"carried": 3, "seed": ""}), (None, {"carried": None, "seed": ""})],
)
def test_what_was_carried_before_is_carried_on(path: Path, before: Any, after: dict[str, Any]) -> None:
    assert read(path, json.dumps(GOOD | {"seed": "", "carried": before}))[0] == [GOOD | {"carried": after}]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"completion": ["a", "b"]}, 'field "completion" must be a string, but it is an array'),
        ({"completion": 3}, 'field "completion" must be a string'),
        ({"sample_index": "3"}, 'field "sample_index" must be an integer'),
        ({"sample_index": -1}, 'field "sample_index" must be at least 0'),
        ({"active_changes": "len"}, 'field "active_changes" must be an array'),
        ({"active_changes": [None]}, r'field "active_changes\[0\]" must be a string'),
        ({"task_id": ["T/0"]}, 'field "task_id" must be a string'),
        ({"task_id": True}, 'field "task_id" must be a string'),
        ({"task_id": 1.5}, 'field "task_id" must be a string'),
        ({"task_id": -1}, 'field "task_id" must be a string'),
        ({"solution": "x"}, "exactly one of"),
    ],
)
def test_a_field_that_is_needed_stays_an_error(path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(RowsError, match=f"line 2: .*{message}"):
        read(path, json.dumps(GOOD), json.dumps(GOOD | more))


@pytest.mark.parametrize("number", [2, 2.0])
def test_a_task_id_may_be_a_number(path: Path, number: float) -> None:
    assert read(path, json.dumps(GOOD | {"task_id": number}))[0] == [GOOD | {"task_id": "2"}]


def test_numbers_that_json_does_not_have_are_carried_as_text(path: Path) -> None:
    line = '{"task_id": "T/0", "completion": "", "a": NaN, "b": [-Infinity, {"c": Infinity}], "d": 1e999, "e": 1e-999}'
    huge = "9" * 1001
    found, rows = read(path, line, f'{{"task_id": "T/0", "completion": "", "f": {huge}, "seed": NaN}}')
    assert found == [
        {"task_id": "T/0", "completion": "", "a": "NaN", "b": ["-Infinity", {"c": "Infinity"}], "d": "1e999", "e": 0.0},
        {"task_id": "T/0", "completion": "", "f": huge, "carried": {"seed": "NaN"}},
    ]
    assert rows.unfit == 6
    for row in found:
        assert parse_json(dump_row(row).encode()) == row


def test_what_was_read_is_read_again_in_the_same_way(path: Path) -> None:
    lines = [json.dumps(GOOD | {name: value}) for name, value in FOREIGN]
    lines += ['{"task_id": 2, "solution": "x", "completion": null, "p": NaN}', json.dumps(GOOD)]
    found, rows = read(path, *lines)
    assert [rows.parse(line.encode()) for line in lines] == found
    for line in ("", "[1]", "{", '"x"', "\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + "{"):
        assert rows.parse(line.encode("latin-1")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted([*OURS, "carried", "theirs"])), JSON, max_size=6))
def test_any_row_is_mended_to_a_valid_one_or_refused_for_what_it_needs(row: dict[str, Any]) -> None:
    parsed = SampleRows().parse(json.dumps(row).encode())
    assert parsed is not None
    fault = find_fault(parsed, "sample")
    assert fault is None or any(f'"{name}' in fault for name in NEEDED)
    if fault is None:
        assert parse_json(dump_row(parsed).encode()) == parsed
