"""A user's own changes: JSONL with every field, or YAML with as few as a person wants to write.

A synthetic change, whose replacement the shim defines:

    - deprecated: boltons.iterutils.chunked
      replacement: my_chunked
      shim: |
        from boltons import iterutils

        def my_chunked(*, src, size):
            return iterutils.chunked(src, size)

A real one, whose replacement the library has, and one in place, which keeps the name:

    - deprecated: semver.VersionInfo.isvalid
      replacement: semver.Version.is_valid
    - deprecated: ourlib.chunked
      old_signature: chunked(src, size)
      signature: chunked(src, *, length)

Fields that are left out are read from the shim or the signature. `usage` is then `function` for a method or a constant
that a shim replaces, `keyword_only` where the new way takes nothing but keywords, else `renamed`, the one that claims
least (in place: `reordered`); the others have to be said.
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
from ...schemas.changes import ApiKind, Change, Usage, bare_parameters
from ...schemas.errors import InputError
from ..python_source import NotPythonError, defined_names, parse_python
from ..usages.apis import UnchangeableApiError, UnknownApiError, find_api
from .rows import check_fields, read_own_rows
from .yaml_rows import LocatedRow

_TEXTS = ("deprecated", "replacement", "shim", "signature", "old_signature")
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
    check_fields(row, "change", ("deprecated",))
    data = dict(row.data)
    if not all(isinstance(data[name], str) for name in _TEXTS if name in data):
        return row  # for the schema to refuse
    if "replacement" not in data and "old_signature" in data:
        data["replacement"] = data["deprecated"]
    if "replacement" not in data:
        raise InputError(
            f"{row.at()}: this change lacks the field 'replacement'. Add `replacement: my_name` with a shim that "
            "defines it, `replacement: package.module.name` for what the library has, or `old_signature: ...` and "
            "`signature: ...` where the name stays."
        )
    whole = replace(row, data=data)
    _check_form(whole)
    return replace(row, data=_defaults(whole) | data)


def _check_form(row: LocatedRow) -> None:
    """Raise InputError for a change that has not what its form needs, or has what belongs to another."""
    deprecated, replacement, shim = (row.data.get(name, "") for name in ("deprecated", "replacement", "shim"))
    last = deprecated.rpartition(".")[2]
    where = f'{row.at("replacement")}: field "replacement"'
    if replacement == deprecated:
        missing = [name for name in ("old_signature", "signature") if name not in row.data]
        if missing == ["old_signature", "signature"] or (missing and "old_signature" in missing):
            raise InputError(
                f"{where} is the deprecated API itself, {deprecated!r}. Give the new API a name of its own; where the "
                f"name stays and its signature changes, add `old_signature: {last}(...)` and `signature: {last}(...)`."
            )
        if missing:
            raise InputError(
                f"{row.at()}: this change keeps the name {deprecated!r} and lacks the field 'signature'. Add how it is "
                f"called now: `signature: {last}(...)`."
            )
        return
    if "old_signature" in row.data:
        raise InputError(
            f'{row.at("old_signature")}: field "old_signature" belongs to a change that keeps the name. Remove it, or '
            f"write `replacement: {deprecated}`."
        )
    dotted = "." in replacement or hasattr(builtins, replacement)
    if not shim and not dotted:
        raise InputError(
            f"{row.at()}: this change lacks the field 'shim'. Add `shim: |` with a definition of {replacement!r}; or "
            "give the dotted name of what the library has, as in `replacement: package.module.name`."
        )
    if shim and "." in replacement:
        raise InputError(
            f"{where} is {replacement!r}, a dotted name, beside a shim. Remove the shim, where the library has that; "
            f"or give the shim's function a bare name, as in `replacement: my_{replacement.rpartition('.')[2]}`."
        )
    if shim and "adopt" in row.data:
        raise InputError(
            f'{row.at("adopt")}: field "adopt" names what a library has, and this change has a shim. Remove one.'
        )


def _defaults(row: LocatedRow) -> dict[str, Any]:
    deprecated, replacement, shim = (row.data.get(name, "") for name in ("deprecated", "replacement", "shim"))
    in_place = replacement == deprecated
    _check_names(row, deprecated, replacement, shim)
    kind = _find_kind(row, deprecated, must_exist=bool(shim) and not in_place)
    signature = row.data.get("signature")
    definition = _definition(row, _defined(deprecated, replacement), shim) if shim else None
    arguments = _arguments(definition) if definition is not None else None
    if signature is None and not shim:
        signature = f"{replacement}(...)"
    if signature is None:
        if arguments is None:
            raise InputError(
                f'{row.at("shim")}: field "signature" is left out, and cannot be read from the shim, which does not '
                f"define {replacement!r} by def, or by class with __init__. Add it, as in {replacement}(a, b)."
            )
        signature = f"{replacement}({ast.unparse(arguments)})"
    said = _first_line(definition) if definition is not None else ""
    called = f"Call it as {signature}." if in_place else f"Use {signature} in place of {deprecated}."
    return {
        "change_id": deprecated,
        "usage": _usage_in_place(row, signature) if in_place else _usage(deprecated, kind, arguments, bool(shim)),
        "signature": signature,
        "doc": said or called,
        **({} if kind is None else {"kind": kind}),
    }


def _defined(deprecated: str, replacement: str) -> str:
    """Return the name that a shim has to define."""
    return deprecated.rpartition(".")[2] if replacement == deprecated else replacement


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


def _usage_in_place(row: LocatedRow, signature: str) -> Usage:
    parameters = _parameters(row, "signature", signature)
    return "keyword_only" if parameters.startswith("*, ") else "reordered"


def _parameters(row: LocatedRow, field: str, signature: str) -> str:
    try:
        return bare_parameters(signature)
    except (SyntaxError, ValueError):
        name = signature.partition("(")[0].strip() or "name"
        raise InputError(
            f'{row.at(field)}: field "{field}" is none: {signature!r}. Write it as in `{field}: {name}(a, *, b)`.'
        ) from None


def _usage(deprecated: str, kind: ApiKind | None, arguments: ast.arguments | None, shim: bool) -> Usage:
    if not shim:
        return "renamed"
    if kind in _METHOD_KINDS or (kind is None and is_class(deprecated.rpartition(".")[0])):
        return "function"
    if arguments is None or arguments.posonlyargs or arguments.args or arguments.vararg:
        return "renamed"
    return "keyword_only" if arguments.kwonlyargs else "renamed"


# What has to be right


def _check(row: LocatedRow, change: Change) -> None:
    if change.form != "synthetic":
        _check_form(row)
    _check_names(row, change.deprecated, change.replacement, change.shim)
    for number, name in enumerate(change.adopt):
        if name in (change.deprecated, change.replacement):
            raise InputError(f'{row.at("adopt")}: field "adopt[{number}]" is {name!r} again. Remove it.')
    if change.old_signature:
        _parameters(row, "old_signature", change.old_signature)
        _parameters(row, "signature", change.signature)
    if change.shim:
        _definition(row, _defined(change.deprecated, change.replacement), change.shim)
    _find_kind(row, change.deprecated, must_exist=change.form == "synthetic")
    for number, example in enumerate(change.examples):
        other = "" if change.form == "in_place" else change.replacement
        _check_example(row, f"examples[{number}].before", example.before, change.deprecated, other)
        other = "" if change.form == "in_place" else change.deprecated
        _check_example(row, f"examples[{number}].after", example.after, change.replacement, other)


def _check_names(row: LocatedRow, deprecated: str, replacement: str, shim: str) -> None:
    where = f'{row.at("replacement")}: field "replacement"'
    parts = replacement.split(".")
    if replacement == deprecated:
        return
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        what = "a bare name" if shim else "a dotted name"
        raise InputError(f"{where} must be {what}, but {replacement!r} is none in Python. Choose another.")
    if shim and len(parts) > 1:
        raise InputError(f"{where} must be a bare name, since a shim defines it, but it is {replacement!r}.")
    if shim and hasattr(builtins, replacement):
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


def _find_kind(row: LocatedRow, deprecated: str, *, must_exist: bool) -> ApiKind | None:
    """Return what a builtin or a member of the standard library is; None for another API, which the sandbox certifies.

    Nothing but the standard library is imported. What a library really removed need not exist any more.
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
        if not must_exist:
            return None
        raise InputError(f'{row.at("deprecated")}: field "deprecated": {error}') from None


def _check_example(row: LocatedRow, field: str, text: str, wanted: str, other: str) -> None:
    where = f'{row.at("examples")}: field "{field}"'
    try:
        parse_python(text)
    except NotPythonError as error:
        raise InputError(f"{where} is not Python ({error}). Repair it.") from None
    used = {use.name for use in find_uses(text, [name for name in (wanted, other) if name]) if use.kind != "definition"}
    if wanted not in used:
        raise InputError(f"{where} does not use {wanted}. Write it with the imports that a program needs.")
    if other in used:
        raise InputError(f"{where} uses {other}, but only {wanted} belongs there. Correct it.")


def _check_new(row: LocatedRow, change: Change, earlier: list[Change]) -> None:
    for other in earlier:
        fields = ("change_id", "deprecated", *(["replacement"] if change.form == "synthetic" else []))
        for field in fields:
            name: str = getattr(change, field)
            if canonical(name) == canonical(getattr(other, field)):
                what = "change" if field == "change_id" else f"{field} API"
                raise InputError(f"{row.at(field)}: the {what} {name!r} stands twice. Remove one.")
