"""Files and folders that appear whole or not at all, locks that name their holder, and one wording of a refused write.

A reader sees the old file or the new one, never a part: what is written goes into a hidden folder beside its place, is
synced to the disk, and is moved there in one step. The hidden folder has an unpredictable name, and nobody else may
enter it, so that no link can be planted where a file is about to be opened. A kill may leave such a folder behind; the
next write to the same place removes it (not the empty one of a writer that was killed as it began).

A lock decides who may write, and a note on the locked file or folder, an extended attribute, names the holder to those
who are refused. The note goes where the file goes, over NFS too, and leaves nothing beside it. A file system without
such attributes (NFS before 4.2, tmpfs before Linux 6.6) has locks without names.
"""

import contextlib
import fcntl
import itertools
import json
import os
import re
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from .errors import EnvironmentFault, InputError

NOTE = "user.edittool.writer"
# Characters of a name that its hidden folder bears: with all of a long one, the folder's would be too long.
MAX_NAME = 48
_HELD = "held"
_ODD = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


# Refused writes


def unwritable(place: Path | str, error: Exception, note: str = "") -> EnvironmentFault:
    """Return the fault for `place`, which `error` keeps from being written; `note` is a sentence to end with."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error).rstrip(".")
    remedy = "Free some space, check the permissions, or choose another place."
    return EnvironmentFault(f"{place} cannot be written: {reason}. {remedy}{note and ' '}{note}")


def check_ordinary(place: Path) -> None:
    """Raise InputError where `place`, links followed, is a device, a pipe or a socket.

    Replaced, it would be lost to all who use it; and what was written to it cannot be looked at again. A link to a
    file that a process has open, as /dev/stdout is one, counts as these do.
    """
    with contextlib.suppress(OSError):  # what cannot be looked at: the write says it
        kind = stat.S_IFMT(place.stat().st_mode)
        if kind in _ODD:
            raise InputError(f"{place} is no ordinary file but {_ODD[kind]}; choose a file.")
        if place.is_symlink() and (place.parent / place.readlink()).parent.resolve().is_relative_to("/proc"):
            raise InputError(f"{place} is no ordinary file but one that a process has open; choose a file.")


@contextlib.contextmanager
def write_faults(place: Path | str, *also: type[Exception], note: str = "") -> Iterator[None]:
    """Raise EnvironmentFault, worded by `unwritable`, for OSError and for `also`, which a library raises instead."""
    refused: tuple[type[Exception], ...] = (OSError, *also)
    try:
        yield
    except refused as error:
        raise unwritable(place, error, note) from error


def read_text(path: Path) -> str:
    """Return what the file `path` holds as UTF-8. Raises InputError for a file that cannot be read, or is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check the path.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8, at byte {error.start + 1}. Save it as UTF-8.") from None


def make_folder(folder: Path, title: str) -> None:
    """Make `folder`, and those it stands in, where it is missing; `title` says what it is, as in "a report".

    Raises InputError where it, or a folder it stands in, is a file; EnvironmentFault where it cannot be made.
    """
    with write_faults(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            in_the_way = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
            raise InputError(f"{in_the_way} is a file; {title} is a folder. Choose another name.") from None


@contextlib.contextmanager
def in_folder(folder: Path, title: str) -> Iterator[None]:
    """Make `folder` as `make_folder` does; on an error, those that were made and have nothing in them go again."""
    made = missing(folder)
    make_folder(folder, title)
    try:
        yield
    except BaseException:
        remove_empty(made)
        raise


def missing(place: Path) -> list[Path]:
    """Return `place` and the folders that it stands in, as far as they do not exist, the innermost first."""
    return list(itertools.takewhile(lambda one: not os.path.lexists(one), (place, *place.parents)))


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove `folders`, the innermost first, up to the first that is not empty."""
    with contextlib.suppress(OSError):
        for folder in folders:
            folder.rmdir()


# Whole files and folders


def replace_file(path: Path, parts: Iterable[str]) -> None:
    """Write the ASCII text `parts` to `path` as a whole.

    Raises InputError for what is no file, EnvironmentFault when the disk or a permission refuses; an old file then
    stays as it was.
    """
    with write_faults(path), aside(path) as temporary, temporary.open("x", encoding="ascii", newline="\n") as file:
        file.writelines(parts)


@contextlib.contextmanager
def aside(path: Path, mode: int | None = None) -> Iterator[Path]:
    """Give a path to write a file or a folder at; without an exception, that takes the place of `path` in one step.

    Files get `mode`, or that of an ordinary new file, whatever the library that writes them gives them. A link at
    `path` to a file is replaced, and not what it leads to. Raises InputError where `path` is, or leads to, a device, a
    pipe or a socket, or a folder where a file is written; OSError where the disk or a permission refuses, or a folder
    at `path` with something in it. What is at `path` then stays as it was, and nothing is left beside it.
    """
    check_ordinary(path)
    remove_leftovers(path)
    with _hidden_folder(path) as (hidden, ordinary_mode):
        written = hidden / "written"
        yield written
        mode = ordinary_mode if mode is None else mode
        for file in written.rglob("*") if written.is_dir() else [written]:
            if file.is_file() and not file.is_symlink():
                if stat.S_IMODE(file.stat().st_mode) != mode:
                    file.chmod(mode)
                sync(file)
        if path.is_dir() and not written.is_dir():
            raise InputError(f"{path} is no ordinary file but a folder; choose a file.")
        os.replace(written, path)


def sync(path: Path) -> None:
    """Wait until the file at `path` is on the disk. Raises OSError where the disk refuses."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def _hidden_folder(path: Path) -> Iterator[tuple[Path, int]]:
    """Give a folder beside `path` that nobody else may enter, and the mode of an ordinary new file there.

    A locked file in it says that its writer lives. It is a file because NFS keeps locks of folders to one machine.
    """
    with contextlib.ExitStack() as stack:
        while True:
            hidden = Path(tempfile.mkdtemp(prefix=f".{path.name[:MAX_NAME]}.", suffix=".partial", dir=path.parent))
            stack.callback(shutil.rmtree, hidden, ignore_errors=True)
            held = stack.enter_context((hidden / _HELD).open("xb"))
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # by `remove_leftovers` in another process, which removes it now
                continue
            except OSError:  # no locks here: nobody will take it for a leftover
                break
            if (hidden / _HELD).exists():  # else it was removed before it was locked
                break
        yield hidden, stat.S_IMODE(os.fstat(held.fileno()).st_mode)


def remove_leftovers(path: Path) -> None:
    """Remove the hidden folders of writers of `path` that were killed."""
    ours = re.compile(rf"\.{re.escape(path.name[:MAX_NAME])}\.[a-z0-9_]{{8}}\.partial")
    with contextlib.suppress(OSError):
        for name in filter(ours.fullmatch, os.listdir(path.parent)):
            _remove_unheld(path.with_name(name))


def _remove_unheld(hidden: Path) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(hidden / _HELD, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would keep us waiting
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(hidden)
        finally:
            os.close(descriptor)


# Locks


def lock(descriptor: int, place: Path, remedy: str = "Wait for it to end, or choose another place.") -> None:
    """Lock the open file or folder `place` until it is closed, and note on it that this process writes it.

    Raises InputError, naming the holder where that is known, where another process has locked it; OSError where its
    file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _describe_holder(descriptor)
        who = f"another edittool ({holder})" if holder else "another edittool"
        raise InputError(f"{place} is being written by {who}. {remedy}") from None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})
    with contextlib.suppress(OSError):
        os.setxattr(descriptor, NOTE, note.encode())


def unlock(descriptor: int) -> None:
    """Remove the note of `lock`, and the lock, before the file or folder is closed. Only the holder may."""
    with contextlib.suppress(OSError):
        os.removexattr(descriptor, NOTE)
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _describe_holder(descriptor: int) -> str:
    """Return "process 4711 on host lab3, since 2026-11-22 14:02:11", in this machine's time, or "" when unknown."""
    try:
        note = json.loads(os.getxattr(descriptor, NOTE))
        pid, host = int(note["pid"]), str(note["host"])
        since = datetime.fromisoformat(note["since"]).astimezone()
    except (OSError, KeyError, TypeError, ValueError):
        return ""
    if host == socket.gethostname() and not Path(f"/proc/{pid}").exists():
        return ""  # one that was killed wrote it; the holder of the lock is somebody else
    return f"process {pid} on host {host}, since {since:%Y-%m-%d %H:%M:%S}"
