"""Line-numbered JSON Lines: streaming reader, and an append-only writer that survives a kill at any moment."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import EnvironmentFault, InputError
from .validation import find_fault

MAX_LINE_BYTES = 16 * 2**20  # a longer row is a mistake (a binary, a file without line ends), not a program


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a JSONL file: its 1-based number and its JSON object."""

    line: int
    data: dict[str, Any]


def read_rows(path: Path, schema: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[Row]:
    """Yield the rows of `path`, each valid under `schema`; memory stays that of one line.

    Blank lines are passed over. Raises InputError, naming file, line, field and remedy, for a file that is missing,
    unreadable or holds no row, and for a line that is too long, not UTF-8, not JSON, not an object or not valid.
    """
    empty = True
    for number, raw in _numbered_lines(path, max_line_bytes):
        if not raw.strip():
            continue
        empty = False
        data = _parse(path, number, raw)
        fault = find_fault(data, schema)
        if fault:
            raise InputError(f"{path}, line {number}: {fault}. See schemas/{schema}.schema.json for the format.")
        yield Row(number, data)
    if empty:
        raise InputError(f"{path} is empty: expected at least one {schema}, one JSON object per line.")


def _numbered_lines(path: Path, limit: int) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(limit + 1):
                number += 1
                if len(line) > limit:
                    raise InputError(
                        f"{path}, line {number} is longer than {limit // 2**20} MiB. "
                        "Is this a JSONL file, with one object per line? Shorten or remove that line."
                    )
                yield number, line
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a JSONL file is needed.") from None
    except PermissionError:
        raise InputError(f"{path} cannot be read: permission denied.") from None


def _parse(path: Path, number: int, raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}, line {number}: not UTF-8 at byte {error.start + 1} of the line. Save the file as UTF-8."
        ) from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {number}, column {error.colno}: broken JSON ({error.msg}). Repair or remove that line."
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number}: unusable JSON ({error}). Repair or remove that line.") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}, line {number}: a JSON object is needed, but this is {type(data).__name__}.")
    return data


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def dump_row(data: Mapping[str, Any]) -> str:
    """Return `data` as one line of JSON, without the line end.

    ASCII only: text that came from a model can then neither break the line (U+2028) nor steer a terminal.
    """
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(", ", ": "))


def write_rows(path: Path, rows: Iterator[Mapping[str, Any]] | list[dict[str, Any]]) -> None:
    """Write `rows` to `path` as a whole: readers see the old file or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("w", encoding="ascii", newline="\n") as file:
        for row in rows:
            file.write(dump_row(row) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class JsonlAppender:
    """Appends rows to a file, each synced to disk; one process at a time; a context manager.

    On opening, a last line that a kill cut short is removed: its row was never complete, so its work is done again.
    Raises InputError when another process holds the file, EnvironmentFault when the disk refuses a write; the file
    then ends with its last whole row.
    """

    def __init__(self, path: Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+")
        self._lock()
        self.removed_bytes = self._drop_torn_line()
        self._end = self._file.seek(0, os.SEEK_END)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InputError(
                f"{self.path} is being written by another edittool. Wait for it to end, or choose another output file."
            ) from None

    def _drop_torn_line(self) -> int:
        end = keep = self._file.seek(0, os.SEEK_END)
        while keep > 0:
            start = max(0, keep - 65536)
            self._file.seek(start)
            newline = self._file.read(keep - start).rfind(b"\n")
            if newline >= 0:
                keep = start + newline + 1
                break
            keep = start
        if keep < end:
            self._file.truncate(keep)
            os.fsync(self._file.fileno())
        return end - keep

    def append(self, *rows: Mapping[str, Any]) -> None:
        """Write `rows` and return when they are on the disk."""
        data = "".join(dump_row(row) + "\n" for row in rows).encode("ascii")
        try:
            self._file.write(data)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self._cut_back()
            raise EnvironmentFault(
                f"{self.path} cannot be written: {error.strerror}. What was written before is kept; "
                "free some space and start the same command again: it goes on from here."
            ) from error
        self._end += len(data)

    def _cut_back(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._file.fileno(), self._end)

    def close(self) -> None:
        """Close the file and release its lock."""
        with contextlib.suppress(OSError):  # a full disk was reported by the append that met it
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
