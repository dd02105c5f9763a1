"""A user's own changes: JSONL with every field, or YAML with as few as a person wants to write.

    - deprecated: boltons.iterutils.chunked
      replacement: my_chunked
      shim: |
        from boltons import iterutils

        def my_chunked(*, src, size):
            return iterutils.chunked(src, size)

Fields that are left out are read from the shim. `usage` is then `function` for a method or a constant, `keyword_only`
where the shim takes nothing but keywords, else `renamed`, the one that claims least; `reordered` and `packed` have to
be said.
"""

import ast
import builtins
import keyword
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...analysis.uses.standard_library import canonical, is_class
from ...analysis.uses.uses import find_uses
from ...schemas.changes import ApiKind, Change, Usage
from ...schemas.errors import InputError
from ..python_source import NotPythonError, defined_names, parse_python
from ..usages.apis import UnchangeableApiError, UnknownApiError, find_api
from .rows import check_fields, read_own_rows
from .yaml_rows import LocatedRow

_NEEDED = ("deprecated", "replacement", "shim")
_METHOD_KINDS = ("builtin_method", "class_method", "module_constant")


def load_changes(path: Path) -> list[Change]:
    """Return the changes of a YAML file (`.yaml`, `.yml`: a list, or `changes:` with one) or of a JSONL file.

    Raises InputError, naming file, line and field, for a row that is not valid, a change that stands twice, a shim that
    does not define the replacement, names that cannot be what they are meant for, and examples that do not show them.
    """
    changes: list[Change] = []
    for row in read_own_rows(path, "change", _complete):
        change = Change.from_row(row.data)
        _check(row, change)
        _check_new(row, change, changes)
        changes.append(change)
    return changes


# What YAML may leave out


def _complete(row: LocatedRow) -> LocatedRow:
    """Return `row` with every field that a change has."""
    check_fields(row, "change", _NEEDED)
    if not all(isinstance(row.data[name], str) for name in _NEEDED):
        return row  # for the schema to refuse
    defaults = _defaults(row, **{name: row.data[name] for name in _NEEDED})
    return replace(row, data=defaults | dict(row.data))


def _defaults(row: LocatedRow, deprecated: str, replacement: str, shim: str) -> dict[str, Any]:
    _check_names(row, deprecated, replacement)
    definition = _definition(row, replacement, shim)
    kind = _find_kind(row, deprecated)
    arguments = _arguments(definition)
    signature = row.data.get("signature")
    if signature is None:
        if arguments is None:
            raise InputError(
                f'{row.at("shim")}: field "signature" is left out, and cannot be read from the shim, which does not '
                f"define {replacement!r} by def, or by class with __init__. Add it, as in {replacement}(a, b)."
            )
        signature = f"{replacement}({ast.unparse(arguments)})"
    return {
        "change_id": deprecated,
        "usage": _usage(deprecated, kind, arguments),
        "signature": signature,
        "doc": _first_line(definition) or f"Use {signature} in place of {deprecated}.",
        **({} if kind is None else {"kind": kind}),
    }


def _arguments(definition: ast.AST) -> ast.arguments | None:
    match definition:
        case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
            return arguments
        case ast.ClassDef(body=body):
            own = {node.name: node.args for node in body if isinstance(node, ast.FunctionDef)}
            return _without_self(own["__init__"]) if "__init__" in own else None
    return None


def _without_self(arguments: ast.arguments) -> ast.arguments:
    several = bool(arguments.posonlyargs)
    return ast.arguments(
        posonlyargs=arguments.posonlyargs[1:],
        args=arguments.args if several else arguments.args[1:],
        vararg=arguments.vararg,
        kwonlyargs=arguments.kwonlyargs,
        kw_defaults=arguments.kw_defaults,
        kwarg=arguments.kwarg,
        defaults=arguments.defaults,
    )


def _first_line(definition: ast.AST) -> str:
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ""
    return (ast.get_docstring(definition) or "").partition("\n")[0]


def _usage(deprecated: str, kind: ApiKind | None, arguments: ast.arguments | None) -> Usage:
    if kind in _METHOD_KINDS or (kind is None and is_class(deprecated.rpartition(".")[0])):
        return "function"
    if arguments is None or arguments.posonlyargs or arguments.args or arguments.vararg:
        return "renamed"
    return "keyword_only" if arguments.kwonlyargs else "renamed"


# What has to be right


def _check(row: LocatedRow, change: Change) -> None:
    _check_names(row, change.deprecated, change.replacement)
    _definition(row, change.replacement, change.shim)
    _find_kind(row, change.deprecated)
    for number, example in enumerate(change.examples):
        _check_example(row, f"examples[{number}].before", example.before, change.deprecated, change.replacement)
        _check_example(row, f"examples[{number}].after", example.after, change.replacement, change.deprecated)


def _check_names(row: LocatedRow, deprecated: str, replacement: str) -> None:
    where = f'{row.at("replacement")}: field "replacement"'
    if replacement == deprecated:
        raise InputError(f"{where} is the deprecated API itself, {deprecated!r}. Give the new API a name of its own.")
    if not replacement.isidentifier() or keyword.iskeyword(replacement):
        raise InputError(f"{where} must be a bare name, but {replacement!r} is none in Python. Choose another.")
    if hasattr(builtins, replacement):
        raise InputError(f"{where} is {replacement!r}, which is a builtin of Python already. Choose another name.")


def _definition(row: LocatedRow, replacement: str, shim: str) -> ast.AST:
    """Return the statement of the shim that defines the replacement."""
    try:
        names = defined_names(parse_python(shim))
    except NotPythonError as error:
        raise InputError(f'{row.at("shim", error.line)}: field "shim" is not Python ({error}). Repair it.') from None
    if replacement not in names:
        raise InputError(f'{row.at("shim")}: field "shim" does not define {replacement!r}. Define it there.')
    return names[replacement]


def _find_kind(row: LocatedRow, deprecated: str) -> ApiKind | None:
    """Return what a builtin or a member of the standard library is; None for another API, which the sandbox certifies.

    Nothing but the standard library is imported.
    """
    root = deprecated.partition(".")[0]
    own = "." in deprecated and not hasattr(builtins, root) and root not in sys.stdlib_module_names
    if own and all(part.isidentifier() and not keyword.iskeyword(part) for part in deprecated.split(".")):
        return None
    try:
        return find_api(deprecated).kind
    except UnchangeableApiError as error:
        if error.reason != "module":
            return None  # an own shim can stand in for what a made one cannot
        raise InputError(f'{row.at("deprecated")}: field "deprecated": {error}.') from None
    except UnknownApiError as error:
        raise InputError(f'{row.at("deprecated")}: field "deprecated": {error}') from None


def _check_example(row: LocatedRow, field: str, text: str, wanted: str, other: str) -> None:
    where = f'{row.at("examples")}: field "{field}"'
    try:
        parse_python(text)
    except NotPythonError as error:
        raise InputError(f"{where} is not Python ({error}). Repair it.") from None
    used = {use.name for use in find_uses(text, [wanted, other]) if use.kind != "definition"}
    if wanted not in used:
        raise InputError(f"{where} does not use {wanted}. Write it with the imports that a program needs.")
    if other in used:
        raise InputError(f"{where} uses {other}, but only {wanted} belongs there. Correct it.")


def _check_new(row: LocatedRow, change: Change, earlier: list[Change]) -> None:
    for other in earlier:
        for field in ("change_id", "deprecated", "replacement"):
            name: str = getattr(change, field)
            if canonical(name) == canonical(getattr(other, field)):
                what = "change" if field == "change_id" else f"{field} API"
                raise InputError(f"{row.at(field)}: the {what} {name!r} stands twice. Remove one.")
