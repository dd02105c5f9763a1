"""Line-numbered JSON Lines: streaming reader, and an append-only writer that survives a kill at any moment."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .errors import InputError, RowsError
from .json_text import MADE_DEPTH, MAX_DEPTH, is_whole_row, parse_json
from .json_text import dump_row as dump_row
from .packed import open_content
from .validation import find_fault, surely_valid
from .whole_files import (
    check_ordinary,
    lock,
    missing,
    remove_empty,
    replace_file,
    unlock,
    unwritable,
    write_faults,
)

KEPT = "What was written before is kept: the same command, started again, goes on from here."
MAX_LINE_BYTES = 128 * 2**20  # a longer row is a mistake (a binary, a file without line ends), not a program
MAX_ROW_BYTES = 64 * 2**20  # of a sample as it is written again: its verdict says more, and is read as well


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a JSONL file: its 1-based number, its JSON object, the byte where it starts, and its bytes."""

    line: int
    data: dict[str, Any]
    start: int = 0
    size: int = 0


def read_rows(
    path: Path,
    schema: str,
    *,
    max_line_bytes: int = MAX_LINE_BYTES,
    on_torn_end: Callable[[int], None] | None = None,
    on_line: Callable[[bytes], object] | None = None,
    start: int = 0,
    first_line: int = 1,
    unfit: Callable[[str], Any] | None = None,
    mend: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
    packed: bool = True,
) -> Iterator[Row]:
    """Yield the rows of `path`, each valid under `schema`; memory stays that of one line.

    Blank lines are passed over, and with `packed` a file that is packed with gzip is read as what it holds. Raises
    InputError, naming file, line, field and remedy, for a file that is missing, unreadable or holds no row; its kind
    RowsError for a line that is too long, not UTF-8, not JSON, not an object or not valid, and for a folder.
    `unfit` is that of `parse_json`; `mend` gets a row that may not be valid, and returns one in its place.
    With `on_torn_end`, a last line that was cut short (its writer was killed, or is at work) is no error: the
    function gets its number, and the row is left out. `on_line` gets the bytes of every line, to hash what was read.
    Reading begins at byte `start`, which is where line `first_line` does.
    """
    empty = start == 0
    for number, begin, raw in _numbered_lines(path, max_line_bytes, start, first_line, packed):
        if on_line:
            on_line(raw)
        if not raw.strip():
            continue
        empty = False
        if on_torn_end and not raw.endswith(b"\n") and not is_whole_row(raw):
            on_torn_end(number)
            return
        data = _parse(path, number, raw, unfit, MADE_DEPTH if schema == "verdict" else MAX_DEPTH)
        if not surely_valid(data, schema):
            data = mend(data) if mend else data
            fault = find_fault(data, schema)
            if fault:
                raise RowsError(f"{path}, line {number}: {_explain(fault, data, schema)}", path)
        yield Row(number, data, begin, len(raw))
    if empty:
        raise InputError(f"{path} is empty: expected at least one {schema}, one JSON object per line.")


def _explain(fault: str, data: Mapping[str, Any], schema: str) -> str:
    """Return what is wrong with a row, and what to do."""
    if schema == "verdict" and "outcome" not in data and find_fault(data, "sample") is None:
        return (
            f"this is a sample, and a verdict is needed: {fault}. Judge the samples first: "
            "`edittool judge BENCH SAMPLES -o verdicts.jsonl`."
        )
    return f"{fault}. See schemas/{schema}.schema.json for the format."


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file at `path`, which can be read again. Raises InputError as `read_rows` does."""
    with _readable(path):
        if not path.is_file() and path.exists() and not path.is_dir():
            raise InputError(f"{path} is no ordinary file, and it is read more than once: write its rows to a file.")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what keeps `path` from being read into InputError."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the path.") from None
    except IsADirectoryError:
        raise RowsError(f"{path} is a folder; a JSONL file is needed.", path) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from None


def _numbered_lines(path: Path, limit: int, start: int, number: int, packed: bool) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, first byte and content of each line from byte `start` on, where line `number` begins."""
    with _readable(path), open_content(path) if packed else path.open("rb") as file:
        if start:  # a pipe is read from where it is
            file.seek(start)
        while line := file.readline(limit + 1):
            if len(line) > limit:
                raise RowsError(
                    f"{path}, line {number} is longer than {limit / 2**20:.3g} MiB. "
                    "Is this a JSONL file, with one object per line? Shorten or remove that line.",
                    path,
                )
            yield number, start, line
            number, start = number + 1, start + len(line)


def _parse(path: Path, number: int, raw: bytes, unfit: Callable[[str], Any] | None, depth: int) -> dict[str, Any]:
    try:
        data = parse_json(raw.rstrip(b"\r\n"), unfit, depth)
    except UnicodeDecodeError as error:
        raise RowsError(
            f"{path}, line {number}: not UTF-8 at byte {error.start + 1} of the line. Save the file as UTF-8.", path
        ) from None
    except json.JSONDecodeError as error:
        raise RowsError(
            f"{path}, line {number}, column {error.pos + 1}: broken JSON ({error.msg}). Repair or remove that line.",
            path,
        ) from None
    except ValueError as error:
        what = f"{path}, line {number}: unusable JSON ({error}). Repair or remove that line."
        raise RowsError(what, path) from None
    if not isinstance(data, dict):
        raise RowsError(
            f"{path}, line {number}: a JSON object is needed, but this is {type(data).__name__}. "
            "Write one object on each line.",
            path,
        )
    return data


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `rows` to `path` as a whole: readers see the old file or the new one, never a part.

    Raises InputError for what is no file, EnvironmentFault when the disk or a permission refuses; an old file then
    stays as it was.
    """
    replace_file(path, (dump_row(row) + "\n" for row in rows))


class JsonlAppender:
    """Appends rows to a file, each synced to disk; one process at a time; a context manager.

    On opening, a last line that a kill cut short is removed: its row was never complete, so its work is done again.
    `removed_bytes` says how much that was. It is a row's where a whole row stands before it, or where it begins as
    rows of this file do: with one of the fields `first`, by default those of samples and of verdicts. Raises
    InputError when another process holds the file, which it names where the file system can tell, or when it is no
    JSONL file or no file, EnvironmentFault when it cannot be opened or the disk refuses a write; the file then ends
    with its last whole row.
    """

    def __init__(self, path: Path, first: Sequence[str] = ("task_id", "sample_id")):
        self.path = path
        self._target = Path(os.path.realpath(path))  # a link stays, and what is made behind it is ours
        self._beginnings = [f'{{"{name}": '.encode() for name in first]
        self._made = missing(self._target)
        with write_faults(path, note=KEPT), contextlib.ExitStack() as opening:
            check_ordinary(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            opening.callback(remove_empty, self._made[1:])
            # Unbuffered: a buffer would write its rest after a failure was cut back.
            self._file = opening.enter_context(path.open("ab+", buffering=0))
            lock(self._file.fileno(), path)
            opening.callback(unlock, self._file.fileno())
            _check_in_place(self._file.fileno(), path)
            self.removed_bytes = self._mend_end()
            self._end = self._file.seek(0, os.SEEK_END)
            opening.pop_all()

    def _mend_end(self) -> int:
        """End the file with a whole row and a line end; return the number of bytes removed for that."""
        end = self._file.seek(0, os.SEEK_END)
        tail = self._read_line_before(end)
        if not tail:
            return 0
        if is_whole_row(tail):
            self._write(b"\n")
            return 0
        if len(tail) > MAX_LINE_BYTES or not self._is_torn_row(tail, end - len(tail)):
            raise InputError(
                f"{self.path} is no JSONL file: its last line is not a row. It is left as it is; "
                "choose another output file."
            )
        self._file.truncate(end - len(tail))
        os.fsync(self._file.fileno())
        return len(tail)

    def _is_torn_row(self, tail: bytes, start: int) -> bool:
        """Say whether `tail`, which begins at byte `start`, is a part of a row, and not the text of somebody else."""
        if any(tail.startswith(beginning[: len(tail)]) for beginning in self._beginnings):
            return True
        if not tail.strip(b"\0"):  # the machine lost power before the data reached the disk
            return True
        return tail[:1] in (b"{", b"\0") and start > 0 and is_whole_row(self._read_line_before(start - 1))

    def _read_line_before(self, end: int) -> bytes:
        """Return what stands between the last line end and byte `end`; of more than a row may have, the end of it."""
        tail, start = b"", end
        while start > 0 and len(tail) <= MAX_LINE_BYTES:
            size = min(start, 65536)
            start = self._file.seek(start - size)
            _before, newline, after = self._file.read(size).rpartition(b"\n")
            tail = after + tail
            if newline:
                break
        return tail

    def append(self, *rows: Mapping[str, Any]) -> None:
        """Write `rows` and return when they are on the disk.

        An interruption keeps the rows that were written whole. Raises EnvironmentFault when the disk refuses; none of
        these rows is then kept.
        """
        data = "".join(dump_row(row) + "\n" for row in rows).encode("ascii")
        try:
            self._write(data)
        except OSError as error:
            self._cut_back(self._end)
            raise unwritable(self.path, error, KEPT) from error
        except BaseException:
            written = os.fstat(self._file.fileno()).st_size - self._end
            self._cut_back(self._end + data[:written].rfind(b"\n") + 1)
            raise
        self._end += len(data)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())

    def _cut_back(self, end: int) -> None:
        with contextlib.suppress(OSError):
            self._file.truncate(end)

    @property
    def is_litter(self) -> bool:
        """Say whether this appender made the file, and has written nothing."""
        return self._target in self._made and self._end == 0

    def discard(self) -> None:
        """Remove the file, where it is litter, and the folders that were made for it and have nothing else in them.

        Where a link led to the file, the link stays.
        """
        if self.is_litter:
            with contextlib.suppress(OSError):
                self._target.unlink()
                remove_empty(self._made[1:])

    def close(self) -> None:
        """Close the file and release its lock."""
        if not self._file.closed:
            unlock(self._file.fileno())
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_in_place(descriptor: int, path: Path) -> None:
    """Raise InputError where the open file is no longer the one at `path`: its writer ended, and took it away."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return
    raise InputError(f"{path} was removed by another edittool as this one opened it. Start the command again.")
