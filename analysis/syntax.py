"""Programs as tree-sitter trees: any text parses, and broken parts become ERROR nodes."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser

MAX_PROGRAM_BYTES = 2**20  # what lies beyond is not read: no model writes it, and reading stays bounded

_LINE_END = re.compile(r"\r\n?")


@cache
def _language() -> Language:
    return Language(tree_sitter_python.language())


def parse(program: str) -> Node:
    """Return the root of the tree of `program`, whatever it holds; line ends count as Python counts them.

    Lone surrogates, which UTF-8 cannot carry, are read as question marks.
    """
    source = _LINE_END.sub("\n", program[:MAX_PROGRAM_BYTES]).encode("utf-8", "replace")
    return Parser(_language()).parse(source[:MAX_PROGRAM_BYTES]).root_node


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
