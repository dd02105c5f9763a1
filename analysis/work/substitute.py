"""What does the work of a deprecated API in a program that does without: other APIs, the program itself, or nothing.

The reference solution is the measure: what it calls and does besides the deprecated API has work of its own to do.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from ..tree.names import Walk
from ..tree.syntax import parse, text_of
from ..uses.resolution import Resolver
from ..uses.standard_library import standing
from .kinds import can_stand_in, is_known, signs_by_hand
from .result import part_of_result

Substitute = Literal["other_api", "reimplementation", "not_needed"]

_SIGNS = {  # by the kind of a node; more than one where it does more
    "boolean_operator": "logic",
    "class_definition": "class",
    "conditional_expression": "condition",
    "delete_statement": "delete",
    "dictionary": "dictionary",
    "dictionary_comprehension": "comprehension dictionary",
    "dictionary_splat": "star",
    "elif_clause": "condition",
    "float": "number",
    "for_statement": "for",
    "generator_expression": "comprehension",
    "if_statement": "condition",
    "interpolation": "format",
    "lambda": "lambda",
    "list": "list",
    "list_comprehension": "comprehension list",
    "list_splat": "star",
    "not_operator": "logic",
    "set": "set",
    "set_comprehension": "comprehension set",
    "slice": "slice",
    "string": "text",
    "try_statement": "try",
    "tuple": "tuple",
    "while_statement": "while",
    "yield": "yield",
}
_COMPARISONS = {
    **dict.fromkeys(("<", "<=", ">", ">="), "order"),
    **dict.fromkeys(("==", "!=", "<>", "is", "is not"), "equal"),
    **dict.fromkeys(("in", "not in"), "in"),
}
_OPERATIONS = frozenset({"augmented_assignment", "binary_operator", "unary_operator", "comparison_operator"})


@dataclass(frozen=True, slots=True)
class Work:
    """The APIs that what a program gives depends on, and the signs of what it does itself; how often each stands."""

    apis: Counter[str]
    signs: Counter[str]


def substitute_for(api: str, program: str, reference: str, entry_point: str, beside: str = "") -> Substitute:
    """Return what does the work of `api` in `program`, which passes as `reference` does; `beside` is no substitute.

    other_api: another API that may do such work flows into the result, oftener than into the reference's.
    reimplementation: syntax that does such work stands in what the result depends on, oftener than in the reference.
    not_needed: neither.
    """
    own, given = read_work(program, entry_point), read_work(reference, entry_point)
    more = own.apis - given.apis
    if any(other not in (api, beside) and can_stand_in(other, api) for other in more):
        return "other_api"
    return "reimplementation" if signs_by_hand(api) & (own.signs - given.signs).keys() else "not_needed"


def read_work(program: str, entry_point: str) -> Work:
    """Return what the result of `entry_point` in `program` depends on."""
    root = parse(program)
    walk = Walk(root)
    part, resolver = part_of_result(walk, root, entry_point), Resolver(walk)
    apis: Counter[str] = Counter()
    for site in part.sites:
        stops = resolver.follow(site)
        for stop in stops:
            origins = {origin.path for origin in stop.origins if origin.kind == "api"}
            origins = {path for path in origins if standing(path) != "module"}
            method = f".{stop.attribute}"
            if stop.kind == "attribute" and not origins and (stop.call or stop is stops[-1]) and is_known(method):
                origins = {method}
            apis.update(origins)
    signs = Counter(sign for node in part.nodes for sign in signs_of(node))
    signs["recursion"] = int(part.recursive)
    return Work(apis, +signs)


def signs_of(node: Node) -> Iterator[str]:
    """Yield what the program does by `node` itself; operators by their own signs."""
    if node.type in _OPERATIONS:
        yield from _operators(node)
    elif node.type == "assignment":
        target = node.child_by_field_name("left")
        yield from ("store",) if target is not None and target.type == "subscript" else ()
    elif node.type == "subscript":
        yield from () if any(part.type == "slice" for part in node.children_by_field_name("subscript")) else ("index",)
    elif node.type == "attribute":
        name = node.child_by_field_name("attribute")
        yield from ("class",) if name is not None and text_of(name) == "__class__" else ()
    elif node.type in _SIGNS:
        yield from _SIGNS[node.type].split()


def _operators(node: Node) -> Iterator[str]:
    if node.type == "comparison_operator":
        yield from (_COMPARISONS[child.type] for child in node.children if child.type in _COMPARISONS)
        return
    operator = node.child_by_field_name("operator")
    sign = text_of(operator).removesuffix("=") if operator else ""
    if node.type != "unary_operator" or sign == "~":
        yield sign
    elif sign == "-":
        operand = node.child_by_field_name("argument")
        yield "minus" if operand is not None and operand.type in ("integer", "float") else "negative"
