"""The kinds of errors: what the sandbox and the judge can produce, read from their sources, is what the schema says."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from edittool.judging.sandbox import outcome as findings
from edittool.sandbox_images.python.trusted import channel
from edittool.sandbox_images.python.trusted import tests as trial
from edittool.sandbox_images.python.untrusted import candidate
from edittool.schemas.error_kinds import UNRESOLVED
from edittool.schemas.validation import load_schema

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


def described(text: str) -> set[str]:
    """Return the kinds that a description lists; what stands in brackets says more about them."""
    return {kind.strip(" .") for kind in re.split("[,;]", re.sub(r"\([^)]*\)", "", text))}


OF_TESTS = kinds_in(candidate) | kinds_in(trial) | kinds_in(channel)
# That a process died is never the last word: the judge says by what.
OF_VERDICTS = (OF_TESTS - {"died"}) | kinds_in(findings)


@pytest.mark.parametrize("of", ["verdicts", "tests"])
def test_every_kind_that_can_be_produced_is_described_and_no_other(of):
    properties = load_schema("verdict")["properties"]
    error = properties["error"] if of == "verdicts" else properties["tests"]["items"]["properties"]["error"]
    made = OF_VERDICTS if of == "verdicts" else OF_TESTS
    assert described(error["properties"]["kind"]["description"]) == made


def test_the_trusted_process_knows_every_kind_that_the_candidate_s_reports():
    assert kinds_in(candidate) == trial._CANDIDATE_KINDS


def test_what_is_unresolved_can_be_produced():
    assert UNRESOLVED < OF_TESTS
