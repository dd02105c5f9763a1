"""The tree-sitter queries of `queries/`, asked of one node at a time.

Each pattern captures parts of the node that it describes, and says what that is: `(#set! is "call")`. Only the node
itself is held against the patterns: the time that a search of a whole tree takes grows with the square of its depth,
and programs are hostile.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from tree_sitter import Node, Query, QueryCursor

from .syntax import language

Match = tuple[str, Mapping[str, Node]]  # what a node is, and its parts by the names that the pattern gives them


class _Patterns(NamedTuple):
    query: Query
    kinds: list[str]


def matches(name: str, node: Node) -> list[Match]:
    """Return what the patterns of `queries/NAME.scm` say of `node`, in the order of its parts."""
    query, kinds = _load(name)
    cursor = QueryCursor(query)
    cursor.set_max_start_depth(0)
    return [
        (kinds[index], {part: nodes[0] for part, nodes in captures.items()}) for index, captures in cursor.matches(node)
    ]


@cache
def _load(name: str) -> _Patterns:
    query = Query(language(), files(__package__).joinpath("queries", f"{name}.scm").read_text(encoding="utf-8"))
    kinds = [query.pattern_settings(index)["is"] or "" for index in range(query.pattern_count)]
    return _Patterns(query, kinds)
