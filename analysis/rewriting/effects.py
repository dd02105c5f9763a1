"""Side effects: expressions without any can be evaluated in another order, and no program notices."""

from collections.abc import Sequence
from typing import Literal

from tree_sitter import Node

from ..tree.syntax import text_of

# rebinds: names may mean something else afterwards. changes: only the objects that they stand for may be different.
Effect = Literal["none", "changes", "rebinds"]

_CONSTANTS = frozenset({"integer", "float", "true", "false", "none", "ellipsis", "lambda"})
_WRAPPERS = frozenset({"keyword_argument", "parenthesized_expression", "unary_operator"})
_REBINDING = frozenset({"named_expression", "yield", "await"})
# Functions and methods that change what they are called on, or depend on what was called before.
CHANGING = frozenset(
    """
    add append appendleft choice choices clear discard extend heapify heappop heappush heappushpop heapreplace input
    insert insort next pop popitem popleft print randint random randrange read readline remove reverse sample send
    setattr setdefault shuffle sort uniform update write __next__
    """.split()
)


def ordered(parts: Sequence[Node]) -> list[int]:
    """Return which of `parts`, evaluated one after the other, have to keep their order among themselves.

    A program's own functions are taken to have no side effects.
    """
    effects = {_effect(part) for part in parts}
    if effects <= {"none"}:
        return []
    names_last = "rebinds" not in effects
    return [n for n, part in enumerate(parts) if not (is_constant(part) or (names_last and _is_name(part)))]


def is_constant(node: Node) -> bool:
    """Say whether evaluating `node` always gives the same, whatever ran before: a literal, or a lambda."""
    node = _unwrapped(node)
    strings = node.named_children if node.type == "concatenated_string" else [node]
    if all(string.type == "string" for string in strings):
        return all(part.type != "interpolation" for string in strings for part in string.children)
    return node.type in _CONSTANTS


def _is_name(node: Node) -> bool:
    return _unwrapped(node).type == "identifier"


def _unwrapped(node: Node) -> Node:
    while node.type in _WRAPPERS:
        node = node.child_by_field_name("value") or node.named_children[-1]
    return node


def _effect(node: Node) -> Effect:
    effect: Effect = "none"
    pending = [node]
    while pending:
        node = pending.pop()
        if node.type in _REBINDING:
            return "rebinds"
        if node.type == "call" and _function_name(node) in CHANGING:
            effect = "changes"
        if node.type != "lambda":
            pending.extend(node.named_children)
    return effect


def _function_name(call: Node) -> str:
    function = call.child_by_field_name("function")
    name = function.child_by_field_name("attribute") if function is not None else None
    return text_of(name or function) if function is not None else ""
