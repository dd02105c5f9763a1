"""Packed files and values of JSON: bounds that hold, and what is written can be read again."""

import gzip
import json
import math
import os
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.samples.importing import opening
from edittool.samples.importing import values as values_of
from edittool.samples.importing.opening import Passed, documents
from edittool.samples.importing.values import values, writable
from edittool.schemas.errors import InputError
from edittool.schemas.json_text import dump_row, parse_json


def read_all(path):
    return [value.data for document in documents(path, Passed()) for value in values(document)]


def test_what_expands_beyond_the_bounds_is_refused_on_the_way(tmp_path, monkeypatch, subtests):
    monkeypatch.setattr(opening, "MAX_EXPANDED", 100_000)
    monkeypatch.setattr(opening, "MAX_TOTAL", 250_000)
    row = json.dumps({"a": "x" * 1000}) + "\n"
    small, large = (row * 90).encode(), (row * 200).encode()
    for name, contents, refused in [
        ("one.gz", gzip.compress(small, mtime=0), False),
        ("one.gz", gzip.compress(large, mtime=0), True),
        ("a.zip", {"a.jsonl": small, "b.jsonl": small}, False),
        ("a.zip", {"a.jsonl": large}, True),
        ("a.zip", {"a.jsonl.gz": gzip.compress(large, mtime=0)}, True),
        ("a.zip", {f"{n}.jsonl": small for n in range(3)}, True),
        ("a.zip", {f"{n}.jsonl.gz": gzip.compress(small, mtime=0) for n in range(3)}, True),
    ]:
        with subtests.test(name=name, size=len(contents)):
            path = tmp_path / name
            if isinstance(contents, bytes):
                path.write_bytes(contents)
            else:
                with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                    for member, content in contents.items():
                        archive.writestr(member, content)
            if refused:
                with pytest.raises(InputError, match=r"expands to .*unpack it yourself"):
                    read_all(path)
            else:
                assert read_all(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip", "one.gz"]


def test_a_value_over_many_lines_has_a_bound_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(values_of, "MAX_VALUE", 1000)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"a": 1}] * 200, indent=1))
    with pytest.raises(InputError, match="Make lines of it"):
        read_all(path)


def faults_and_values(path):
    (document,) = documents(path, Passed())
    return [(value.line, value.reason if value.fault else value.data) for value in values(document)]


def test_a_row_too_long_is_a_fault_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(values_of, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "a.jsonl"
    for size in (999, 1000, 1001, 2000, 5000):
        path.write_text('{"a": 1}\n' + json.dumps({"a": "x" * size}) + '\n\n{"a": 2}\n{"a": "' + "y" * size)
        assert faults_and_values(path) == [(1, {"a": 1}), (2, "too_long"), (4, {"a": 2}), (5, "too_long")]
    path.write_text(json.dumps([{"a": "x" * 900}] * 5))  # one value is no row
    assert len(read_all(path)[0]) == 5


FIRST_LINES = [
    ("cut short", '{"a": "x\n{"a": 1}\n', [(1, "broken_json"), (2, {"a": 1})]),
    ("cut short behind a comma", '{"a": 1,\n{"a": 1}\n', [(1, "broken_json"), (2, {"a": 1})]),
    ("more behind it", '{"a": 1} x\n{"a": NaN}', [(1, "broken_json"), (2, {"a": math.nan})]),
    ("blank lines", '\n\nnothing\n\n{"a": 1}\n7\nx\n', [(3, "broken_json"), (5, {"a": 1}), (6, 7), (7, "broken_json")]),
    ("an array", '[\n{"a": 1}\n]\n', [(1, [{"a": 1}])]),
    ("an object", '{"a":\n{"b": 1}\n}\n', [(1, {"a": {"b": 1}})]),
    ("two on a line", '{"a": 1} {"a": 2}\n{"a": 3}\n', [(1, {"a": 1}), (1, {"a": 2}), (2, {"a": 3})]),
]


def test_a_broken_first_line_is_one_fault(tmp_path, subtests):
    path = tmp_path / "a.jsonl"
    for name, content, right in FIRST_LINES:
        with subtests.test(name=name):
            path.write_text(content)
            assert str(faults_and_values(path)) == str(right)  # NaN is not itself
    path.write_text('{"a": "x\n{"a": 1} y\n')
    with pytest.raises(InputError, match="line 1, column 9: broken JSON"):
        read_all(path)


def test_an_encrypted_member_is_named(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", '{"a": 1}\n')
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"a\.zip/a\.jsonl is encrypted"):
        read_all(path)


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no ordinary file"):
        read_all(tmp_path / "pipe")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_what_is_carried_can_be_written_and_read_again(row):
    made, unfit = writable(row)
    assert parse_json(dump_row(made).encode()) == made
    assert unfit == dump_unfit(row)


def dump_unfit(value):
    if isinstance(value, dict | list):
        return sum(map(dump_unfit, value.values() if isinstance(value, dict) else value))
    return int(isinstance(value, float) and not math.isfinite(value))


@given(rows=st.lists(st.dictionaries(st.text(), st.integers() | st.text(), min_size=1), min_size=1, max_size=5))
@pytest.mark.parametrize("indent", [None, 1])
def test_rows_are_read_as_they_were_written(rows, indent, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "rows.json"
    for text, right in [
        ("".join(json.dumps(row, indent=indent) + "\n" for row in rows), rows),
        (json.dumps(rows, indent=indent), [rows]),
    ]:
        path.write_text(text)
        assert read_all(path) == right


@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    for start in (b"", b"[", b"{}\n", opening.GZIP, opening.ZIP):
        path.write_bytes(start + content)
        told = "any.jsonl"
        with suppress(InputError):
            try:
                read_all(path)
            except InputError as error:
                told = str(error)
                raise
        assert "any.jsonl" in told
