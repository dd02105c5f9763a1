"""From-imports, and taking names out of them."""

from collections.abc import Sequence

from tree_sitter import Node

from ..tree.syntax import parts_of
from .emission import Emission


def drop_imports(names: Sequence[Node], emission: Emission) -> None:
    """Take `names`, children of from-imports, out of their statements.

    A statement that imports nothing else goes with its line; where something has to stand there, it becomes `pass`.
    """
    dropped = {name.id for name in names}
    statements = {name.parent.id: name.parent for name in names if name.parent is not None}
    emptied = {statement.id for statement in statements.values() if not _kept(statement, dropped)}
    for statement in statements.values():
        kept = _kept(statement, dropped)
        if kept:
            _keep(statement, kept, emission)
        elif _can_go(statement, emptied) and (line := _whole_lines(statement, emission)):
            emission.replace(*line, "")
        else:
            emission.replace(statement.start_byte, statement.end_byte, "pass")


def _kept(statement: Node, dropped: set[int]) -> list[Node]:
    return [name for name in statement.children_by_field_name("name") if name.id not in dropped]


def _keep(statement: Node, kept: Sequence[Node], emission: Emission) -> None:
    first = statement.children_by_field_name("name")[0]
    closing = ")" if statement.children[-1].type == ")" else ""
    names = ", ".join(emission.text_of(name) for name in kept) + closing
    emission.replace(first.start_byte, statement.end_byte, names)


def _can_go(statement: Node, emptied: set[int]) -> bool:
    """Say whether the block around `statement` holds anything that stays; a module may be empty."""
    block = statement.parent
    return block is not None and (block.type == "module" or any(part.id not in emptied for part in parts_of(block)))


def _whole_lines(statement: Node, emission: Emission) -> tuple[int, int] | None:
    """Return where the lines of `statement` start and end, or None where it shares them with other code."""
    before = emission.source[: statement.start_byte]
    start = before.rfind(b"\n") + 1
    newline = emission.source.find(b"\n", statement.end_byte)
    end = len(emission.source) if newline < 0 else newline + 1
    rest = emission.source[statement.end_byte : end].strip()
    return None if before[start:].strip() or (rest and not rest.startswith(b"#")) else (start, end)
