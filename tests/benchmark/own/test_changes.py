"""A user's own changes: what YAML may leave out, what is read in its place, and how everything wrong is named."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.own.changes import load_changes
from edittool.schemas.changes import Change, Example
from edittool.schemas.errors import InputError

SHIM = '''import toolz

def my_first(*, items):
    """Return the first item.

    More."""
    return toolz.first(items)
'''
FIRST: dict[str, Any] = {"deprecated": "toolz.first", "replacement": "my_first", "shim": SHIM}


def write(folder: Path, *entries: Any, name: str = "changes.yaml", key: str | None = None) -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump({key: list(entries)} if key else list(entries), sort_keys=False), encoding="utf-8")
    return path


def load(folder: Path, **fields: Any) -> Change:
    entry = {name: value for name, value in (FIRST | fields).items() if value is not None}
    (change,) = load_changes(write(folder, entry))
    return change


def test_three_fields_are_enough(tmp_path: Path) -> None:
    assert load(tmp_path) == Change(
        change_id="toolz.first",
        deprecated="toolz.first",
        replacement="my_first",
        usage="keyword_only",
        signature="my_first(*, items)",
        shim=SHIM,
        doc="Return the first item.",
    )
    assert "toolz" not in sys.modules


def test_what_is_given_is_kept(tmp_path: Path) -> None:
    given = {"change_id": "c", "usage": "packed", "signature": "my_first(x)", "doc": "d", "order": 3, "kind": "other"}
    row = load(tmp_path, **given).to_row()
    assert {name: row[name] for name in given} == given


@pytest.mark.parametrize("key", [None, "changes"])
@pytest.mark.parametrize("name", ["changes.yaml", "c.YML"])
def test_a_list_stands_alone_or_under_its_name(tmp_path: Path, key: str | None, name: str) -> None:
    assert len(load_changes(write(tmp_path, FIRST, name=name, key=key))) == 1


def test_yaml_says_the_same_as_json_lines(tmp_path: Path) -> None:
    changes = list(load_builtin().changes.values())
    read = load_changes(write(tmp_path, *(change.to_row() for change in changes), key="changes"))
    assert [replace(change, kind=None) for change in read] == [replace(change, kind=None) for change in changes]


def test_what_is_read_from_yaml_is_a_valid_row_of_json_lines(tmp_path: Path) -> None:
    examples = [{"before": "import toolz\ntoolz.first(x)", "after": "my_first(items=x)"}]
    change = load(tmp_path, examples=examples)
    path = tmp_path / "changes.jsonl"
    path.write_text(json.dumps(change.to_row()) + "\n", encoding="utf-8")
    assert load_changes(path) == [change]
    assert change.examples == (Example("import toolz\ntoolz.first(x)", "my_first(items=x)"),)


@pytest.mark.parametrize(
    ("deprecated", "definition", "usage"),
    [
        ("toolz.first", "def my_first(*, items): pass", "keyword_only"),
        ("toolz.first", "def my_first(items, *, n=1): pass", "renamed"),
        ("toolz.first", "def my_first(*items): pass", "renamed"),
        ("toolz.first", "def my_first(): pass", "renamed"),
        ("toolz.Box.first", "def my_first(box): pass", "function"),
        ("toolz.Box.first", "def my_first(*, box): pass", "function"),
        ("str.split", "def my_first(text): pass", "function"),
        ("collections.deque.append", "def my_first(*, items, value): pass", "function"),
        ("math.pi", "def my_first(): pass", "function"),
        ("math.sqrt", "def my_first(x): pass", "renamed"),
        ("len", "def my_first(*, x): pass", "keyword_only"),
    ],
)
def test_usage_is_inferred_from_what_the_api_is_and_the_shim_takes(
    tmp_path: Path, deprecated: str, definition: str, usage: str
) -> None:
    assert load(tmp_path, deprecated=deprecated, shim=definition).usage == usage


@pytest.mark.parametrize(
    ("definition", "signature"),
    [
        ("def my_first(a, /, b: int = 2, *c, d, **e) -> int: pass", "my_first(a, /, b: int=2, *c, d, **e)"),
        ("async def my_first(a): pass", "my_first(a)"),
        ("class my_first:\n    def __init__(self, a, b=()): pass", "my_first(a, b=())"),
        ("class my_first:\n    def __init__(self, /, a): pass", "my_first(a)"),
        ("class my_first:\n    def __init__(self): pass", "my_first()"),
    ],
)
def test_the_signature_is_the_shims(tmp_path: Path, definition: str, signature: str) -> None:
    change = load(tmp_path, shim=definition)
    assert change.signature == signature
    assert change.doc == f"Use {signature} in place of toolz.first."


def test_the_kind_of_python_s_own_api_is_known(tmp_path: Path) -> None:
    assert load(tmp_path, deprecated="str.split").kind == "builtin_method"
    assert load(tmp_path, deprecated="toolz.first").kind is None


WRONG = {
    "no_shim": ({"shim": None}, 1, "lacks the field 'shim'"),
    "misspelled": ({"usge": "renamed"}, 6, "the field 'usge' has no meaning. Did you mean 'usage'?"),
    "wrong_usage": ({"usage": "new"}, 6, 'field "usage" must be one of'),
    "wrong_type": ({"replacement": 3}, 2, 'field "replacement" must be a string'),
    "wrong_optional_type": ({"doc": 2020}, 6, 'field "doc" must be a string'),
    "shim_is_no_python": (
        {"shim": "x = 1\ny = 2\ndef f(:\n"},
        6,
        'field "shim" is not Python (invalid syntax, line 3)',
    ),
    "shim_defines_another": ({"shim": "def f(): pass\n"}, 4, "field \"shim\" does not define 'my_first'"),
    "no_signature": ({"shim": "from x import my_first\n"}, 4, 'field "signature" is left out'),
    "no_init": ({"shim": "class my_first: pass\n"}, 4, 'field "signature" is left out'),
    "same_names": ({"deprecated": "my_first"}, 2, "is the deprecated API itself, 'my_first'"),
    "keyword": ({"replacement": "lambda"}, 2, "'lambda' is none in Python"),
    "builtin": ({"replacement": "len", "shim": "def len(x): pass"}, 2, "which is a builtin of Python already"),
    "no_name": ({"replacement": "a-b"}, 2, "'a-b' is none in Python"),
    "dotted_beside_a_shim": ({"replacement": "a.b"}, 2, "Remove the shim, where the library has that; or give"),
    "adopt_beside_a_shim": ({"adopt": ["toolz.nth"]}, 6, "this change has a shim. Remove one"),
    "old_signature_beside_a_shim": (
        {"old_signature": "first(items)"},
        6,
        'field "old_signature" belongs to a change that keeps the name. Remove it, or write `replacement: toolz.first`',
    ),
    "no_builtin": ({"deprecated": "lenn"}, 1, "there is no API called 'lenn'"),
    "no_member": ({"deprecated": "math.sqr"}, 1, "'math' has no attribute 'sqr'"),
    "no_method": ({"deprecated": "str.splt"}, 1, "'str' has no attribute 'splt'"),
    "module": ({"deprecated": "os.path"}, 1, "only what is in a module can be changed"),
    "no_path": ({"deprecated": "toolz.2"}, 1, "is no name of an API"),
    "example_without_old": (
        {"examples": [{"before": "first(x)", "after": "my_first(items=x)"}]},
        8,
        'field "examples[0].before" does not use toolz.first',
    ),
    "example_without_new": (
        {"examples": [{"before": "import toolz\ntoolz.first(x)", "after": "x[0]"}]},
        8,
        'field "examples[0].after" does not use my_first',
    ),
    "example_with_both": (
        {"examples": [{"before": "import toolz\ntoolz.first(my_first)", "after": "my_first(items=x)"}]},
        8,
        'field "examples[0].before" uses my_first',
    ),
    "example_of_no_python": (
        {"examples": [{"before": "toolz.first(x", "after": "my_first(items=x)"}]},
        8,
        'field "examples[0].before" is not Python',
    ),
    "example_without_after": (
        {"examples": [{"before": "toolz.first(x)"}]},
        8,
        'field "examples[0]" lacks the required field "after"',
    ),
    "example_with_more": (
        {"examples": [{"before": "toolz.first(x)", "after": "my_first(items=x)", "why": "w"}]},
        8,
        'field "examples[0]" has the field "why"',
    ),
}


NO_REPLACEMENT = "lacks the field 'replacement'. Add `replacement: my_name` with a shim that defines it"
IN_PLACE = {"deprecated": "toolz.first", "old_signature": "first(items)", "signature": "first(*, items)"}
REAL = {"deprecated": "toolz.first", "replacement": "toolz.nth"}
# Changes without a shim: what a person wrote, the line that is named, and what is said.
WRONG_WITHOUT_SHIM = {
    "nothing_new": ({"deprecated": "toolz.first"}, 1, NO_REPLACEMENT),
    "a_bare_name": (
        REAL | {"replacement": "my_first"},
        1,
        "Add `shim: |` with a definition of 'my_first'; or give the dotted name of what the library has",
    ),
    "a_name_that_is_none": (REAL | {"replacement": "toolz.n th"}, 2, "must be a dotted name, but 'toolz.n th' is none"),
    "a_keyword_in_it": (REAL | {"replacement": "toolz.lambda.x"}, 2, "'toolz.lambda.x' is none in Python"),
    "no_old_signature": (
        {"deprecated": "toolz.first", "replacement": "toolz.first", "signature": "first(*, items)"},
        2,
        "where the name stays and its signature changes, add `old_signature: first(...)` and `signature: first(...)`",
    ),
    "neither_signature": (REAL | {"replacement": "toolz.first"}, 2, "Give the new API a name of its own; where"),
    "no_new_signature": (
        {"deprecated": "toolz.first", "old_signature": "first(items)"},
        1,
        "lacks the field 'signature'. Add how it is called now: `signature: first(...)`",
    ),
    "old_signature_of_a_real_one": (
        REAL | {"old_signature": "first(items)"},
        3,
        'field "old_signature" belongs to a change that keeps the name',
    ),
    "no_signature_at_all": (
        IN_PLACE | {"old_signature": "items"},
        2,
        "field \"old_signature\" is none: 'items'. Write it as in `old_signature: items(a, *, b)`",
    ),
    "a_torn_signature": (IN_PLACE | {"signature": "first(items"}, 3, 'field "signature" is none'),
    "a_signature_with_code": (IN_PLACE | {"signature": "first(a): pass #)"}, 3, 'field "signature" is none'),
    "adopt_is_no_list": (REAL | {"adopt": "toolz.second"}, 3, 'field "adopt" must be an array'),
    "adopt_of_no_name": (REAL | {"adopt": ["toolz second"]}, 3, 'field "adopt[0]" must match'),
    "adopt_of_itself": (REAL | {"adopt": ["toolz.nth"]}, 3, "field \"adopt[0]\" is 'toolz.nth' again. Remove it"),
    "adopt_of_the_old": (REAL | {"adopt": ["toolz.first"]}, 3, "is 'toolz.first' again. Remove it"),
    "misspelled": (REAL | {"adopts": ["toolz.x"]}, 3, "the field 'adopts' has no meaning. Did you mean 'adopt'?"),
    "new_signature": (
        IN_PLACE | {"new_signature": "f(x)"},
        4,
        "the field 'new_signature' has no meaning. Did you mean",
    ),
    "signature_is_a_list": (IN_PLACE | {"signature": ["items"]}, 3, 'field "signature" must be a string'),
    "a_module": ({"deprecated": "os.path", "replacement": "os.walk"}, 1, "only what is in a module can be changed"),
    "no_name_of_an_api": ({"deprecated": "toolz.2", "replacement": "toolz.nth"}, 1, 'field "deprecated" must match'),
    "an_example_without_the_new": (
        REAL | {"examples": [{"before": "import toolz\ntoolz.first(x)", "after": "x[0]"}]},
        5,
        'field "examples[0].after" does not use toolz.nth',
    ),
    "an_example_in_place": (
        IN_PLACE | {"examples": [{"before": "import toolz\ntoolz.first(x)", "after": "x[0]"}]},
        6,
        'field "examples[0].after" does not use toolz.first',
    ),
}


@pytest.mark.parametrize("case", WRONG_WITHOUT_SHIM)
def test_what_is_wrong_with_a_change_of_the_library_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    entry, line, message = WRONG_WITHOUT_SHIM[case]
    path = tmp_path / "changes.yaml"
    path.write_text(_dump(entry), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_changes(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}, line {line}: "), path.read_text() + str(caught.value)


SHIM_IN_PLACE = "import toolz\n\ndef first(*, items):\n    return toolz.first(items)\n"
FORMS = [
    (REAL, "real", "renamed", "toolz.nth(...)", "Use toolz.nth(...) in place of toolz.first."),
    (REAL | {"signature": "nth(n, seq)", "doc": "Take."}, "real", "renamed", "nth(n, seq)", "Take."),
    ({"deprecated": "math.fabs", "replacement": "abs"}, "real", "renamed", "abs(...)", None),
    ({"deprecated": "asyncio.gone", "replacement": "asyncio.run"}, "real", "renamed", "asyncio.run(...)", None),
    (IN_PLACE, "in_place", "keyword_only", "first(*, items)", "Call it as first(*, items)."),
    (IN_PLACE | {"replacement": "toolz.first"}, "in_place", "keyword_only", "first(*, items)", None),
    (IN_PLACE | {"signature": "first(n, items)"}, "in_place", "reordered", "first(n, items)", None),
    (IN_PLACE | {"shim": SHIM_IN_PLACE}, "in_place", "keyword_only", "first(*, items)", None),
    (IN_PLACE | {"deprecated": "str.split", "shim": "def split(s): pass"}, "in_place", "keyword_only", None, None),
]


@pytest.mark.parametrize(("entry", "form", "usage", "signature", "doc"), FORMS)
def test_a_change_of_what_a_library_has_needs_no_shim(
    tmp_path: Path, entry: dict[str, Any], form: str, usage: str, signature: str | None, doc: str | None
) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text(_dump(entry), encoding="utf-8")
    (change,) = load_changes(path)
    assert (change.form, change.usage, change.change_id) == (form, usage, entry["deprecated"])
    assert change.signature == (signature or change.signature)
    assert change.doc == (doc or change.doc)
    assert Change.from_row(change.to_row()) == change
    written = tmp_path / "changes.jsonl"
    written.write_text(json.dumps(change.to_row()) + "\n", encoding="utf-8")
    assert load_changes(written) == [change]


def test_two_real_changes_may_have_one_replacement(tmp_path: Path) -> None:
    path = tmp_path / "changes.yaml"
    path.write_text(_dump(REAL) + _dump(REAL | {"deprecated": "toolz.second"}), encoding="utf-8")
    assert [change.replacement for change in load_changes(path)] == ["toolz.nth"] * 2


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    """Lines are those of the file: the shim is a block, so that a line of it is a line of the file."""
    fields, line, message = WRONG[case]
    entry = FIRST | {"shim": "def my_first(*, items): pass\n# 2\n"} | fields
    path = tmp_path / "changes.yaml"
    path.write_text(_dump(entry), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_changes(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}, line {line}: "), path.read_text() + str(caught.value)


def _dump(entry: dict[str, Any]) -> str:
    """Write one entry with its shim as a block, the way a person does."""
    lines = []
    for name, value in entry.items():
        if name == "shim" and value is not None:
            lines += ["shim: |", *(f"  {line}" for line in value.splitlines())]
        elif name == "examples":
            lines += ["examples:", "  # pairs", *(f"  {line}" for line in yaml.safe_dump(value).splitlines())]
        elif value is not None:
            lines.append(f"{name}: {json.dumps(value)}")
    return "\n".join(("- " if number == 0 else "  ") + line for number, line in enumerate(lines)) + "\n"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({}, "the change 'toolz.first' stands twice"),
        ({"change_id": "other"}, "the deprecated API 'toolz.first' stands twice"),
        ({"deprecated": "toolz.second"}, "the replacement API 'my_first' stands twice"),
    ],
)
def test_nothing_stands_twice(tmp_path: Path, second: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_changes(write(tmp_path, FIRST, FIRST | second))


def test_twins_are_the_same_api(tmp_path: Path) -> None:
    twins = [
        {"deprecated": name, "replacement": f"my_{n}", "shim": f"def my_{n}(): pass"}
        for n, name in enumerate(("os.path.join", "posixpath.join"))
    ]
    with pytest.raises(InputError, match=r"'posixpath\.join' stands twice"):
        load_changes(write(tmp_path, *twins))


def test_json_lines_are_held_to_the_same(tmp_path: Path) -> None:
    row = load(tmp_path).to_row() | {"deprecated": "math.sqr"}
    path = tmp_path / "changes.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_changes(path)
    assert str(caught.value).startswith(f"{path}, line 1: field \"deprecated\": there is no API called 'math.sqr'")


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_line_of_a_shim_is_a_line_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, above: int, before: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.yaml"
    shim = "\n".join(["x = 1"] * before + ["def f(:"])
    path.write_text("# comment\n" * above + _dump(FIRST | {"shim": shim}), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_changes(path)
    wanted = path.read_text().splitlines().index("    def f(:") + 1
    assert str(caught.value).startswith(f"{path}, line {wanted}: ")
    assert f"line {before + 1})" in str(caught.value)
