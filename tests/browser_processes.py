"""Which processes belong to the browsers that a process of tests has started."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """One that runs, with the program that started it and the session that it belongs to."""

    pid: int
    parent: int
    session: int


def browsers(tester: int) -> list[int]:
    """Return the browsers that run for the process `tester`: what Playwright's driver has started."""
    drivers = children(tester)
    return [process.pid for process in _running() if process.parent in drivers and process.session == process.pid]


def children(parent: int) -> set[int]:
    """Return the processes that `parent` has started and that still run."""
    return {process.pid for process in _running() if process.parent == parent}


def session(browser: int) -> list[int]:
    """Return the processes that still run of those that the process `browser` leads, itself included."""
    return [process.pid for process in _running() if process.session == browser]


def mentioning(folder: Path) -> list[int]:
    """Return the processes with `folder` in their command line: those that wait for a crash lead no session."""
    return [process.pid for process in _running() if str(folder).encode() in _read(process.pid, "cmdline")]


def files_of(browser: int) -> list[Path]:
    """Return the folders of the process `browser`: its profile, and its home."""
    parts = [*_read(browser, "cmdline").decode().split("\0"), *_read(browser, "environ").decode().split("\0")]
    return [Path(part.partition("=")[2]) for part in parts if part.startswith(("--user-data-dir=", "HOME="))]


def _read(process: int, name: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/{name}").read_bytes()
    return b""


def _running() -> Iterator[Process]:
    """Yield all processes but zombies: where nobody reaps, one stays for ever."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, _, session = file.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if state != "Z":
                yield Process(int(file.parent.name), int(parent), int(session))
