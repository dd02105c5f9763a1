"""Ways around a removal that a world leaves open, and records where a program takes them.

Closing them would cost every program, or change what programs see that mean no harm. A bypass is recorded
in the candidate's own process: a program that sets out to hide a way it took can. A world is no security
boundary; a bypass tells how a program that tried nothing of the kind got past its change.
"""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

UNWATCHABLE: Final = "unwatchable"
CODES: Final = (
    "removed_call",  # called a removed function or method, however it was reached
    "removed_constant",  # read a removed constant, past the world's own module
    "class_of_value",  # called a removed class, got from a value as in type(5)("3"), from a base, a container, an alias
    UNWATCHABLE,  # passes, and does not where somebody watches what it calls
    "ctypes",  # reached for objects by their addresses
    "gc",  # asked the garbage collector for objects
    "trace_hook",  # had the interpreter report what others call
)
