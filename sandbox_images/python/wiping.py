"""What one program of a recycled container left behind is removed before the next one starts."""

from __future__ import annotations

import _signal
import posix
import time

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

WRITABLE: Final = ("/tmp", "/dev/shm", "/dev/mqueue")  # noqa: S108 - the container's own
KILLING_SECONDS: Final = 2.0
MAX_DEPTH: Final = 100  # folders nested deeper are an attack on this function

NOT_WIPED: Final = 6  # exit status: what is left cannot be removed, so nothing more is run here


def wipe(keep: set[int]) -> None:
    """Kill every process but those of `keep`, and empty the folders that a program can write.

    Ends the container where that fails: the host then takes a fresh one.
    """
    try:
        _kill_others(keep)
        for folder in WRITABLE:
            _empty(folder, MAX_DEPTH)
    except OSError:
        posix._exit(NOT_WIPED)


def _kill_others(keep: set[int]) -> None:
    deadline = time.monotonic() + KILLING_SECONDS
    while others := {int(name) for name in posix.listdir("/proc") if name.isdigit()} - keep:
        if time.monotonic() > deadline:
            raise TimeoutError("processes come faster than they can be killed")
        for process in others:
            try:
                posix.kill(process, _signal.SIGKILL)
                posix.waitpid(process, posix.WNOHANG)
            except (ProcessLookupError, ChildProcessError):
                continue  # gone, or the child of another that is just dying


def _empty(folder: str, depth: int) -> None:
    if depth == 0:
        raise OSError("folders are nested too deep")
    for name in _names_in(folder):
        path = f"{folder}/{name}"
        try:
            posix.unlink(path)
        except IsADirectoryError:
            posix.chmod(path, 0o700)
            _empty(path, depth - 1)
            posix.rmdir(path)


def _names_in(folder: str) -> list[str]:
    try:
        return posix.listdir(folder)
    except FileNotFoundError:
        return []
