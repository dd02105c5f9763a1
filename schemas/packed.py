"""Files that are read as they are, and those packed with gzip as what they hold.

A packed file is known by its first bytes, whatever it is called. What it holds is never in memory as a whole, and a
file that expands beyond all measure is refused on the way.
"""

import contextlib
import gzip
import io
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from .errors import RowsError
from .whole_files import write_faults

MAGIC: Final = b"\x1f\x8b"
FREE_BYTES: Final = 64 * 2**20  # that a file may always expand to
MAX_RATIO: Final = 300  # beyond them, of its size; text that a model wrote shrinks to a third or a tenth
_CHUNK: Final = 2**20


class _Unpacked(io.BufferedIOBase):
    """What a packed file holds, read from its beginning on. Raises RowsError for what is broken or expands so."""

    def __init__(self, path: Path, file: IO[bytes]):
        self._path = path
        self._file = file
        self._limit = max(FREE_BYTES, MAX_RATIO * path.stat().st_size)
        self._content = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        with self._faults():
            return self._content.seek(place, whence)

    def readline(self, size: int | None = -1, /) -> bytes:
        with self._faults():
            room = self._limit + 1 - self._content.tell()  # a line that goes on beyond is never in memory as a whole
            return self._content.readline(room if size is None or size < 0 else min(size, room))

    def read(self, size: int | None = -1, /) -> bytes:
        with self._faults():
            return self._content.read(size)

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
            if self._content.tell() > self._limit:
                measure = f"{self._limit / 2**20:.0f} MiB, far more than text of its size does"
                raise RowsError(f"{self._path} expands to more than {measure}. Unpack it if it is sound.", self._path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = "is packed with gzip, and broken or cut short"
            raise RowsError(f"{self._path} {what} ({error}). Get it again.", self._path) from None

    def close(self) -> None:
        self._content.close()
        self._file.close()
        super().close()


def open_content(path: Path) -> IO[bytes]:
    """Open the file at `path` to read its lines: what it holds, where it is packed with gzip.

    Raises OSError where it cannot be opened; reading raises RowsError for what is broken, or expands too far.
    """
    file = path.open("rb")
    return _unpacked(path, file) if file.peek(len(MAGIC))[: len(MAGIC)] == MAGIC else file


def _unpacked(path: Path, file: IO[bytes]) -> Any:
    return _Unpacked(path, file)


def open_for_any_place(path: Path) -> IO[bytes]:
    """Open the file at `path` to be read at any place: what it holds, where it is packed, from a file without a name.

    Raises as `open_content` does, and EnvironmentFault where the folder of temporary files does not take it.
    """
    content = open_content(path)
    if not isinstance(content, _Unpacked):
        return content
    with contextlib.ExitStack() as opening, content:
        with write_faults(f"{tempfile.gettempdir()} (what {path} holds, unpacked)"):
            copy: IO[bytes] = opening.enter_context(tempfile.TemporaryFile())
        for chunk in iter(lambda: content.read(_CHUNK), b""):
            with write_faults(f"{tempfile.gettempdir()} (what {path} holds, unpacked)"):
                copy.write(chunk)
                copy.flush()
        copy.seek(0)
        opening.pop_all()
    return copy
