"""A hand-written YAML file of a list of mappings, read with the line of every entry and field, for errors to name."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...schemas.errors import InputError

# Text that looks like a date stays text: JSON has no dates.
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _RESOLVERS


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
    node = _entries(path, _compose(path), key)
    for item in node.value:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode):
            raise InputError(f"{path}, line {line}: an entry with fields is needed, as `name: value`. Correct it.")
        data = _construct(path, item, line)
        values = {name.value: value for name, value in item.value}
        blocks = frozenset(name for name, value in values.items() if _is_block(value))
        lines = {name: value.start_mark.line + 1 + (name in blocks) for name, value in values.items()}
        yield LocatedRow(path, line, data, lines, blocks)


def _compose(path: Path) -> yaml.Node:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8, at byte {error.start + 1}. Save it as UTF-8.") from None
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: broken YAML ({error.problem}). Repair the file.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: broken YAML ({error}). Repair the file.") from None
    if node is None:
        raise InputError(f"{path} is empty. Write a list of entries.")
    return node


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


def _construct(path: Path, item: yaml.MappingNode, line: int) -> dict[str, Any]:
    names: set[str] = set()
    for name, _ in item.value:
        if name.tag != "tag:yaml.org,2002:str" or name.value in names:
            fault = "stands twice" if name.value in names else "is no text"
            raise InputError(f"{path}, line {name.start_mark.line + 1}: the field {name.value!r} {fault}. Correct it.")
        names.add(name.value)
    loader = _Loader("")
    try:
        data: dict[str, Any] = loader.construct_document(item)
        json.dumps(data)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {line}: a value is neither text, number nor list ({error}).") from None
    finally:
        loader.dispose()
    return data


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style == "|"
