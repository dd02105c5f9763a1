"""Rewrites the candidate's syntax tree so that its world sees what it reaches for.

Attributes whose names a world watches are loaded through a guard. In a watched run every callee is looked at before it
is called, and so is every argument that may be a class: calls of types give no event that a profile hook would see.
Everything else stays as it is.
"""

from __future__ import annotations

import _ast

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Final

ATTRIBUTE: Final = "__edittool_attribute__"
CALLEE: Final = "__edittool_callee__"
ARGUMENT: Final = "__edittool_argument__"

# They ask of a class or function, and do not call it.
_ASKING: Final = frozenset(
    "isinstance issubclass type super print repr str id hash cast getattr hasattr setattr callable dir vars".split()
)
_NO_CLASS: Final = (
    _ast.Constant,
    _ast.JoinedStr,
    _ast.Lambda,
    _ast.List,
    _ast.Tuple,
    _ast.Dict,
    _ast.Set,
    _ast.ListComp,
    _ast.SetComp,
    _ast.DictComp,
    _ast.GeneratorExp,
    _ast.Compare,
    _ast.BinOp,
    _ast.UnaryOp,
)


def mentions(source: str | bytes, names: Collection[str]) -> bool:
    """Tell whether any of `names` may stand in `source`: else there is nothing to guard."""
    if not isinstance(source, str):
        return True  # a line of its own may say how its bytes are to be read
    # NFKC makes one name of many spellings.
    return not source.isascii() or any(name in source for name in names)


def guard(tree: Any, watched: Collection[str], *, annotations: bool, calls: bool) -> Any:
    """Rewrite `tree` in place, for the names in `watched`; with `annotations`, those are evaluated too.

    `calls`: look at what is called, and at classes that are handed to somebody who may call them.
    """
    unread = () if annotations else ("annotation", "returns")
    pending = [tree]
    while pending:
        node = pending.pop()
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                value[:] = [_guarded(item, watched) for item in value]
                pending += [item for item in value if isinstance(item, _ast.AST)]
            elif isinstance(value, _ast.AST) and field not in unread:
                guarded = _guarded(value, watched)
                setattr(node, field, guarded)
                pending.append(guarded)
        if calls:
            _guard_calls(node)
    return tree


def names_in_annotations(tree: Any) -> set[str]:
    """Return every name and attribute that the annotations in `tree` mention."""
    found = set()
    for node in walk(tree):
        for field in ("annotation", "returns"):
            annotation = getattr(node, field, None)
            if annotation is not None:
                found |= {name for inner in walk(annotation) if (name := _last_name(inner))}
    return found


def walk(tree: Any) -> list[Any]:
    """Return every node of `tree`."""
    nodes = [tree]
    for node in nodes:
        for field in node._fields:
            value = getattr(node, field, None)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, _ast.AST):
                    nodes.append(child)
    return nodes


def copy_tree(tree: Any) -> Any:
    """Return a copy of `tree`, which belongs to the candidate."""
    if isinstance(tree, list):
        return [copy_tree(item) for item in tree]
    if not isinstance(tree, _ast.AST):
        return tree
    copy = type(tree)(**{field: copy_tree(getattr(tree, field)) for field in tree._fields if hasattr(tree, field)})
    for name in tree._attributes:
        if hasattr(tree, name):
            setattr(copy, name, getattr(tree, name))
    return copy


def _guarded(node: Any, watched: Collection[str]) -> Any:
    if isinstance(node, _ast.Attribute) and node.attr in watched and isinstance(node.ctx, _ast.Load):
        return _call(ATTRIBUTE, node, [node.value, _ast.Constant(value=node.attr, **_position(node))])
    return node


def _guard_calls(node: Any) -> None:
    if isinstance(node, _ast.Call):
        called = _last_name(node.func)
        if called in (ATTRIBUTE, CALLEE, ARGUMENT):
            return
        node.func = _call(CALLEE, node.func, [node.func])
        if called not in _ASKING:
            node.args = [_argument(argument) for argument in node.args]
            for keyword in node.keywords:
                keyword.value = _argument(keyword.value)
    elif isinstance(node, _ast.FunctionDef | _ast.AsyncFunctionDef | _ast.ClassDef):
        node.decorator_list = [_call(CALLEE, decorator, [decorator]) for decorator in node.decorator_list]
        if isinstance(node, _ast.ClassDef):
            node.bases = [_argument(base) for base in node.bases]


def _argument(node: Any) -> Any:
    if isinstance(node, _ast.Starred):
        node.value = _call(ARGUMENT, node.value, [node.value])
        return node
    return node if isinstance(node, _NO_CLASS) else _call(ARGUMENT, node, [node])


def _last_name(node: Any) -> str | None:
    if isinstance(node, _ast.Name):
        return str(node.id)
    return str(node.attr) if isinstance(node, _ast.Attribute) else None


def _call(function: str, node: Any, arguments: list[Any]) -> Any:
    place = _position(node)
    return _ast.Call(func=_ast.Name(id=function, ctx=_ast.Load(), **place), args=arguments, keywords=[], **place)


def _position(node: Any) -> dict[str, Any]:
    # A tree that the candidate made need not say where it ends.
    return {name: getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
