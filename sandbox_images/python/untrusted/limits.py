"""Notes on errors that come of the sandbox's limits: what a program cannot do here that it could elsewhere.

A note stands beside the error's own words in the verdict, and decides nothing.
"""

from __future__ import annotations

import errno
import resource
import sys

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final

_OTHER_PROCESSES: Final = (
    "/multiprocessing/",
    "/concurrent/futures/process.py",
    "/subprocess.py",
    "/asyncio/base_subprocess.py",
    "/pty.py",
)
_SHARING: Final = ("/multiprocessing/synchronize.py", "/multiprocessing/shared_memory.py", "/multiprocessing/heap.py")
_NO_PROCESS: Final = "the sandbox runs no other process: no process pool, no subprocess, no fork"
_NO_SHARING: Final = (
    f"{_NO_PROCESS}; it has no semaphores and no shared memory, which multiprocessing's threads need too"
)
# What a program meets that waits for a worker which never started, and the modules that start workers.
_WAITED: Final = frozenset(
    {"BrokenBarrierError", "BrokenExecutor", "BrokenProcessPool", "Empty", "Full", "TimeoutError"}
)
_STARTERS: Final = ("multiprocessing.process", "subprocess")
_MAX_ERRORS: Final = 20  # of those that an error tells of
_OF_SYSTEM_ERRORS: Final = {
    errno.EPERM: "the sandbox refused a system call: no network, no other process, no privileges",
    errno.EACCES: "the sandbox lets a program read the image and write in /tmp, no more",
    errno.EROFS: "the sandbox lets a program write in /tmp alone",
    errno.ENOSPC: "the sandbox has 16 MiB and about 1,000 files in /tmp",
    errno.EFBIG: "the sandbox lets no file grow beyond 16 MiB",
    errno.EMFILE: "the sandbox lets a program have 64 open files",
}


def note(error: BaseException) -> str:
    """Return what limit of the sandbox `error` comes of, or an empty text."""
    try:
        errors = _with_causes(error)
        return next(filter(None, map(_note, errors)), "") or _note_on_waiting(errors)
    except BaseException:  # the error, its type and its traceback may be the program's own
        return ""


def _with_causes(error: BaseException) -> list[BaseException]:
    """Return `error`, then what it was raised from or while handling, and what it is a group of: the nearest first."""
    found: list[BaseException] = [error]
    for each in found:
        inner = (*getattr(each, "exceptions", ()), each.__cause__, each.__context__)
        for other in inner[:_MAX_ERRORS]:
            if isinstance(other, BaseException) and not any(other is known for known in found):
                found.append(other)
        if len(found) > _MAX_ERRORS:
            break
    return found


def _note(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _note_on_module(error.name.partition(".")[0])
    if isinstance(error, OSError | ImportError | NotImplementedError) and _is_from(error, _OTHER_PROCESSES):
        return _NO_SHARING if _is_from(error, _SHARING) else _NO_PROCESS
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return f"the sandbox gives the program {_memory_mib()} MiB of address space"
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return (
            "the sandbox allows about 30 threads at once, and their stacks count: "
            f"with all else {_memory_mib()} MiB of address space; {_stack()} each"
        )
    if isinstance(error, ValueError) and str(error) == "not allowed to raise maximum limit":
        return "the sandbox's limits can be lowered, not raised"
    if name == "gaierror":
        return "the sandbox has no network"
    if isinstance(error, EOFError) and _is_reading(error):
        return "the sandbox gives a program nothing to read from standard input"
    if name == "ZoneInfoNotFoundError":
        return "the sandbox's image has no time zone data: fixed offsets only"
    if name == "Error" and type(error).__module__ == "locale":
        return "the sandbox's image has no locales but C and POSIX"
    if isinstance(error, OSError):
        return _OF_SYSTEM_ERRORS.get(error.errno or 0, "")
    return ""


def _note_on_waiting(errors: list[BaseException]) -> str:
    waited = any(type(error).__name__ in _WAITED for error in errors)
    if not (waited and any(module in sys.modules for module in _STARTERS)):
        return ""
    return f"if it waited for another process: {_NO_PROCESS}"


def _note_on_module(name: str) -> str:
    if name in sys.stdlib_module_names:
        return f"the sandbox's image leaves {name} out of the standard library"
    return f"the sandbox's image has no {name}; `edittool image build --package` makes one that has a package"


def _memory_mib() -> int:
    return resource.getrlimit(resource.RLIMIT_AS)[0] // 2**20


def _stack() -> str:
    import _thread

    asked = _thread.stack_size()  # which also sets it back
    _thread.stack_size(asked)
    size = asked or resource.getrlimit(resource.RLIMIT_STACK)[0]
    return "of unlimited size" if size == resource.RLIM_INFINITY else f"{size // 2**20} MiB"


def _is_from(error: BaseException, places: tuple[str, ...]) -> bool:
    """Tell whether `error` came through one of these `places` of the library."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if any(place in trace.tb_frame.f_code.co_filename for place in places):
            return True
        trace = trace.tb_next
    return False


def _is_reading(error: BaseException) -> bool:
    return str(error) == "EOF when reading a line"
