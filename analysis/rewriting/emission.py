"""Source text with nested replacements: an outer one swallows those inside it, the rest is copied byte for byte."""

from bisect import bisect_left
from typing import NamedTuple

from tree_sitter import Node


class _Replacement(NamedTuple):
    start: int
    end: int
    text: str


class Emission:
    """A source, and the text that stands for parts of it. Replace inner parts first."""

    def __init__(self, source: bytes):
        self.source = source
        self._replacements: list[_Replacement] = []  # in order, and none inside another

    def original(self, start: int, end: int) -> str:
        """Return the source from byte `start` to byte `end`."""
        return self.source[start:end].decode("utf-8")

    def text(self, start: int, end: int) -> str:
        """Return what stands from byte `start` to byte `end` by now."""
        parts: list[str] = []
        for replacement in self._replacements[slice(*self._inside(start, end))]:
            parts += (self.original(start, replacement.start), replacement.text)
            start = replacement.end
        return "".join([*parts, self.original(start, end)])

    def text_of(self, node: Node) -> str:
        """Return what stands for `node` by now."""
        return self.text(node.start_byte, node.end_byte)

    def whole(self) -> str:
        """Return the whole text."""
        return self.text(0, len(self.source))

    def replace(self, start: int, end: int, text: str) -> None:
        """Let `text` stand for everything from byte `start` to byte `end`, apart from a word that ends at `start`."""
        if text[:1].isidentifier() and _ends_word(self.source[start - 1 : start]):  # return"a".upper()
            text = f" {text}"
        self._replacements[slice(*self._inside(start, end))] = [_Replacement(start, end, text)]

    def _inside(self, start: int, end: int) -> tuple[int, int]:
        """Return where the replacements from `start` to `end` stand in the list."""
        first = bisect_left(self._replacements, start, key=lambda replacement: replacement.start)
        last = bisect_left(self._replacements, end, lo=first, key=lambda replacement: replacement.start)
        return first, last


def _ends_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"
