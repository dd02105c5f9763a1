"""Chains, `a.b(c)[d]`: the expressions that can name an API, as a root and the steps from it."""

from typing import NamedTuple

from tree_sitter import Node

from .patterns import matches
from .scopes import Scope
from .syntax import parts_of


class Site(NamedTuple):
    """An expression that may name an API: the outermost node of a chain of attributes, calls and subscripts.

    `stored`: the chain is the target of an assignment or a deletion. `applied`: its value is called though no call
    node says so (decorators, `print x`, a call that was never closed). `always`: runs whenever the program loads.
    """

    node: Node
    scope: Scope
    stored: bool = False
    applied: bool = False
    always: bool = False


class Step(NamedTuple):
    """One link of a chain: the attribute's name, the call's arguments, or the subscript as a whole.

    `whole` is the chain up to and with this link, `inner` what the link is applied to.
    """

    kind: str  # attribute, call or item
    node: Node
    whole: Node
    inner: Node


def chain_of(node: Node) -> tuple[Node, list[Step]]:
    """Take `a.b(c)[d]` apart: the root (`a`), and the steps from it in the order in which they run."""
    steps: list[Step] = []
    while (link := _link(node)) is not None:
        inner, step = link
        steps += [step] if step else []
        node = inner
    return node, steps[::-1]


def _link(node: Node) -> tuple[Node, Step | None] | None:
    """Return what `node` is applied to, if it is a link, and the step that it takes; parentheses take none."""
    if node.type == "parenthesized_expression":
        within = next(parts_of(node), None)
        return (within, None) if within else None
    for kind, parts in matches("chains", node) if node.type in _LINKS else ():
        inner: Node | None = parts["inner"]
        if inner and inner.type == "list_splat":  # the grammar reads `[*x.a]` as `[(*x).a]`
            inner = next(parts_of(inner), None)
        return (inner, Step(kind, parts.get("what", node), node, inner)) if inner else None
    return None


_LINKS = frozenset({"attribute", "call", "subscript"})  # other nodes need not be held against the query
CHAINS = _LINKS | {"identifier", "parenthesized_expression"}
