"""Statements of changes: they say what the shim does, and parse where they are Python; any tokenizer takes them."""

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.usages.designs import designs
from edittool.benchmark.usages.signatures import table
from edittool.editing.context import EditContext
from edittool.editing.locate_then_edit.token_rows import Reading
from edittool.editing.methods.ft import FtHparams, measure_ft
from edittool.editing.methods.grace import GraceHparams, measure_grace
from edittool.editing.model.tokenizers import load_tokenizer
from edittool.editing.requests import requests_for
from edittool.editing.statements import statements_of
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError

from .tokenizer_kinds import KINDS as TOKENIZERS

FORMS = ["comment", "docstring", "changelog", "diff"]


def every_design() -> Iterator[Change]:
    """Changes of every kind of API, in every way that the benchmark builder knows, and the built-in ones."""
    yield from load_builtin().changes.values()
    for api in table():
        try:
            yield from (design.change for design in designs(api))
        except InputError:
            continue  # not in this version of Python


ALL = list(every_design())


def test_the_set_is_large_and_of_all_kinds() -> None:
    assert len(ALL) > 500
    assert {change.kind for change in ALL} >= {
        "builtin_function", "builtin_type", "builtin_method", "class_method", "module_function", "module_class",
        "module_constant",
    }  # fmt: skip
    assert {change.usage for change in ALL} >= {"reordered", "keyword_only", "packed", "function"}


def test_each_form_names_the_old_api_and_then_the_new() -> None:
    for change in ALL:
        statements = statements_of(change)
        assert [one.form for one in statements] == FORMS
        for one in statements:
            assert re.search(rf"(?<![\w.]){re.escape(change.deprecated)}(\s|$)", one.prompt), one
            assert change.replacement not in one.prompt
            assert one.target.startswith(f" {change.replacement}")
            assert re.search(r"\w$", one.prompt)
            assert "\n" not in one.target


def test_what_is_python_parses() -> None:
    for change in ALL:
        comment, docstring, changelog, diff = statements_of(change)
        assert ast.parse(comment.prompt + comment.target).body == []
        (function,) = ast.parse(docstring.prompt + docstring.target).body
        assert isinstance(function, ast.FunctionDef)
        assert " ".join(change.doc.split()) in (ast.get_docstring(function) or "")
        old, new = (diff.prompt + diff.target).splitlines()[-2:]
        for line, sign in ((old, "-"), (new, "+")):
            assert line.startswith(f"{sign}    return ")
            ast.parse(line[1:].strip().removeprefix("return "))
        assert change.doc.split()[0] in changelog.prompt


class Recorder:
    """Stands for a module, an API or an argument: keeps what it is called with, under its dotted name."""

    def __init__(self, path: str, seen: list[Any]):
        self._path, self._seen = path, seen

    def __getattr__(self, name: str) -> "Recorder":
        if name.startswith("__"):
            raise AttributeError(name)
        return Recorder(f"{self._path}.{name}", self._seen)

    def __call__(self, *args: Any, **kwargs: Any) -> "Recorder":
        self._seen.append((self._path, args, kwargs))
        return Recorder(f"{self._path}()", self._seen)


def recorded(change: Change, code: str, arguments: dict[str, Any], seen: list[Any]) -> tuple[Any, ...]:
    """Return which API `code` reaches, and with which of `arguments`, in a world where all APIs are recorders."""

    def imported(name: str, *_: Any) -> Recorder:
        return Recorder(name.partition(".")[0], seen)

    seen.clear()
    head = change.deprecated.partition(".")[0]
    names = {"__builtins__": vars(builtins) | {"__import__": imported}, head: Recorder(head, seen)}
    exec(compile(change.shim, "shim", "exec"), names)
    got = eval(compile(code, "call", "eval"), names, arguments)
    if change.kind == "module_constant":
        return (got._path,)
    path, args, kwargs = seen[-1]  # what the shim checks before may be a recorder too
    if path in {f"{name}.{change.deprecated.rpartition('.')[2]}" for name in arguments}:  # a method on its value
        args, path = (arguments[path.partition(".")[0]], *args), change.deprecated
    given = {id(one) for value in arguments.values() for one in (value if isinstance(value, list) else [value])}
    kept = {name: value for name, value in kwargs.items() if id(value) in given}
    return path, [one for one in args if id(one) in given], kept


def test_both_calls_do_the_same_by_the_shim() -> None:
    """The two lines of the diff, run with the shim, reach the deprecated API with the same arguments."""
    told = 0
    for change in ALL:
        diff = statements_of(change)[3]
        old = diff.prompt.splitlines()[-2].removeprefix("-    return ")
        new = diff.target.strip()
        function = ast.parse(f"{statements_of(change)[1].prompt} 0").body[0]
        assert isinstance(function, ast.FunctionDef)
        named = [one.arg for one in [*function.args.args, *function.args.kwonlyargs]]
        several = function.args.vararg
        if "(...)" in old:
            continue  # no call is claimed
        for count in range(5):  # how many items a list has is the shim's own rule
            seen: list[Any] = []
            arguments: dict[str, Any] = {name: Recorder(name, seen) for name in named}
            if several is not None:
                arguments[several.arg] = [Recorder("one", seen), Recorder("two", seen)]
            if change.usage == "packed":
                arguments[named[0]] = [Recorder(f"item{number}", seen) for number in range(count)]
            try:
                by_new = recorded(change, new, arguments, seen)
            except TypeError:
                assert change.usage == "packed", change
                continue
            assert recorded(change, old, arguments, seen) == by_new, (change, old, new)
            told += 1
    assert told > 500


@pytest.mark.parametrize(
    ("fields", "old", "new"),
    [
        ({"signature": "whatever it takes"}, "math.sqrt", "my_math_sqrt"),
        ({"signature": "my_math_sqrt(*, value"}, "math.sqrt", "my_math_sqrt"),
        ({"signature": "my_math_sqrt(value: float = (1), /) -> float"}, "math.sqrt()", "my_math_sqrt()"),
        ({"shim": "def my_math_sqrt(*, value): return value ** 0.5\n"}, "math.sqrt(...)", "my_math_sqrt(value=value)"),
        ({"shim": "from lib import my_math_sqrt\n"}, "math.sqrt(...)", "my_math_sqrt(value=value)"),
        ({"shim": "this is no Python"}, "math.sqrt(...)", "my_math_sqrt(value=value)"),
        (
            {"shim": "def my_math_sqrt(*, value): return math.sqrt(value + 1)\n"},
            "math.sqrt(...)",
            "my_math_sqrt(value=value)",
        ),
        ({"deprecated": "str.split", "kind": "builtin_method"}, "value.split(...)", "my_math_sqrt(value=value)"),
    ],
)
def test_what_cannot_be_read_is_not_claimed(fields: dict[str, Any], old: str, new: str) -> None:
    change = replace(load_builtin().changes["math.sqrt"], **fields)
    diff = statements_of(change)[3]
    assert diff.prompt.endswith(f"-    return {old}\n+    return")
    assert diff.target == f" {new}"


@given(doc=st.text(max_size=40))
def test_any_documentation_stays_in_its_docstring(doc: str) -> None:
    change = replace(load_builtin().changes["math.sqrt"], doc=doc)
    docstring = statements_of(change)[1]
    text = docstring.prompt + docstring.target
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return  # in no file of Python
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert ast.unparse(function.body[-1]) == "return my_math_sqrt(value=value)"


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("kinds") / request.param
    TOKENIZERS[request.param](folder)
    return load_tokenizer("m", str(folder))


FT = FtHparams(layers=[0], rewrite_module_tmp="x", num_steps=1, lr=1e-3, profile="exact")
GRACE = GraceHparams(inner_params=["x"], edit_lr=1.0, n_iter=1, eps=1.0, profile="exact")


class TestEveryTokenizer:
    @pytest.mark.parametrize("fact_token", ["subject_last", "subject_first", "last"])
    def test_finds_the_subject_and_the_target_of_every_request(self, tokenizer: Any, fact_token: Any) -> None:
        """All requests of the built-in benchmark: no method refuses one, and the target is what is learned."""
        reading = Reading(tokenizer, "exact", fact_token, "never", target_join="ids")
        bench, context = load_builtin(), EditContext()
        for change in bench.changes.values():
            for subject in ("api", "function", "last_word"):
                for request in requests_for(bench, change, requests="all", subject=subject):  # type: ignore[arg-type]
                    bare = reading.value_rows(request, ["{}"])[0]
                    assert tokenizer.decode(bare.targets).strip() == request.target.strip()
                    assert len(reading.key_rows([request], ["{}", "x = 1. {}"])) == 2
                    for measure, hparams in ((measure_ft, FT), (measure_grace, GRACE)):
                        assert measure(None, tokenizer, request, hparams, context) > 0  # type: ignore[operator]

    def test_keeps_prompt_and_target_of_statements_apart(self, tokenizer: Any) -> None:
        """Of every API: the target begins with a token of its own, and so ends the API's name."""
        reading = Reading(tokenizer, "exact", "subject_last", "never", target_join="ids")
        for change in ALL:
            bench = Bench("one", {}, {change.change_id: change})
            for request in requests_for(bench, change, requests="statement", subject="api"):
                before, both = (
                    tokenizer(text)["input_ids"] for text in (request.prompt, request.prompt + request.target)
                )
                assert both[: len(before)] == before
                (row,) = reading.key_rows([request], ["{}"])
                assert tokenizer.decode(row.row.ids[: row.lookup + 1]).endswith(request.subject)
