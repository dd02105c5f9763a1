import warnings

import pytest

from edittool.analysis.tree.syntax import evaluated_text, is_python, parse, source_of


def only_expression(program):
    return parse(program).named_children[0].named_children[0]


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("'len(x)'", "len(x)"),
        ("'a\\nb'", "a\nb"),
        ("r'\\n'", "\\n"),
        ("'a' \"b\"", "ab"),
        ("'''a\nb'''", "a\nb"),
        ("'\\d'", "\\d"),
        ("f'{x}'", None),
        ("b'a'", None),
        ("x", None),
        ("'\\x'", None),
        ("'\ud800'", "?"),
    ],
)
def test_evaluates_plain_string_literals(literal, expected):
    with warnings.catch_warnings(action="error"):  # what the program's literals deserve is not ours to say
        assert evaluated_text(only_expression(literal)) == expected


@pytest.mark.parametrize("program", ["x = 1", "", "x = '\\d'", "é = 1", "x = 1\r\n"])
def test_is_python(program):
    with warnings.catch_warnings(action="error"):
        assert is_python(program)


@pytest.mark.parametrize("program", ["x =", "print x", "\0", "(" * 1000, "'\ud800"])
def test_is_no_python(program):
    assert not is_python(program)


@pytest.mark.parametrize("program", ["a\r\nb\rc", "é = 'ü'", "'\ud800'", ""])
def test_the_places_of_nodes_are_places_in_the_source(program):
    root, source = parse(program), source_of(program)
    assert b"\r" not in source
    assert root.end_byte == len(source)
    assert all(source[node.start_byte : node.end_byte] == node.text for node in root.named_children)
