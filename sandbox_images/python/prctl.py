"""The system call prctl, which the standard library has no function for."""

from __future__ import annotations

# The C module alone: the ctypes package takes longer to import than all the rest of the runner.
import _ctypes

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_native: Any = _ctypes


def prctl(option: int, *arguments: Any) -> None:
    """Call prctl for this process; an argument is an int of 32 bits or what `_ctypes.byref` returns. Raises OSError."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _native.call_function(_ADDRESS, (option, *padded)) != 0:
        raise OSError(f"prctl {option} was refused")


_ADDRESS = _native.dlsym(_native.dlopen(None, 0), "prctl")
