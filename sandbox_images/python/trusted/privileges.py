"""What this process may do, asked of the kernel by system calls: in gVisor nothing is to be seen in /proc."""

from __future__ import annotations

import _ctypes
from _ctypes import Structure, _SimpleCData, byref

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Final

_native: Any = _ctypes
_LIBRARY: Final = _native.dlopen(None, 0)
PR_GET_DUMPABLE: Final = 3
PR_GET_SECCOMP: Final = 21
PR_GET_NO_NEW_PRIVS: Final = 39
SECCOMP_MODE_FILTER: Final = 2
CAPABILITY_VERSION: Final = 0x20080522  # _LINUX_CAPABILITY_VERSION_3


def describe_privileges() -> dict[str, Any]:
    """Return what this process may do, and whether others may look into it."""
    return {
        "capabilities": _capabilities(),
        "no_new_privileges": _ask(PR_GET_NO_NEW_PRIVS) == 1,
        "seccomp": _ask(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER,
        "dumpable": _ask(PR_GET_DUMPABLE) != 0,
    }


def _ask(option: int) -> int:
    """Return what prctl answers to a question; -1 where it refuses."""
    return int(_native.call_function(_native.dlsym(_LIBRARY, "prctl"), (option, 0, 0, 0, 0)))


class _Number(_SimpleCData):  # type: ignore[type-arg]  # generic for type checkers only
    _type_ = "I"


class _Header(Structure):
    """struct __user_cap_header_struct."""

    _fields_ = [("version", _Number), ("process", _Number)]  # noqa: RUF012 - ctypes reads it once


class _Sets(Structure):
    """Two of struct __user_cap_data_struct: the lower and the upper halves of each set."""

    _fields_ = [(f"set{number}", _Number) for number in range(6)]  # noqa: RUF012 - ctypes reads it once


def _capabilities() -> int:
    """Return the three sets of capget in one number: 0 for no capability in any, -1 where it refuses."""
    sets = _Sets()
    address = _native.dlsym(_LIBRARY, "capget")
    if _native.call_function(address, (byref(_Header(CAPABILITY_VERSION, 0)), byref(sets))) != 0:
        return -1
    return int.from_bytes(memoryview(sets).cast("B"), "little")
