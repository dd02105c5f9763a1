"""The JSON values of a file, one after the other: lines of JSON, or one value, such as an array, over many lines.

Numbers that JSON lacks (NaN, Infinity) are taken, as Python's own writer puts them into files.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any, Final

from ...schemas.errors import InputError
from ...schemas.json_text import MAX_DEPTH, MAX_DIGITS
from ...schemas.jsonl import MAX_LINE_BYTES
from .answers import Reason
from .opening import MAX_VALUE, Document

TOO_DEEP = "nested too deeply"
_BOM = b"\xef\xbb\xbf"
_NOT_TEXT: Final = (b"\x00", b"\xff\xfe", b"\xfe\xff")  # a binary, UTF-16


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value of a file, and the line where it begins.

    `fault` says in words why a line has none, `reason` in one; `data` is then the line, None for one that is too long.
    """

    line: int
    data: Any
    fault: str = ""
    reason: Reason = "broken_json"


class Huge(str):
    """The digits of a number that is too long to be one."""

    __slots__ = ()


def values(document: Document) -> Iterator[Value]:
    """Yield the values of a file: the lines of JSON Lines, else the values that stand in it one after the other.

    A line that is not JSON, or too long, beside others that are, comes with its fault. Raises InputError, naming file,
    line and column or byte, for a file that is empty, not UTF-8, or holds no JSON.
    """
    with document.open() as file:
        start = _after_blank_lines(document, file)
        if start is None:
            raise InputError(f"{document.name} is empty: there is nothing to import.")
        number, first = start
        value = _parse_line(document, number, first)
        if not value.fault and len(first) <= MAX_LINE_BYTES:
            yield value
            yield from _lines(document, number, file)
            return
        rest = file.read(MAX_VALUE + 1)
        if len(rest) + len(first) > MAX_VALUE:
            limit = f"{MAX_VALUE / 2**20:.3g} MiB"
            raise InputError(
                f"{document.name} is no JSON Lines, and larger than {limit}. Make lines of it: jq -c '.[]'."
            )
        try:
            yield from _one_after_the_other(document, number, first + rest)
        except _FirstLineError as error:
            if not _begins_with_an_object(rest):
                raise InputError(str(error)) from None
            yield value
            yield from _lines(document, number, io.BytesIO(rest))


def _lines(document: Document, number: int, file: IO[bytes]) -> Iterator[Value]:
    """Yield the values of the lines that follow line `number`."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield Value(number, None, f"a row of more than {MAX_LINE_BYTES / 2**20:.3g} MiB", "too_long")
        elif line.strip():
            yield _parse_line(document, number, line)


def _begins_with_an_object(lines: bytes) -> bool:
    """Say whether the first line that is not blank is a JSON object by itself."""
    first = next((line for line in io.BytesIO(lines) if line.strip()), b"")
    try:
        return isinstance(parse(first.decode("utf-8")), dict)
    except ValueError:
        return False


def _after_blank_lines(document: Document, file: IO[bytes]) -> tuple[int, bytes] | None:
    """Return number and content of the first line that is not blank."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            if line.startswith(_NOT_TEXT) or b"\0" in line[:4096]:
                raise InputError(f"{document.name} is no text in UTF-8: a binary file, or one in UTF-16.")
            line = line.removeprefix(_BOM)
        if line.strip():
            return number, line
    return None


def _parse_line(document: Document, number: int, line: bytes) -> Value:
    text = decode(document.name, line, number)
    try:
        return Value(number, parse(text))
    except ValueError as error:
        at = f", column {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        return Value(number, text.rstrip("\r\n"), f"broken JSON{at} ({what})")


class _FirstLineError(InputError):
    """The first line of a file holds something that is not JSON."""


def _one_after_the_other(document: Document, number: int, raw: bytes) -> Iterator[Value]:
    """Yield the values in `raw`, which begins with line `number`.

    Raises InputError, its kind _FirstLineError, before any value, for one that begins in the first line.
    """
    text = decode(document.name, raw, number)
    decoder, place = _decoder(), 0
    held: list[Value] = []  # until the first line is known to be sound
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        line = number + text.count("\n", 0, place)
        kind = _FirstLineError if line == number else InputError
        try:
            data, place = decoder.raw_decode(text, place)
            _check_depth(data)
        except json.JSONDecodeError as error:
            where = f"{document.name}, line {number + error.lineno - 1}, column {error.colno}"
            raise kind(f"{where}: broken JSON ({error.msg}). Repair it, or get the file again.") from None
        except (ValueError, RecursionError) as error:
            what = TOO_DEEP if isinstance(error, RecursionError) else error
            raise kind(f"{document.name}, line {line}: unusable JSON ({what}). Repair it.") from None
        held.append(Value(line, data))
        if line > number:
            yield from held
            held.clear()
    yield from held


def decode(name: str, raw: bytes, line: int = 1) -> str:
    """Return `raw`, which begins with line `line` of the file `name`. Raises InputError where it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        at = line + before.count(b"\n")
        byte = error.start - before.rfind(b"\n")
        raise InputError(f"{name}, line {at}: not UTF-8 at byte {byte} of the line. Save the file as UTF-8.") from None


def parse(text: str) -> Any:
    """Return the value in `text`. Raises ValueError for what is not JSON, or nested too deep to be written again."""
    try:
        value = _decoder().decode(text)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    _check_depth(value)
    return value


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_int=_integer)


def _integer(text: str) -> int | Huge:
    return Huge(text) if len(text) > MAX_DIGITS else int(text)


def _check_depth(value: object) -> None:
    layer = [value]
    for _ in range(MAX_DEPTH - 10):  # what is made of it nests a little deeper
        layer = [child for parent in layer for child in _children(parent) if isinstance(child, dict | list)]
        if not layer:
            return
    raise ValueError(TOO_DEEP)


def _children(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def writable(value: Any) -> tuple[Any, int]:
    """Return `value` with numbers that JSON lacks as their text ("NaN", "-Infinity"), and how many these were."""
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value), 1
    if isinstance(value, Huge):
        return str(value), 1
    if isinstance(value, Mapping):
        items = {str(name): writable(child) for name, child in value.items()}
        return {name: child for name, (child, _) in items.items()}, sum(count for _, count in items.values())
    if isinstance(value, list | tuple):
        made = [writable(child) for child in value]
        return [child for child, _ in made], sum(count for _, count in made)
    return value, 0
