"""Rows of other people's data sets: JSON Lines whose fields are checked as they are asked for."""

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...schemas.errors import InputError
from ...schemas.problems import Problem
from ..python_source import parse_python
from .layouts import OPTIONS, recognise

Reason = Literal[
    "standard_input",  # a program that reads standard input: there is no function for the tests to call
    "no_solution",  # no reference solution at all
    "python2",  # every reference solution is Python 2
    "no_usable_solution",  # none of them is Python that defines what the tests call
    "no_tests",  # no inputs with outputs
    "too_big",  # no test is small enough
    "some_tests",  # the problem is there, with fewer tests than its row has
    "unreadable_tests",  # a number so long that Python does not read it
]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A problem that was left out, or (reason `some_tests`) tests of a problem that is there; `detail` says more."""

    task_id: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The problems of a data set in the order of its rows, and what was left out."""

    problems: tuple[Problem, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row of a data set called `source`, and where it stands.

    Its methods raise InputError, naming file, line and field, for a field that is missing or of another kind.
    """

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

    def nested(self, field: str) -> Any:
        """Return a field that may hold its value as a string of JSON; an empty string is None."""
        value = self._get(field)
        if not isinstance(value, str):
            return value
        try:
            return _load_json(value) if value.strip() else None
        except ValueError as error:
            raise self.fault(field, f"is a string that holds no JSON ({error})") from None

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


def read_source(path: Path, source: str, keys: tuple[str, ...] = ("task_id",)) -> Iterator[SourceRow]:
    """Yield the rows of the data set `source` in `path`; blank lines are passed over.

    The first of `keys` that a row has identifies it. Raises InputError, naming file and line, for a file that is
    missing, empty, packed, in another format or of another data set, a line that is no JSON object, and a row whose
    identifier stood before.
    """
    seen: dict[str, int] = {}
    for row in _read_rows(path, source):
        if not seen:
            _check_data_set(row)
        key = next((name for name in keys if name in row.data), None)
        task = f"line {row.line}" if key is None else f"{key} {row.data[key]!r}"
        if task in seen:
            raise InputError(
                f"{path}, line {row.line}: {task} stands on line {seen[task]} already. Remove one of them."
            )
        seen[task] = row.line
        yield row
    if not seen:
        raise InputError(f"{path} is empty. Give the JSONL file of {source}.")


def _read_rows(path: Path, source: str) -> Iterator[SourceRow]:
    try:
        with path.open("rb") as file:
            _check_format(path, source, file.read(100))
            file.seek(0)
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _parse(source, path, number, line)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Give the JSONL file of {source}.") from None


_PACKED = {
    b"\x1f\x8b": "gunzip",
    b"PK\x03\x04": "unzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}


def _check_format(path: Path, source: str, head: bytes) -> None:
    """Refuse a file whose first bytes say that it is no text in UTF-8."""
    for magic, command in _PACKED.items():
        if head.startswith(magic):
            raise InputError(
                f"{path} is packed. Unpack it ({command} {path.name}) and give the JSONL file of {source}."
            )
    if head.startswith(b"PAR1"):
        raise InputError(f"{path} is a Parquet file. Give {source} as JSONL, one object per line.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        raise InputError(
            f"{path}, line 1: the text is not UTF-8 but looks like UTF-16. Convert it: "
            f"iconv -f UTF-16 -t UTF-8 {path.name} > {path.stem}-utf8{path.suffix}"
        )


def _check_data_set(row: SourceRow) -> None:
    found = recognise(row.data)
    if found in (None, row.source):
        return
    option = OPTIONS.get(str(found))
    remedy = f"Give it with {option}" if option else "No benchmark is built from that"
    raise InputError(
        f"{row.path}, line {row.line}: this looks like {found}, not {row.source} "
        f"(fields: {', '.join(sorted(row.data))}). {remedy}; here the JSONL file of {row.source} is needed."
    )


def _parse(source: str, path: Path, number: int, line: bytes) -> SourceRow:
    try:
        data = _load_json(line.decode("utf-8"))
    except ValueError as error:
        raise InputError(
            f"{path}, line {number}: not a line of JSON ({getattr(error, 'msg', error)}{_guess(line)}). "
            f"Give the JSONL file of {source}, one object per line."
        ) from None
    if not isinstance(data, dict):
        raise InputError(
            f"{path}, line {number}: a JSON object is needed, but this is {_kind(data)}. "
            f"Give the JSONL file of {source}, one object per line."
        )
    return SourceRow(source, path, number, data)


def _load_json(text: str) -> Any:
    # Not parse_json: EvalPlus writes infinity, and inputs of more digits than edittool's own files may have.
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _guess(line: bytes) -> str:
    start = line.lstrip()
    if start.startswith(b"["):
        return "; the file may be one JSON array"
    if not start.startswith(b"{") and b"," in start:
        return "; it looks like CSV"
    return ""


def normalise_lines(text: str) -> str:
    r"""Return `text` with every line end (\r\n, a stray \r) as a newline."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def has_huge_number(text: str) -> bool:
    """Say whether `text` has a number of more digits than Python converts, as JSON or as source code."""
    return re.search(rf"\d{{{sys.int_info.default_max_str_digits + 1}}}", text) is not None


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(type(value), "a number or bool")
