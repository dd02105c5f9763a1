"""A hand-written YAML file as nodes that know their lines, and the plain data that a node stands for."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ...schemas.errors import InputError
from ...schemas.whole_files import read_text

# Text that looks like a date stays text: JSON has no dates.
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

Lines = Mapping[tuple[str | int, ...], int]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _RESOLVERS


def read_yaml_mapping(path: Path) -> tuple[dict[str, Any], Lines]:
    """Return the mapping that `path` holds, and the line of each of its values by what leads there.

    Raises InputError, naming file and line, for a file that cannot be read, is no YAML or holds no mapping, and for a
    field that stands twice.
    """
    node = compose(path, "Write one `field: value` a line.")
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + 1
        raise InputError(f"{path}, line {line}: fields are needed, one `field: value` a line. Correct it.")
    data = construct(path, node)
    lines: dict[tuple[str | int, ...], int] = {}
    _note_lines(path, node, (), node.start_mark.line + 1, lines)
    return data, lines


def compose(path: Path, remedy: str) -> yaml.Node:
    """Return the node that `path` holds. `remedy` says what to write into an empty file.

    Raises InputError, naming file and line, for a file that cannot be read, is empty or no YAML.
    """
    text = read_text(path)
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: broken YAML ({error.problem}). Repair the file.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: broken YAML ({error}). Repair the file.") from None
    if node is None:
        raise InputError(f"{path} is empty. {remedy}")
    return node


def construct(path: Path, node: yaml.MappingNode) -> dict[str, Any]:
    """Return the data of a mapping of `path`, as JSON has it.

    Raises InputError, naming file and line, for a field that stands twice or is no text, and for a value that JSON
    lacks. Of mappings in the mapping, the caller sees to the fields.
    """
    check_names(path, node)
    loader = _Loader("")
    try:
        data: dict[str, Any] = loader.construct_document(node)
        json.dumps(data)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        line = node.start_mark.line + 1
        raise InputError(f"{path}, line {line}: a value is neither text, number nor list ({error}).") from None
    finally:
        loader.dispose()
    return data


def check_names(path: Path, node: yaml.MappingNode) -> None:
    """Raise InputError, naming file and line, for a field of the mapping `node` that stands twice or is no text."""
    names: set[str] = set()
    for name, _ in node.value:
        if name.tag != "tag:yaml.org,2002:str" or name.value in names:
            fault = "stands twice" if name.value in names else "is no text"
            raise InputError(f"{path}, line {name.start_mark.line + 1}: the field {name.value!r} {fault}. Correct it.")
        names.add(name.value)


def _note_lines(
    path: Path, node: yaml.Node, place: tuple[str | int, ...], line: int, lines: dict[tuple[str | int, ...], int]
) -> None:
    """Put the line of `node`, at `place`, and of all that it holds into `lines`; of a field, that is its name's."""
    lines[place] = line
    if isinstance(node, yaml.MappingNode):
        check_names(path, node)
        for name, value in node.value:
            _note_lines(path, value, (*place, name.value), name.start_mark.line + 1, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note_lines(path, value, (*place, number), value.start_mark.line + 1, lines)
