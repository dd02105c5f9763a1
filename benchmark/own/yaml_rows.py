"""A hand-written YAML file of a list of mappings, read with the line of every entry and field, for errors to name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...schemas.errors import InputError
from .yaml_nodes import compose, construct


@dataclass(frozen=True, slots=True)
class LocatedRow:
    """A row of a file and where it stands: its 1-based line, and for YAML the line where each field's value begins."""

    path: Path
    line: int
    data: Mapping[str, Any]
    fields: Mapping[str, int] = field(default_factory=dict)
    blocks: frozenset[str] = frozenset()  # the fields whose lines of text are lines of the file

    def at(self, name: str | None = None, line: int | None = None) -> str:
        """Return file and line of the row, of its field `name`, or of a line (1-based) of that field's text."""
        number = self.line if name is None else self.fields.get(name, self.line)
        inside = line - 1 if line and name in self.blocks else 0
        return f"{self.path}, line {number + inside}"


def read_yaml_rows(path: Path, key: str) -> Iterator[LocatedRow]:
    """Yield the mappings of the list that `path` holds, by itself or under `key`.

    Raises InputError, naming file and line, for a file that cannot be read, is no YAML or holds anything else, and for
    a field that stands twice.
    """
    node = _entries(path, compose(path, "Write a list of entries."), key)
    for item in node.value:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode):
            raise InputError(f"{path}, line {line}: an entry with fields is needed, as `name: value`. Correct it.")
        data = construct(path, item)
        values = {name.value: value for name, value in item.value}
        blocks = frozenset(name for name, value in values.items() if _is_block(value))
        lines = {name: value.start_mark.line + 1 + (name in blocks) for name, value in values.items()}
        yield LocatedRow(path, line, data, lines, blocks)


def _entries(path: Path, node: yaml.Node, key: str) -> yaml.SequenceNode:
    if isinstance(node, yaml.MappingNode):
        found = [value for name, value in node.value if name.value == key]
        if len(found) != 1 or len(node.value) != 1:
            raise InputError(f"{path}: a list is needed, or `{key}:` with a list and nothing beside it. Correct it.")
        (node,) = found
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        line = node.start_mark.line + 1
        raise InputError(f"{path}, line {line}: a list of entries is needed, each begun by a dash. Correct it.")
    return node


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style == "|"
