"""Rows of other people's data sets: JSON Lines whose fields are checked as they are asked for."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from .names import parse_python


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a data set called `source`, and where it stands. Field access raises InputError."""

    source: str
    path: Path
    line: int
    data: Mapping[str, Any]

    def text(self, field: str) -> str:
        """Return a field that must be a string, its line ends normalised to newlines."""
        value = self._get(field)
        if not isinstance(value, str):
            raise self.fault(field, f"must be a string, but it is {_kind(value)}")
        return normalise_lines(value)

    def texts(self, field: str) -> list[str]:
        """Return a field that must be a list of at least one string, their line ends normalised."""
        value = self._get(field)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self.fault(field, "must be a list of strings that is not empty")
        return [normalise_lines(item) for item in value]

    def number(self, field: str) -> int:
        """Return a field that must be an integer."""
        value = self._get(field)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(field, f"must be an integer, but it is {_kind(value)}")
        return value

    def python(self, field: str, text: str) -> ast.Module:
        """Return the syntax tree of `text`, which comes from `field` and must be Python."""
        try:
            return parse_python(text)
        except ValueError as error:
            raise self.fault(field, f"is not Python ({error})") from None

    def _get(self, field: str) -> object:
        if field not in self.data:
            raise self.fault(field, "is missing")
        return self.data[field]

    def fault(self, field: str, what: str) -> InputError:
        """Return the error that says what is wrong with `field`, where, and what to do."""
        return InputError(
            f'{self.path}, line {self.line}: field "{field}" {what}. '
            f"Is this the JSONL file of {self.source}? Repair or remove that row."
        )


def read_source(path: Path, source: str) -> Iterator[SourceRow]:
    """Yield the rows of the data set `source` in `path`; blank lines are passed over.

    Raises InputError, naming file and line, for a file that is missing or empty, and a line that is no JSON object.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Give the JSONL file of {source}.") from None
    rows = [_parse(source, path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise InputError(f"{path} is empty. Give the JSONL file of {source}.")
    yield from rows


def _parse(source: str, path: Path, number: int, line: bytes) -> SourceRow:
    try:
        data = parse_json(line)
    except ValueError as error:
        raise InputError(
            f"{path}, line {number}: not a line of JSON ({error}). "
            f"Give the JSONL file of {source}, one object per line, unpacked if it was a .gz."
        ) from None
    if not isinstance(data, dict):
        raise InputError(f"{path}, line {number}: a JSON object is needed, but this is {_kind(data)}.")
    return SourceRow(source, path, number, data)


def normalise_lines(text: str) -> str:
    r"""Return `text` with every line end (\r\n, a stray \r) as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number or bool")
