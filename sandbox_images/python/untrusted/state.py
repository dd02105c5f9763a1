"""The state that the parts of one world share: the removal, the program's builtins, the record of bypasses.

The parts import one way: the state, attributes, the compiler, the facades, the world. The one thing that the lower
parts ask of a higher one, a module's facade, they ask for here.
"""

from __future__ import annotations

from ..boundary.bypasses import CODES
from ..boundary.light import TYPE_CHECKING
from .removal import Removal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, ModuleType
    from typing import Any

    from .replacements.in_library import InLibrary


class WorldState:
    """The state of one world, in which the APIs called `names` are removed.

    Those called `perhaps` are where they exist. `in_library` has the replacements that a library has itself.
    `builtins` is the program's mapping, which the world fills; `bypasses` are codes of ways around a removal that were
    taken. `facade_of` gives the facade of a module and `facade_names` that facade's namespace, once there are facades.
    Raises LookupError for an API that does not exist.
    """

    facade_of: Callable[[Any], Any]
    facade_names: Callable[[ModuleType], dict[str, Any]]

    def __init__(self, names: Iterable[str], perhaps: Iterable[str], in_library: InLibrary):
        self.in_library = in_library
        self.removal = Removal(names, perhaps, in_library)
        self.builtins: dict[str, Any] = {}
        self.bypasses: list[str] = []
        self.generated: list[CodeType] = []  # that the library writes for the program, and is its own all the same

    def record(self, code: str) -> None:
        """Record a way around a removal."""
        assert code in CODES
        if code not in self.bypasses:
            self.bypasses.append(code)
