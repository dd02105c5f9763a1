"""Whose code it is, by the name of its file: the library's, the runner's, a shim's, or else the program's.

The world's own `compile` gives no code of the program a name of the other kinds. Code that came some other way (out of
`marshal`, or changed by `replace`) can have any name: a program that sets out to pass for the library can.
"""

from __future__ import annotations

import sys

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Final

OWN_PACKAGES: Final = "/edittool/packages"  # in an own image; the tests' process imports nothing from there
RUNNER: Final = (lambda: 0).__code__.co_filename.rpartition("/untrusted/")[0] + "/"
SHIM: Final = "<shim "
_LIBRARY: Final = tuple(f"{folder}/" for folder in (sys._stdlib_dir, OWN_PACKAGES) if folder)  # type: ignore[attr-defined]  # CPython's own
_FROZEN: Final = "<frozen "
_OTHERS: Final = (*_LIBRARY, RUNNER, SHIM, _FROZEN)


def is_programs(filename: str) -> bool:
    """Tell whether code with that file name is the program's."""
    return not filename.startswith(_OTHERS)


def programs_name(filename: Any) -> Any:
    """Return `filename` for code of the program: one that would make it somebody else's is changed."""
    return f"./{filename}" if isinstance(filename, str) and not is_programs(filename) else filename
