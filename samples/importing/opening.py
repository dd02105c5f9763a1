"""The files that people give: as they are, packed with gzip, in a zip, in folders; read within bounds, never written.

A file in a zip is called `ARCHIVE/NAME` in messages; its name is a name only, whatever it looks like. What is packed is
never unpacked as a whole, and nothing that expands beyond all measure is read to its end.
"""

import contextlib
import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from ...schemas.errors import InputError

MAX_EXPANDED: Final = 2**30  # bytes of one packed file
MAX_TOTAL: Final = 4 * 2**30  # bytes of all that one archive holds
MAX_MEMBERS: Final = 100_000
MAX_VALUE: Final = 512 * 2**20  # bytes of a file that is one JSON value: all of it is in memory at once
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
READ: Final = (".jsonl", ".json", ".ndjson", ".eval", ".py")
UNPACK = "If it is sound, unpack it yourself and give what it holds."


@dataclass(slots=True)
class Budget:
    """How far the packed files of an archive have been expanded, by name: one that is read again counts once."""

    used: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def note(self, name: str, size: int) -> None:
        """Note that `name` has been expanded to `size` bytes. Raises InputError beyond the bounds."""
        before = self.used.get(name, 0)
        self.used[name] = max(size, before)
        self.total += self.used[name] - before
        limit, more = (MAX_EXPANDED, "") if size > MAX_EXPANDED else (MAX_TOTAL, ", with what was read before it")
        if size > MAX_EXPANDED or self.total > MAX_TOTAL:
            raise InputError(f"{name} expands to more than {_size(limit)}{more}. {UNPACK}")


@dataclass(frozen=True, slots=True)
class Document:
    """A file to read: its name for messages, its path within what was given, and how it is opened.

    `inner` is the path from the folder or archive that was given, else the file's name. `path` is the file itself,
    where it is one, neither packed nor in an archive. `alone` says that it was given by its own name.
    """

    name: str
    inner: PurePosixPath
    opener: Callable[[], IO[bytes]] = field(repr=False)
    path: Path | None = None
    alone: bool = False

    @contextlib.contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open it to be read once from its beginning.

        Raises InputError for what cannot be read, is broken, or expands too far.
        """
        try:
            with self.opener() as file:
                yield file
        except OSError as error:
            if isinstance(error, gzip.BadGzipFile):
                raise broken(self.name, error) from None
            raise InputError(
                f"{self.name} cannot be read: {error.strerror or error}. Check it and try again."
            ) from None
        except (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise broken(self.name, error) from None

    @property
    def suffix(self) -> str:
        """Return what the name ends with, a `.gz` behind it left out, in lower case."""
        name = self.inner.name.lower().removesuffix(".gz")
        return PurePosixPath(name).suffix


@dataclass(slots=True)
class Passed:
    """What lay in a folder or an archive and was not read, by reason."""

    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        """Note that `name` was not read, because of `reason`."""
        self.names.setdefault(reason, []).append(name)


def documents(path: Path, passed: Passed) -> Iterator[Document]:
    """Yield the files in `path`, a file, an archive or a folder, in the order of their names.

    What a folder or an archive holds besides goes to `passed`. Raises InputError for what cannot be read.
    """
    if not path.is_dir():
        yield from _of_file(path, path.name, PurePosixPath(path.name), passed, alone=True)
        return
    for inner in _files_below(path, passed):
        file = path / inner
        name = f"{path.name or path.resolve().name}/{inner}"
        if not file.is_file():  # a pipe, a device, a link to nothing
            passed.add("no ordinary file", name)
        elif not _is_read(inner):
            passed.add("another kind of file", name)
        else:
            yield from _of_file(file, name, inner, passed, alone=False)


def _files_below(folder: Path, passed: Passed) -> Iterator[PurePosixPath]:
    def refuse(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}. Check its permissions.") from None

    for top, below, files in os.walk(folder, onerror=refuse):
        for one in below:
            if (Path(top) / one).is_symlink():  # os.walk does not follow it: it may lead back here
                passed.add("link to a folder", f"{Path(top).relative_to(folder) / one}")
        below[:] = sorted(one for one in below if not one.startswith(".") and one != "__pycache__")
        for one in sorted(files):
            yield PurePosixPath((Path(top) / one).relative_to(folder).as_posix())


def _is_read(inner: PurePosixPath) -> bool:
    name = inner.name.lower()
    return not name.startswith(".") and (name.removesuffix(".gz").endswith(READ) or name.endswith(".zip"))


def _of_file(path: Path, name: str, inner: PurePosixPath, passed: Passed, *, alone: bool) -> Iterator[Document]:
    start = first_bytes(path)
    if start.startswith(ZIP) and inner.suffix.lower() != ".eval":
        yield from _in_zip(path, name, passed)
    elif start.startswith(GZIP):
        yield Document(name, inner, lambda: _unpacked(path.open("rb"), name, Budget()), alone=alone)
    else:
        yield Document(name, inner, lambda: path.open("rb"), path, alone)


def first_bytes(path: Path, size: int = 4) -> bytes:
    """Return the first bytes of the file at `path`. Raises InputError where it cannot be read."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no ordinary file, and it is read more than once: write its content to a file.")
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from None


def _in_zip(path: Path, name: str, passed: Passed) -> Iterator[Document]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise broken(name, error) from None
    if len(members) > MAX_MEMBERS:
        raise InputError(f"{name} holds {len(members)} files, and {MAX_MEMBERS} are read at most. {UNPACK}")
    expanded = sum(member.file_size for member in members)  # zipfile reads no more of a member than it announces
    if expanded > MAX_TOTAL:
        raise InputError(f"{name} expands to {_size(expanded)}, and {_size(MAX_TOTAL)} are read at most. {UNPACK}")
    budget = Budget()
    for member in sorted(members, key=lambda one: one.filename):
        inner = PurePosixPath(member.filename)
        full = f"{name}/{member.filename}"
        if member.is_dir() or "__MACOSX" in inner.parts:
            continue
        if not _is_read(inner) or inner.suffix.lower() == ".zip":
            passed.add("another kind of file", full)
        else:
            yield Document(full, inner, partial(_member, path, member, full, budget))


def _member(path: Path, member: zipfile.ZipInfo, name: str, budget: Budget) -> IO[bytes]:
    if member.flag_bits & 1:
        raise InputError(f"{name} is encrypted. {UNPACK}")
    archive = zipfile.ZipFile(path)
    content = _Bounded(archive.open(member), name, Budget(), archive)
    if PurePosixPath(member.filename).suffix.lower() != ".gz":
        return io.BufferedReader(content)
    return _unpacked(io.BufferedReader(content), name, budget)


def _unpacked(file: IO[bytes], name: str, budget: Budget) -> IO[bytes]:
    return io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=file), name, budget, file))


class _Bounded(io.RawIOBase):
    """What a packed file expands to, as far as `budget` goes."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, name: str, budget: Budget, below: IO[bytes] | zipfile.ZipFile):
        self._file, self._name, self._budget, self._below = file, name, budget, below
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._size += len(data)
        self._budget.note(self._name, self._size)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._below.close()
        super().close()


def broken(name: str, error: Exception) -> InputError:
    """Return the error for the packed file `name`, which `error` says is broken."""
    return InputError(f"{name} is packed, and broken or cut short ({error}). Get it again.")


def _size(size: int) -> str:
    return f"{size / 2**30:.3g} GiB"
