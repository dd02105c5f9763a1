"""Wipes a recycled container between two programs: kills the processes of the first, and empties its folders."""

from __future__ import annotations

import _signal
import posix
import time

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

# The last with crun and control groups of version 1 alone.
WRITABLE: Final = ("/tmp", "/dev/shm", "/dev/mqueue", "/sys/fs/cgroup")  # noqa: S108 - the container's own
WIPING_SECONDS: Final = 2.0
MAX_DEPTH: Final = 100  # folders nested deeper are an attack on this function

NOT_WIPED: Final = 6  # exit status: what is left cannot be removed, so nothing more is run here


def wipe(keep: set[int], room: list[tuple[int, int]]) -> None:
    """Kill every process but those of `keep`, and empty the folders that a program can write until they have `room`.

    Ends the container where that fails: the host then takes a fresh one.
    """
    deadline = time.monotonic() + WIPING_SECONDS
    try:
        _kill_others(keep, deadline)
        for folder in filter(_can_write, WRITABLE):
            _empty(folder, MAX_DEPTH)
        while free_room() != room:  # the kernel frees the files of a killed process a little later
            _check(deadline, "the folders are empty, but what was in them still takes room")
            time.sleep(0.001)
    except OSError:
        posix._exit(NOT_WIPED)


def free_room() -> list[tuple[int, int]]:
    """Return how many blocks and inodes are free in each folder that a program can write."""
    return [(status.f_bfree, status.f_ffree) for status in map(posix.statvfs, filter(_can_write, WRITABLE))]


def _can_write(folder: str) -> bool:
    return posix.access(folder, posix.W_OK)


def _check(deadline: float, failure: str) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(failure)


def _kill_others(keep: set[int], deadline: float) -> None:
    # In gVisor /proc is empty. There is nobody then: a program starts no process, and its own was reaped.
    while others := {int(name) for name in posix.listdir("/proc") if name.isdigit()} - keep:
        _check(deadline, "processes come faster than they can be killed")
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
        if posix.lstat(path).st_uid != posix.getuid():
            continue  # the engine's
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
