"""Hand-written YAML: entries with their lines, and every way in which a file is none."""

from pathlib import Path

import pytest

from edittool.benchmark.own.yaml_rows import read_yaml_rows
from edittool.schemas.errors import InputError


def read(folder: Path, text: str | bytes) -> list[tuple[int, dict[str, object]]]:
    path = folder / "rows.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(row.line, dict(row.data)) for row in read_yaml_rows(path, "rows")]


def test_entries_and_their_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "# first\n- a: 1\n  b: x\n\n- {a: [2]}\n") == [(2, {"a": 1, "b": "x"}), (5, {"a": [2]})]
    assert read(tmp_path, "rows:\n  - a: 1\n") == [(2, {"a": 1})]


def test_fields_have_lines_and_those_of_a_block_count_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.yaml"
    path.write_text("- a: 1\n  b: |\n    one\n    two\n  c: >\n    one\n    two\n")
    (row,) = read_yaml_rows(path, "rows")
    assert [row.at(), row.at("a"), row.at("b"), row.at("b", 2), row.at("c", 2), row.at("none")] == [
        f"{path}, line {line}" for line in (1, 1, 3, 4, 5, 1)
    ]


def test_what_looks_like_a_date_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, "- a: 2024-01-31\n") == [(1, {"a": "2024-01-31"})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("- a: [1\n- b: 2\n", "line 2: broken YAML"),
        ("- a: !!python/object:os.system x\n", "line 1: a value is neither text, number nor list"),
        ("- a: !!binary aGk=\n", "line 1: a value is neither text, number nor list"),
        ("- &x\n  a: *x\n", "line 1: a value is neither text, number nor list"),
        ("\n- a: 1\n  a: 2\n", "line 3: the field 'a' stands twice"),
        ("- 1: 2\n", "line 1: the field '1' is no text"),
        ("- a\n", "line 1: an entry with fields is needed"),
        ("text\n", "line 1: a list of entries is needed"),
        ("[]\n", "line 1: a list of entries is needed"),
        ("rows: 3\n", "line 1: a list of entries is needed"),
        ("rows:\n- a: 1\nmore: 1\n", "nothing beside it"),
        ("other:\n- a: 1\n", "`rows:`"),
        ("- a: 1\n---\n- a: 2\n", "broken YAML"),
        (b"- a: \xff\n", "is not UTF-8, at byte 6"),
        ("- a: \x00\n", "broken YAML"),
    ],
)
def test_what_is_no_list_of_entries_is_named(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(tmp_path / "rows.yaml") in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_yaml_rows(tmp_path / "none.yaml", "rows"))
