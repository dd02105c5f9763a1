"""Reading other people's JSONL files: each fault names file, line, field and remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.source_rows import normalise_lines, read_source
from edittool.schemas.errors import InputError


def read(tmp_path, data):
    path = tmp_path / "data.jsonl"
    path.write_bytes(data)
    return list(read_source(path, "HumanEval"))


def test_rows_know_their_lines(tmp_path):
    rows = read(tmp_path, b'{"a": "x"}\r\n\n{"a": "\xc3\xa4\\u2028"}')
    assert [(row.line, row.text("a")) for row in rows] == [(1, "x"), (3, "ä\u2028")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty. Give the JSONL file of HumanEval"),
        (b"\n \n", "is empty"),
        (b'{"a": 1}\n{"a": }\n', "line 2: not a line of JSON"),
        (b"\x1f\x8b\x08\x00", "line 1: not a line of JSON"),
        (b"[1]\n", "line 1: a JSON object is needed, but this is a list"),
        (b"[" * 100_000, "line 1: not a line of JSON"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, data, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, data)
    assert str(tmp_path / "data.jsonl") in str(caught.value)
    assert message in str(caught.value)


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
