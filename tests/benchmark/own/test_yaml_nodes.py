"""A hand-written YAML mapping: its values and their lines, and every way in which a file holds none."""

from pathlib import Path

import pytest

from edittool.benchmark.own.yaml_nodes import read_yaml_mapping
from edittool.schemas.errors import InputError


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text)
    return path


def test_values_and_their_lines(tmp_path: Path) -> None:
    text = "# first\na: 1\nb:\n  - c: x\n    d:\n      - 2024-01-31\n  - {c: y}\n"
    data, lines = read_yaml_mapping(written(tmp_path, text))
    assert data == {"a": 1, "b": [{"c": "x", "d": ["2024-01-31"]}, {"c": "y"}]}
    assert lines == {
        (): 2,
        ("a",): 2,
        ("b",): 3,
        ("b", 0): 4,
        ("b", 0, "c"): 4,
        ("b", 0, "d"): 5,
        ("b", 0, "d", 0): 6,
        ("b", 1): 7,
        ("b", 1, "c"): 7,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty. Write one `field: value` a line."),
        ("- a: 1\n", "line 1: fields are needed"),
        ("text\n", "line 1: fields are needed"),
        ("a: 1\nb: [1\n", "line 3: broken YAML"),
        ("a: 1\na: 2\n", "line 2: the field 'a' stands twice"),
        ("a:\n  - b: 1\n    b: 2\n", "line 3: the field 'b' stands twice"),
        ("a: 1\n2: 3\n", "line 2: the field '2' is no text"),
        ("a: !!binary aGk=\n", "a value is neither text, number nor list"),
        ("&x\na: *x\n", "a value is neither text, number nor list"),
    ],
)
def test_what_is_no_mapping_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_yaml_mapping(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
