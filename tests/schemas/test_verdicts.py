"""The words of verdicts are those of the schema and of the code that gives them; a record gives back its row."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from types import ModuleType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging import make_verdict
from edittool.judging.sandbox import outcome as findings
from edittool.sandbox_images.python.trusted import channel
from edittool.sandbox_images.python.trusted import tests as trial
from edittool.sandbox_images.python.untrusted import candidate
from edittool.schemas.json_text import dump_row, parse_json
from edittool.schemas.problems import Problem
from edittool.schemas.validation import find_fault, load_schema
from edittool.schemas.verdicts import (
    DETAILS_IN_WORDS,
    LABELS,
    LABELS_IN_WORDS,
    OUTCOMES_IN_WORDS,
    UNRESOLVED,
    ErrorKind,
    Isolation,
    LabelDetail,
    Outcome,
    Reused,
    Stage,
    Verdict,
)

FIELDS = load_schema("verdict")["properties"]


# ---- words


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("outcome", get_args(Outcome)),
        ("outcome", OUTCOMES_IN_WORDS),
        ("label", (*LABELS, None)),
        ("stage", get_args(Stage)),
        ("reused", get_args(Reused)),
        ("isolation", get_args(Isolation)),
    ],
)
def test_the_schema_knows_the_same_words_in_the_same_order(field, words):
    assert FIELDS[field]["enum"] == list(words)


def test_every_label_has_words():
    assert set(LABELS_IN_WORDS) == set(LABELS)
    assert list(LABELS_IN_WORDS) == list(DETAILS_IN_WORDS)


def test_every_detail_has_words_and_a_place_in_the_schema():
    assert {detail for details in DETAILS_IN_WORDS.values() for detail in details} == set(get_args(LabelDetail))
    told = "; ".join(f"{', '.join(details)} ({label})" for label, details in DETAILS_IN_WORDS.items())
    assert FIELDS["label_detail"]["description"].endswith(f": {told}.")


# ---- kinds of errors: those that the sandbox and the judge can produce, read from their sources

GIVING_KINDS = {"_kind", "_cause", "_death"}  # functions that return a kind, or a tuple that ends with one


def kinds_in(module: ModuleType) -> set[str]:
    """Return the kinds that stand in the source of `module`, wherever it makes an error."""
    tree = ast.parse(inspect.getsource(module))
    return {text for node in ast.walk(tree) for place in kind_places(node) for text in texts(place)}


def kind_places(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what gives a kind in this one node."""
    match node:
        case ast.FunctionDef(name=name) if name in GIVING_KINDS:
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
            yield from (one.elts[-1] if isinstance(one, ast.Tuple) else one for one in returned if one)
        case ast.Call(func=ast.Name("TrialEnd"), args=[kind, *_]):
            yield kind
        case ast.Call(func=ast.Name("_event"), args=[*_, kind]):
            yield kind
        case ast.Assign(targets=[ast.Name("kind")], value=kind):
            yield kind
        case ast.arg(arg="kind", annotation=ast.Subscript(value=ast.Name("Literal"), slice=kinds)):
            yield from kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "kind":
                    yield value


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def described(error: dict[str, Any]) -> set[str]:
    """Return the kinds that the description in a schema lists; what stands in brackets says more about them."""
    text = error["properties"]["kind"]["description"]
    return {kind.strip(" .") for kind in re.split("[,;]", re.sub(r"\([^)]*\)", "", text))}


OF_SANDBOX = kinds_in(candidate) | kinds_in(trial) | kinds_in(channel)
OF_JUDGE = kinds_in(findings) | kinds_in(make_verdict)
# That a process died is never the last word: the judge says by what, in the verdict and in the tests that it ended.
OF_VERDICTS = (OF_SANDBOX - {"died"}) | OF_JUDGE
OF_TESTS = OF_SANDBOX | (OF_JUDGE - {"sandbox", "tests", "no_program", "too_large"})


def test_every_kind_that_can_be_produced_is_known_and_described_and_no_other():
    assert set(get_args(ErrorKind)) == OF_VERDICTS | OF_TESTS
    assert described(FIELDS["error"]) == OF_VERDICTS
    assert described(FIELDS["tests"]["items"]["properties"]["error"]) == OF_TESTS


def test_the_trusted_process_knows_every_kind_that_the_candidate_s_reports():
    assert kinds_in(candidate) == trial._CANDIDATE_KINDS


def test_what_is_unresolved_can_be_produced():
    assert UNRESOLVED < OF_SANDBOX


# ---- the record


def test_a_verdict_may_have_every_field_of_a_sample_as_the_sample_has_it():
    of_samples = load_schema("sample")["properties"]
    assert {name: FIELDS.get(name) for name in of_samples} == of_samples


def test_the_record_has_every_field_of_the_schema():
    assert {field.name for field in fields(Verdict)} == {*FIELDS, "row"}


TEXT = st.text(st.characters(), max_size=5)  # lone surrogates too: JSON can hold them
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=3,
)


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Draw values that are valid under `schema`."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return st.one_of([values_of_type(name, schema) for name in types])


def values_of_type(name: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum", -(10**6)), min(schema.get("maximum", 10**6), 10**6)
    match name:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":  # JSON knows 1.0 for an integer
            return st.integers(least, most) | st.integers(least, most).map(float)
        case "number":
            return st.floats(least, most) | st.integers(least, most)
        case "string":
            return st.text(st.characters(), min_size=schema.get("minLength", 0), max_size=5)
        case "array":
            return st.lists(values_of(schema["items"]), max_size=2)
        case "object" if "properties" in schema:
            return objects_of(schema)
        case "object":
            return st.dictionaries(TEXT, values_of(schema.get("additionalProperties", {"enum": [0, ""]})), max_size=2)
    raise ValueError(name)


def objects_of(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = schema.get("required", ())
    values = {name: values_of(field) for name, field in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: values[name] for name in required},
        optional={name: value for name, value in values.items() if name not in required},
    )


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Draw rows of verdicts, their fields in any order, and among them some that edittool does not know."""
    known = draw(objects_of(load_schema("verdict")))
    others = draw(st.dictionaries(TEXT.filter(lambda name: name not in FIELDS), ANYTHING, max_size=2))
    return dict(draw(st.permutations(list({**others, **known}.items()))))


@given(rows())
def test_a_row_comes_back_byte_for_byte(row):
    assert find_fault(row, "verdict") is None
    read = parse_json(dump_row(row).encode("ascii"))
    verdict = Verdict.from_row(read)
    assert dump_row(verdict.to_row()) == dump_row(row)
    assert Verdict.from_row(verdict.to_row()) == verdict


@given(rows())
def test_an_attribute_is_what_the_row_says_or_empty(row):
    verdict = Verdict.from_row(row)
    for name in FIELDS:
        if name in row:
            assert getattr(verdict, name) == row[name]
        else:
            assert getattr(verdict, name) == 1 if name == "attempts" else not getattr(verdict, name)
    assert {type(verdict.sample_index), type(verdict.step)} <= {int, type(None)}


PROBLEM = Problem("t", "def f():\n", "f", "", (), "reliability", None)
REQUIRED = {
    "sample_id": "s",
    "task_id": "t",
    "compiles": True,
    "tests_passed": 1,
    "tests_total": 1,
    "outcome": "passed",
    "label": None,
}


@pytest.mark.parametrize(
    ("fields", "program"),
    [({}, None), ({"completion": "    return 1\n"}, "def f():\n    return 1\n"), ({"solution": ""}, "")],
)
def test_the_program_is_the_solution_or_follows_the_prompt(fields, program):
    assert Verdict.from_row(REQUIRED | fields).program(PROBLEM) == program
