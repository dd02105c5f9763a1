"""Chains, `a.b(c)[d]`: the expressions that can name an API, as a root and the steps from it."""

from typing import Literal, NamedTuple

from tree_sitter import Node

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

    kind: Literal["attribute", "call", "item"]
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
    fields = {"attribute": ("object", "attribute"), "call": ("function", "arguments")}
    if node.type in fields:
        inner, what = (node.child_by_field_name(name) for name in fields[node.type])
        if inner and inner.type == "list_splat":  # the grammar reads `[*x.a]` as `[(*x).a]`
            inner = next(parts_of(inner), None)
        kind: Literal["attribute", "call"] = "attribute" if node.type == "attribute" else "call"
        return (inner, Step(kind, what, node, inner)) if inner and what else None
    if node.type == "subscript":
        inner = node.child_by_field_name("value")
        return (inner, Step("item", node, node, inner)) if inner else None
    if node.type == "parenthesized_expression":
        inner = next(parts_of(node), None)
        return (inner, None) if inner else None
    return None


CHAINS = frozenset({"identifier", "attribute", "call", "subscript", "parenthesized_expression"})
