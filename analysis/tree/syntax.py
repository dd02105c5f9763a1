"""Programs as tree-sitter trees: any text parses, and broken parts become ERROR nodes."""

import ast
import re
import unicodedata
import warnings
from collections.abc import Iterator
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from .tokens import without_long_runs

MAX_PROGRAM_BYTES = 2**20  # what lies beyond is not read: no model writes it, and reading stays bounded

_NOT_PYTHON = (SyntaxError, ValueError, MemoryError, RecursionError)
_LINE_END = re.compile(r"\r\n?")


@cache
def language() -> Language:
    """Return tree-sitter's grammar of Python."""
    return Language(tree_sitter_python.language())


def parse(program: str) -> Node:
    """Return the root of the tree of `program`, whatever it holds; line ends count as Python counts them.

    Lone surrogates, which UTF-8 cannot carry, are read as question marks. See also `without_long_runs`.
    """
    return Parser(language()).parse(_encoded(without_long_runs(_in_lines(program)))).root_node


def source_of(program: str) -> bytes:
    """Return the bytes in which the nodes of `parse(program)` have their places."""
    return _encoded(_in_lines(program))


def _in_lines(program: str) -> str:
    return _LINE_END.sub("\n", program[:MAX_PROGRAM_BYTES])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:MAX_PROGRAM_BYTES]


def line_of(node: Node) -> int:
    """Return the 1-based line on which `node` starts."""
    return node.start_point.row + 1


def text_of(node: Node) -> str:
    """Return the source text of `node`; identifiers in the form in which Python compares them (NFKC)."""
    text = (node.text or b"").decode("utf-8", "replace")
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def parts_of(node: Node) -> Iterator[Node]:
    """Yield the named children of `node` that are not comments."""
    return (child for child in node.named_children if child.type != "comment")


def dotted_text(node: Node) -> str:
    """Return the dotted name `node`, without the blanks that Python allows in it."""
    return ".".join(map(text_of, parts_of(node))) or text_of(node)


def literal_text(node: Node | None) -> str | None:
    """Return the value of a plain string literal; None for anything else (an f-string, bytes, escapes)."""
    if node is None or node.type != "string":
        return None
    start, *middle, _end = node.children or [node, node]
    if text_of(start).rstrip("\"'").lower() not in ("", "r", "u"):
        return None
    if not middle:
        return ""
    content = middle[0]
    plain = len(middle) == 1 and content.type == "string_content" and not content.named_children
    return text_of(content) if plain else None


def first_argument(call: Node) -> Node | None:
    """Return the first argument of a call."""
    arguments = call.child_by_field_name("arguments")
    return next(parts_of(arguments), None) if arguments and arguments.type == "argument_list" else None


def evaluated_text(node: Node) -> str | None:
    """Return the value of a string literal, its escapes evaluated; None for anything else."""
    if node.type not in ("string", "concatenated_string"):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):  # '\\d': the program's business
            value = ast.literal_eval((node.text or b"").decode("utf-8", "replace"))
    except _NOT_PYTHON:
        return None
    return value if isinstance(value, str) else None


def is_python(program: str) -> bool:
    """Say whether the Python that runs this parses `program`."""
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(program)
    except _NOT_PYTHON:
        return False
    return True
