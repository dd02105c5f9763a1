"""Where a program catches the failure of a name, an import or an attribute that is not there."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from ..tree.syntax import parse, parts_of, text_of

# What catches such a failure: an `except` of these, or of everything.
_CATCHES = re.compile(r"\b(?:AttributeError|BaseException|Exception|ImportError|ModuleNotFoundError|NameError)\b")
_SUPPRESS = re.compile(r"\bsuppress\b")


def lines_caught(program: str) -> frozenset[int]:
    """Return the 1-based lines on which an API that is not there raises nothing that leaves the program."""
    lines: set[int] = set()
    nodes = [parse(program)]
    while nodes:
        node = nodes.pop()
        if node.type in ("try_statement", "with_statement") and _catches(node):
            body = node.child_by_field_name("body")
            lines.update(range(body.start_point.row + 1, body.end_point.row + 2) if body else ())
        nodes += parts_of(node)
    return frozenset(lines)


def _catches(statement: Node) -> bool:
    if statement.type == "with_statement":
        clauses = [text_of(part) for part in parts_of(statement) if part.type == "with_clause"]
        return any(_SUPPRESS.search(clause) and _CATCHES.search(clause) for clause in clauses)
    return any(caught is None or _CATCHES.search(text_of(caught)) for caught in _caught(statement))


def _caught(statement: Node) -> Iterator[Node | None]:
    """Yield what each `except` names; None for one that names nothing."""
    for clause in parts_of(statement):
        if clause.type in ("except_clause", "except_group_clause"):
            yield next((part for part in parts_of(clause) if part.type != "block"), None)
