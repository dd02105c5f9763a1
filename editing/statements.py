"""Statements of an API change: what its documentation would say, up to where the replacement is written.

Four forms that code models have read much of: a comment, a function with a docstring, an entry of a changelog, and a
diff of two lines. They are made of the change alone (its names, signature and line of documentation; the shim says how
its arguments went into the deprecated API), so they hold nothing of any problem.

Each form names the deprecated API with a space behind it, or at its end, so that its last token merges with nothing,
and ends with a word, after which the target begins with a space: no tokenizer of code joins the two. Two forms end with
the API's name, for an edit that is keyed on a prompt's last word is learned best: there, it is keyed on both.
"""

import ast
import builtins
import inspect
from collections.abc import Iterator
from types import MethodDescriptorType
from typing import NamedTuple

from ..schemas.changes import Change

OF_A_VALUE = frozenset({"builtin_method", "class_method"})  # called on a value, whose name stands before the dot


class Statement(NamedTuple):
    """A text that names the deprecated API, its `form`, and the `target` that follows it: a call, or a bare name."""

    form: str
    prompt: str
    target: str


class _Calls(NamedTuple):
    """One call in the old and in the new way, and the parameters of a function that makes it; "" where there are none.

    Where a signature cannot be read, or a shim does not tell, a call is shown by less: `f(...)`, or the name alone.
    """

    parameters: str
    old: str
    new: str


def statements_of(change: Change) -> list[Statement]:
    """Return a statement of `change` in each form, always in the same order."""
    calls, old, new = _calls(change), change.deprecated, change.replacement
    doc = " ".join(change.doc.split())
    name = old.rpartition(".")[2]
    return [
        Statement("comment", f"# To be called in place of {old}", f" {calls.new}"),
        Statement(
            "docstring",
            f'def {name}({calls.parameters}):\n    """{_quoted(doc)}\n\n    What {old} did, in the new way.\n    """\n'
            "    return",
            f" {calls.new}",
        ),
        Statement("changelog", f"## Removed\n\n- {old} is gone. {_sentence(doc)}Use in place of {old}", f" {new}"),
        Statement(
            "diff",
            f"Replace {old} where it was used\n\n-    return {calls.old}\n+    return",
            f" {calls.new}",
        ),
    ]


def _quoted(text: str) -> str:
    """Return `text` as it is written in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _sentence(text: str) -> str:
    return f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} " if text else ""


def _calls(change: Change) -> _Calls:
    signature = _signature(change.signature)
    if signature is None:
        return _Calls("", change.deprecated, change.replacement)
    required = list(_required(signature))
    declared, given = [one for one, _ in required], [one for _, one in required]
    names = [name.lstrip("*") for name in declared]
    optional = {one.arg for one in ast.walk(signature) if isinstance(one, ast.arg)} - set(names)
    old = _old_call(change, set(names), optional) or _elided(change, names)
    return _Calls(", ".join(declared), old, f"{change.replacement}({', '.join(given)})")


def _signature(text: str) -> ast.arguments | None:
    """Return the parameters of a signature like `f(a, *, b=1)`; None where it cannot be read."""
    _, bracket, rest = text.partition("(")
    try:
        tree = ast.parse(f"def f({rest}: ...") if bracket else None
    except (SyntaxError, ValueError):
        return None
    match tree:
        case ast.Module(body=[ast.FunctionDef(args=parameters)]):
            return parameters
    return None


def _required(signature: ast.arguments) -> Iterator[tuple[str, str]]:
    """Yield each parameter that has to be given, as it is declared and as it is handed on; and `*` parameters."""
    places = [*signature.posonlyargs, *signature.args]
    for one in places[: len(places) - len(signature.defaults)]:
        yield one.arg, one.arg
    if signature.vararg is not None and not signature.defaults:
        yield f"*{signature.vararg.arg}", f"*{signature.vararg.arg}"
    for one, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
        if default is None:
            yield one.arg, f"{one.arg}={one.arg}"


def _old_call(change: Change, required: set[str], optional: set[str]) -> str | None:
    """Return how the shim uses the deprecated API when it is given what it requires; None where that is not plain."""
    try:
        tree = ast.parse(change.shim)
    except (SyntaxError, ValueError):
        return None
    if change.kind == "module_constant":
        return change.deprecated
    bodies = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == change.replacement]
    for node in (node for body in bodies for node in ast.walk(body)):
        if isinstance(node, ast.Call) and required <= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}:
            called, arguments = ast.unparse(node.func), _arguments(node, required, optional)
            if arguments is not None and (called == change.deprecated or _is_its_method(change, called, required)):
                return _written(change, called, arguments)
    return None


def _is_its_method(change: Change, called: str, required: set[str]) -> bool:
    owner, _, name = called.rpartition(".")
    return change.kind in OF_A_VALUE and owner in required and name == change.deprecated.rpartition(".")[2]


def _written(change: Change, called: str, arguments: list[str]) -> str:
    """Return the call as people write it: a method of a builtin type is called on its value, text.split()."""
    owner, _, name = called.rpartition(".")
    found = inspect.getattr_static(getattr(builtins, owner, None), name, None) if called == change.deprecated else None
    if isinstance(found, MethodDescriptorType) and arguments and arguments[0].isidentifier():
        return f"{arguments[0]}.{name}({', '.join(arguments[1:])})"
    return f"{called}({', '.join(arguments)})"


def _arguments(call: ast.Call, required: set[str], optional: set[str]) -> list[str] | None:
    """Return the arguments that stand for what is required; None where others would go with them."""
    kept: list[str] = []
    left_out = False
    for value in call.args:
        bare = value.value if isinstance(value, ast.Starred) else value
        name = bare.id if isinstance(bare, ast.Name) else None
        if name in optional:
            left_out = True
        elif name not in required or left_out:
            return None
        else:
            kept.append(ast.unparse(value))
    for keyword in call.keywords:
        name = keyword.value.id if isinstance(keyword.value, ast.Name) else None
        if keyword.arg is None or name in optional:
            continue  # what is handed on as `**` are options
        if name not in required:
            return None
        kept.append(f"{keyword.arg}={name}")
    return kept


def _elided(change: Change, names: list[str]) -> str:
    owner, _, name = change.deprecated.rpartition(".")
    return f"{names[0] if names else owner}.{name}(...)" if change.kind in OF_A_VALUE else f"{change.deprecated}(...)"
