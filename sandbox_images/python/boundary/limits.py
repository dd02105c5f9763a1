"""The limits of the two processes: sizes of what crosses between them, and what the untrusted one may use.

The host reads some of them too: what it asks the engine for has to leave room for what is asked for here, and what
cannot cross it does not send. Sizes count bytes as they cross: as JSON in ASCII, where a letter outside takes 6 or 12.
"""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

# What crosses
MAX_PROGRAM_BYTES: Final = 8 * 2**20
MAX_JOB_BYTES: Final = 16 * 2**20  # a program, and as much again for its problem and its world
MAX_REPLY_BYTES: Final = 8 * 2**20
MAX_RESULT_BYTES: Final = 32 * 2**20  # what the host is told of one job
MAX_HANDLES: Final = 100_000  # objects that stay in the program's process and that its tests hold
MAX_BASES: Final = 64  # classes of an exception's
MAX_ARGUMENTS: Final = 64 * 1024  # bytes of an exception's arguments; beyond, only its message crosses
MAX_TEXT: Final = 500  # characters of an error's message
MAX_PATHS: Final = 8  # classes noted for one traced attribute
MAX_PATH: Final = 200  # characters of the dotted path of such a class
MAX_SEEN: Final = 20  # calls of what is removed that a watched run tells of

# What the untrusted process may use
DESCRIPTORS: Final = 64  # in a recycled container the trusted process has more
RESERVED_MIB: Final = 64  # of the container's memory, for the trusted process
LIBRARIES: Final = b"EDITTOOL_LIBRARIES_MIB"  # in an own image's environment: size of its packages' shared libraries


def kernel_cpu_seconds(seconds: float) -> int:
    """Return the kernel's limit on CPU time, which is in whole seconds and comes after the trusted process's own."""
    return int(-(-seconds // 1)) + 1
