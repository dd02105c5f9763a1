"""An API used as a value: with how many arguments its place calls it (`map(len, xs)`: one), or that this is open."""

from collections.abc import Mapping

from tree_sitter import Node

from ..tree.syntax import line_of, parts_of, text_of
from .call_rewrites import Reason, Refusal

# Functions that call what they are given: (function, position or keyword) -> number of arguments in each call.
_PLACES: dict[tuple[str, int | str], int] = {
    ("bisect.bisect", "key"): 1,
    ("bisect.bisect_left", "key"): 1,
    ("bisect.bisect_right", "key"): 1,
    ("bisect.insort", "key"): 1,
    ("bisect.insort_left", "key"): 1,
    ("bisect.insort_right", "key"): 1,
    ("collections.defaultdict", 0): 0,
    ("filter", 0): 1,
    ("functools.cmp_to_key", 0): 2,
    ("functools.reduce", 0): 2,
    ("heapq.merge", "key"): 1,
    ("heapq.nlargest", 2): 1,
    ("heapq.nlargest", "key"): 1,
    ("heapq.nsmallest", 2): 1,
    ("heapq.nsmallest", "key"): 1,
    ("iter", 0): 0,
    ("itertools.accumulate", 1): 2,
    ("itertools.accumulate", "func"): 2,
    ("itertools.dropwhile", 0): 1,
    ("itertools.filterfalse", 0): 1,
    ("itertools.groupby", 1): 1,
    ("itertools.groupby", "key"): 1,
    ("itertools.takewhile", 0): 1,
    ("list.sort", "key"): 1,
    ("max", "key"): 1,
    ("min", "key"): 1,
    ("re.sub", 1): 1,
    ("re.sub", "repl"): 1,
    ("sorted", "key"): 1,
}

# Builtin types that have a literal, and one of it that holds nothing.
SPECIMENS: Mapping[str, str] = {
    "bool": "False",
    "bytes": 'b""',
    "complex": "0j",
    "dict": "{}",
    "float": "0.0",
    "int": "0",
    "list": "[]",
    "set": "{*()}",
    "str": '""',
    "tuple": "()",
}

_TYPE_TESTS = ("isinstance", "issubclass")
_TYPE_PLACES = frozenset({"attribute", "subscript", "generic_type", "comparison_operator", "except_clause"})
_ALIASES = frozenset(
    {"assignment", "augmented_assignment", "named_expression", "default_parameter", "typed_default_parameter"}
)
_TYPE_GROUPS = frozenset({"parenthesized_expression", "tuple", "set", "list", "binary_operator", "as_pattern"})
_TARGETS = frozenset({"assignment", "augmented_assignment", "for_statement", "for_in_clause"})
_GROUPS = frozenset({"tuple", "list", "expression_list", "pattern_list", "tuple_pattern", "list_pattern"})


def arity_at(node: Node, called: Mapping[int, str]) -> int:
    """Return the number of arguments that the place of `node` calls it with; `called`: the APIs of calls, by node id.

    Raises Refusal where that is not known: type_use, aliased or value_use.
    """
    if is_type_use(node, called):
        raise _refusal("type_use", node, "is used as a type")
    place = _outside_parentheses(node)
    parent = place.parent
    if parent is not None and parent.type in _ALIASES:
        raise _refusal("aliased", node, "is given another name")
    arity = _arity_in_call(place, called)
    if arity is None:
        raise _refusal("value_use", node, "is used as a value, and with how many arguments it is called is not known")
    return arity


def is_stored(node: Node) -> bool:
    """Say whether `node` is assigned to or deleted."""
    place = _outside(node, _GROUPS | {"parenthesized_expression"})
    parent = place.parent
    if parent is None:
        return False
    target = parent.child_by_field_name("left") if parent.type in _TARGETS else None
    return place == target or parent.type in ("delete_statement", "as_pattern_target")


def _refusal(reason: Reason, node: Node, what: str) -> Refusal:
    return Refusal(reason, f"line {line_of(node)}: {text_of(node)} {what}")


def _outside(node: Node, kinds: frozenset[str]) -> Node:
    """Return the outermost of the nodes of `kinds` that lie directly around `node`, or `node`."""
    while node.parent is not None and node.parent.type in kinds:
        node = node.parent
    return node


def _outside_parentheses(node: Node) -> Node:
    return _outside(node, frozenset({"parenthesized_expression"}))


def is_type_use(node: Node, called: Mapping[int, str]) -> bool:
    """Say whether `node` is used as a type: isinstance, a base class, a comparison, list[int], dict.fromkeys."""
    place = _outside(node, _TYPE_GROUPS)
    parent = place.parent
    if parent is None:
        return False
    if parent.type in _TYPE_PLACES:
        return parent.child_by_field_name("attribute") != place and place not in parent.children_by_field_name(
            "subscript"
        )
    outer = parent.parent
    if outer is None:
        return False
    if outer.type == "class_definition" or (outer.type == "argument_list" and _is_base_list(outer)):
        return parent.type in ("argument_list", "keyword_argument")
    return parent.type == "argument_list" and called.get(outer.id) in _TYPE_TESTS


def _is_base_list(arguments: Node) -> bool:
    return arguments.parent is not None and arguments.parent.type == "class_definition"


def _arity_in_call(place: Node, called: Mapping[int, str]) -> int | None:
    keyword = place.parent if place.parent is not None and place.parent.type == "keyword_argument" else None
    arguments = (keyword or place).parent
    call = arguments.parent if arguments is not None and arguments.type == "argument_list" else None
    if arguments is None or call is None:
        return None
    function = called.get(call.id, "list.sort" if _is_sort(call) else "")
    if keyword is not None:
        name = keyword.child_by_field_name("name")
        return _PLACES.get((function, text_of(name))) if name else None
    return _arity_at_position(place, list(parts_of(arguments)), function)


def _is_sort(call: Node) -> bool:
    """Say whether `call` is x.sort(...): the method of any type that takes a key calls it as a list does."""
    function = call.child_by_field_name("function")
    attribute = function.child_by_field_name("attribute") if function is not None else None
    return attribute is not None and text_of(attribute) == "sort"


def _arity_at_position(place: Node, arguments: list[Node], function: str) -> int | None:
    position = arguments.index(place)
    positional = [argument for argument in arguments if argument.type != "keyword_argument"]
    if any(argument.type in ("list_splat", "dictionary_splat") for argument in positional):
        return None
    if function == "map":
        return len(positional) - 1 if position == 0 else None
    if function == "iter" and len(positional) != 2:
        return None
    return _PLACES.get((function, position))
