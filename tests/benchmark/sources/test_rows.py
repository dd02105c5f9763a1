"""Reading other people's JSONL files: each fault names file, line, field and remedy."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.sources.rows import normalise_lines, read_source
from edittool.schemas.errors import InputError


def read(tmp_path, data):
    path = tmp_path / "data.jsonl"
    path.write_bytes(data)
    return list(read_source(path, "HumanEval"))


def test_rows_know_their_lines(tmp_path):
    rows = read(tmp_path, b'{"a": "x"}\r\n\n{"a": "\xc3\xa4\\u2028"}')
    assert [(row.line, row.text("a")) for row in rows] == [(1, "x"), (3, "ä\u2028")]


WRONG_FILES = {
    "empty": (b"", "is empty. Give the JSONL file of HumanEval"),
    "blank": (b"\n \n", "is empty"),
    "no_json": (b'{"a": 1}\n{"a": }\n', "line 2: not a line of JSON"),
    "gzip": (
        gzip.compress(b'{"a": 1}', mtime=0),
        "is packed. Unpack it (gunzip data.jsonl) and give the JSONL file of HumanEval",
    ),
    "zip": (b"PK\x03\x04\x14\x00", "is packed. Unpack it (unzip data.jsonl)"),
    "parquet": (b"PAR1\x15\x04\x15", "is a Parquet file. Give HumanEval as JSONL"),
    "utf_16": (
        '{"a": 1}\n'.encode("utf-16"),
        "line 1: the text is not UTF-8 but looks like UTF-16. Convert it: iconv",
    ),
    "utf_16_le": ('{"a": 1}\n'.encode("utf-16-le"), "line 1: the text is not UTF-8 but looks like UTF-16"),
    "csv": (b"task_id,prompt\nHumanEval/0,def f\n", "line 1: not a line of JSON (Expecting value; it l"),
    "json_array": (
        b'[\n{"a": 1}\n]\n',
        "the file may be one JSON array). Give the JSONL file of HumanEval, one object per line",
    ),
    "no_utf_8": (b'{"a": "\xff"}\n', "line 1: not a line of JSON ('utf-8' codec"),
    "list": (b"[1]\n", "line 1: a JSON object is needed, but this is a list"),
    "deep": (b"[" * 100_000, "line 1: not a line of JSON"),
}


@pytest.mark.parametrize(("data", "message"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_file_is_named(tmp_path, data, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    assert str(tmp_path / "data.jsonl") in str(caught.value)
    assert message in str(caught.value)


def test_a_byte_order_mark_is_no_harm(tmp_path):
    (row,) = read(tmp_path, b'\xef\xbb\xbf{"a": "x"}\n')
    assert row.text("a") == "x"


def test_a_row_that_stands_twice_is_named_with_both_lines(tmp_path):
    with pytest.raises(InputError, match=r"line 4: task_id 7 stands on line 1 already. Remove one of them"):
        read(tmp_path, b'{"task_id": 7}\n{"task_id": "7"}\n\n{"task_id": 7}\n')


def test_rows_are_read_as_they_are_asked_for(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"a": 1}\nno JSON\n')
    rows = read_source(path, "HumanEval")
    assert next(rows).line == 1
    with pytest.raises(InputError, match="line 2"):
        next(rows)


ROWS = {
    "HumanEval": {"task_id": "HumanEval/0", "prompt": "", "entry_point": "f", "canonical_solution": "", "test": ""},
    "MBPP": {"task_id": 1, "text": "", "code": "", "test_list": [], "test_setup_code": ""},
    "MBPP+": {"task_id": 1, "prompt": "", "code": "", "test_list": [], "test": "", "test_imports": []},
    "HumanEval+": {"task_id": "HumanEval/0", "prompt": "", "base_input": [], "plus_input": []},
    "APPS": {"problem_id": 0, "question": "", "solutions": "", "input_output": ""},
}
OPTIONS = {"HumanEval": "--humaneval;", "MBPP": "--mbpp;", "APPS": "--apps;"}


@pytest.mark.parametrize("given_row", ROWS)
@pytest.mark.parametrize("source", ROWS)
def test_the_file_of_another_data_set_is_called_by_its_name(tmp_path, given_row, source):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(ROWS[given_row]))
    if given_row == source:
        assert len(list(read_source(path, source))) == 1
        return
    with pytest.raises(InputError) as caught:
        list(read_source(path, source))
    assert f"line 1: this looks like {given_row}, not {source} (fields: " in str(caught.value)
    assert f"Give it with {OPTIONS.get(given_row, '--')}" in str(caught.value)


def test_the_sanitized_mbpp_has_no_option(tmp_path):
    row = {"source_file": "x", "task_id": 2, "prompt": "", "code": "", "test_imports": [], "test_list": []}
    (tmp_path / "data.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match=r"looks like the sanitized MBPP, not MBPP .* No benchmark is built from that"):
        list(read_source(tmp_path / "data.jsonl", "MBPP"))


@pytest.mark.parametrize("name", ["absent.jsonl", "."])
def test_a_path_that_cannot_be_read_is_named(tmp_path, name):
    with pytest.raises(InputError, match="cannot be read"):
        list(read_source(tmp_path / name, "MBPP"))


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", "3"),
        ("text", "null"),
        ("texts", '"a"'),
        ("texts", "[]"),
        ("texts", "[1]"),
        ("number", '"1"'),
        ("number", "true"),
        ("number", "1.5"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(tmp_path, method, value):
    (row,) = read(tmp_path, f'{{"f": {value}}}'.encode())
    with pytest.raises(InputError, match=r'line 1: field "f" must be .* Repair or remove that row'):
        getattr(row, method)("f")


@given(st.text(st.sampled_from("a\r\n"), max_size=12))
def test_normalised_lines_have_newlines_alone_and_lose_none(text):
    normalised = normalise_lines(text)
    assert "\r" not in normalised
    assert normalised.count("\n") == text.count("\n") + text.count("\r") - text.count("\r\n")
    assert normalised.replace("\n", "") == text.replace("\n", "").replace("\r", "")
