"""Rewrites the candidate's syntax tree so that its world sees what it reaches for.

Attributes whose names a world watches are loaded through a guard; what a class pattern captures is looked at before
the case is taken; and a callee that is no plain name is looked at before it is called, as are classes got by
`type(x)` that are called, or handed to somebody who calls them. Everything else stays as it is.
"""

from __future__ import annotations

import _ast

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, Final

ATTRIBUTE: Final = "__edittool_attribute__"
CAPTURED: Final = "__edittool_captured__"
CALLEE: Final = "__edittool_callee__"
ARGUMENT: Final = "__edittool_argument__"

# Whoever gets a class as an argument and calls it.
_CALLERS: Final = frozenset(
    {"map", "filter", "starmap", "partial", "defaultdict", "reduce", "sorted", "accumulate", "__call__", "__new__"}
)
_CALLER_KEYWORDS: Final = frozenset({"key", "default_factory"})
# Types whose instances are code: what they are made of is looked at.
_CODE_TYPES: Final = frozenset({"FunctionType", "LambdaType", "CodeType"})


def mentions(source: str | bytes, names: Collection[str]) -> bool:
    """Tell whether any of `names` stands in `source`: else there is nothing to guard."""
    text = source if isinstance(source, str) else source.decode("utf-8", "replace")
    # NFKC makes one name of many spellings.
    return not text.isascii() or any(name in text for name in names)


def guard(tree: Any, watched: Collection[str], *, annotations: bool) -> Any:
    """Rewrite `tree` in place, for the names in `watched`; with `annotations`, those are evaluated too."""
    _Guard(watched, _class_names(tree), annotations=annotations).visit(tree)
    return tree


def names_in_annotations(tree: Any) -> set[str]:
    """Return every name and attribute that the annotations in `tree` mention."""
    found = set()
    for node in walk(tree):
        for field in ("annotation", "returns"):
            annotation = getattr(node, field, None)
            if annotation is not None:
                found |= {name for inner in walk(annotation) for name in _spelled(inner)}
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


def _spelled(node: Any) -> tuple[str, ...]:
    if isinstance(node, _ast.Name):
        return (node.id,)
    return (node.attr,) if isinstance(node, _ast.Attribute) else ()


def _class_names(tree: Any) -> set[str]:
    """Return the names that may be given the class of some value: all that the program gives anything, if it asks."""
    names, asks = set(), False
    for node in walk(tree):
        if isinstance(node, _ast.Name) and isinstance(node.ctx, _ast.Store):
            names.add(node.id)
        elif isinstance(node, _ast.Attribute) and isinstance(node.ctx, _ast.Store):
            names.add(node.attr)
        elif isinstance(node, _ast.arg):
            names.add(node.arg)
        asks = asks or _is_class_of(node) or (isinstance(node, _ast.Name) and node.id == "type")
    return names if asks else set()


def _is_class_of(node: Any) -> bool:
    """Tell whether `node` reads `type(x)` or `x.__class__`."""
    if isinstance(node, _ast.Call):
        return isinstance(node.func, _ast.Name) and node.func.id == "type" and len(node.args) == 1
    return isinstance(node, _ast.Attribute) and node.attr == "__class__"


class _Guard:
    def __init__(self, watched: Collection[str], class_names: Collection[str], *, annotations: bool):
        self._watched = watched
        self._class_names = class_names
        self._unread = () if annotations else ("annotation", "returns")

    def visit(self, tree: Any) -> None:
        pending = [tree]
        while pending:
            node = pending.pop()
            for field in node._fields:
                value = getattr(node, field, None)
                if isinstance(value, list):
                    value[:] = [self._replaced(item) for item in value]
                    pending += [item for item in value if isinstance(item, _ast.AST)]
                elif isinstance(value, _ast.AST) and field not in self._unread:
                    replaced = self._replaced(value)
                    setattr(node, field, replaced)
                    pending.append(replaced)
            if isinstance(node, _ast.Call):
                self._guard_call(node)
            elif isinstance(node, _ast.match_case):
                _guard_case(node)

    def _replaced(self, node: Any) -> Any:
        if isinstance(node, _ast.Attribute) and node.attr in self._watched and isinstance(node.ctx, _ast.Load):
            return _call(ATTRIBUTE, node, [node.value, _constant(node.attr, node)])
        return node

    def _guard_call(self, call: Any) -> None:
        if self._is_doubtful(call.func) or _replaces_code(call):
            call.func = _call(CALLEE, call.func, [call.func])
        if _last_name(call.func) in _CALLERS:
            call.args = [_call(ARGUMENT, item, [item]) if self._may_be_class(item) else item for item in call.args]
        for keyword in call.keywords:
            if keyword.arg in _CALLER_KEYWORDS and self._may_be_class(keyword.value):
                keyword.value = _call(ARGUMENT, keyword.value, [keyword.value])

    def _is_doubtful(self, function: Any) -> bool:
        if isinstance(function, _ast.Call):
            # What the guards return is looked at by themselves.
            return _last_name(function.func) not in {ATTRIBUTE, CALLEE, ARGUMENT}
        return (
            isinstance(function, _ast.Subscript | _ast.IfExp | _ast.NamedExpr | _ast.Await)
            or self._is_class(function)
            or _last_name(function) in _CODE_TYPES
        )

    def _may_be_class(self, node: Any) -> bool:
        return self._is_class(node) or (bool(self._class_names) and isinstance(node, _ast.Call | _ast.Subscript))

    def _is_class(self, node: Any) -> bool:
        return _is_class_of(node) or _last_name(node) in self._class_names


def _replaces_code(call: Any) -> bool:
    """Tell whether `call` may be of a code object's `replace`."""
    return _last_name(call.func) == "replace" and any(
        keyword.arg is None or keyword.arg.startswith("co_") for keyword in call.keywords
    )


def _guard_case(case: Any) -> None:
    """Look at what the class patterns of `case` capture before it is taken."""
    names = {
        inner.name
        for pattern in walk(case.pattern)
        if isinstance(pattern, _ast.MatchClass)
        for inner in walk(pattern)
        if isinstance(inner, _ast.MatchAs | _ast.MatchStar) and inner.name
    }
    if not names:
        return
    place = case.pattern
    loads = [_ast.Name(id=name, ctx=_ast.Load(), **_position(place)) for name in sorted(names)]
    looked = _call(CAPTURED, place, loads)
    if case.guard is not None:
        looked = _ast.BoolOp(op=_ast.And(), values=[looked, case.guard], **_position(place))
    case.guard = looked


def _last_name(node: Any) -> str | None:
    spelled = _spelled(node)
    return spelled[0] if spelled else None


def _call(function: str, node: Any, arguments: list[Any]) -> Any:
    place = _position(node)
    return _ast.Call(func=_ast.Name(id=function, ctx=_ast.Load(), **place), args=arguments, keywords=[], **place)


def _constant(value: str, node: Any) -> Any:
    return _ast.Constant(value=value, **_position(node))


def _position(node: Any) -> dict[str, Any]:
    # A tree that the candidate made need not say where it ends.
    return {name: getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
