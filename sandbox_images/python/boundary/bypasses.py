"""Ways around a removal that a world leaves open, and records where a program takes them.

Closing them would cost every program, or change what programs see that mean no harm. A bypass is recorded
in the candidate's own process: a program that sets out to hide a way it took can. A world is no security
boundary; a bypass tells how a program that tried nothing of the kind got past its change.
"""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

CODES: Final = (
    "class_of_value",  # called the class of a value, as in type(5)("3")
    "class_relatives",  # read a removed class from the bases of another
    "closure",  # read what a function of the runner holds
    "code_object",  # ran code that was not compiled in the world and names what is removed
    "ctypes",  # reached for objects by their addresses
    "frame_locals",  # read the variables of a frame that is not the program's
    "gc",  # asked the garbage collector for objects
    "library_container",  # read a container of the library's that holds something removed
    "loader",  # loaded a second copy of a module that something is removed from
    "match_class",  # captured something removed by a class pattern
    "object_parts",  # took something removed out of another object
    "pickle",  # unpickled a removed class by its name
    "trace_hook",  # had the interpreter report what others call
    "typing_alias",  # called a removed class through its alias in typing
)
