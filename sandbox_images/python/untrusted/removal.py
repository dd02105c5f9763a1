"""The removed APIs of a world: given by their dotted names, recognised by identity wherever the candidate meets them.

A world of a hundred changes has to start at once, so a module that nobody has imported yet is not imported for the
sake of what is removed from it: none of its objects exists. Its removed APIs are found once it is imported.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.light import TYPE_CHECKING, ModuleType
from .lookup import class_namespace, class_path, definer, is_class, is_module, lineage, own_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from .replacements.in_library import InLibrary

    Owner = ModuleType | type
    OnFound = Callable[[str, Owner, str], None]  # is told of an API's name, its owner and the attribute's name

_BUILTIN_METHODS: Final = frozenset({type([].append), type([].__len__)})
_FUNCTION: Final = type(lambda: None)
_METHOD: Final = type((lambda self: self).__get__(0))
# Python twins of C modules: an object in one of them is the removed one of its namesake, under another identity.
_TWINS: Final = {"_pyio": ("io", "builtins"), "_pydecimal": ("decimal",), "_pydatetime": ("datetime",)}


class Removal:
    """The removed APIs of one world: those called `names`, and those called `perhaps` where they exist.

    `attributes` are the names that a removed method may have. What is removed may be the same object as a replacement
    `in_library`, which stays: then its old name alone goes. `tell_of` hears of each API once it is found.
    """

    def __init__(self, names: Iterable[str], perhaps: Iterable[str], in_library: InLibrary):
        perhaps = set(perhaps)
        self._perhaps, self._in_library = perhaps, in_library
        self._found: list[tuple[str, Owner, str]] = []
        self._on_found: OnFound | None = None
        self.builtins: set[str] = set()
        self.attributes: set[str] = set()
        self.last_names: dict[str, str] = {}  # the last part of each API's name, and the whole
        self._objects: dict[int, object] = {}
        self._places: set[tuple[str, str]] = set()  # module and attribute
        self._classes: dict[str, set[type]] = {}
        self._class_paths: dict[str, set[str]] = {}
        self._pending: list[tuple[str, str]] = []  # top-level module and name
        for name in {**dict.fromkeys(names), **dict.fromkeys(perhaps)}:
            self._expect(name)
        self.find()

    def _expect(self, name: str) -> None:
        top, _, rest = name.partition(".")
        owner, _, attribute = name.rpartition(".")
        self.last_names[attribute] = name
        if not rest or isinstance(getattr(builtins, top, None), type):
            self._remove(name)
            return
        self._pending.append((top, name))
        self._places.add((owner, attribute))
        if "." in owner:  # a method, or a function of a module in a package: only an import can tell
            self.attributes.add(attribute)
            self._class_paths.setdefault(attribute, set()).add(owner)

    def find(self, *, everywhere: bool = False) -> bool:
        """Find what is removed from the modules that are imported by now; `everywhere` imports the others.

        Return False where a module is just being imported. Raises LookupError for an API that does not exist.
        """
        self._in_library.find()
        for top, name in self._pending.copy():
            if everywhere or top in sys.modules:
                if getattr(getattr(sys.modules.get(top), "__spec__", None), "_initializing", False):
                    return False
                self._remove(name)
                if (top, name) in self._pending:  # a thread may have been faster
                    self._pending.remove((top, name))
        return True

    def _remove(self, name: str) -> None:
        try:
            owner, attribute = resolve_owner(name)
        except LookupError:
            if name in self._perhaps:
                return
            raise
        if isinstance(owner, type):
            cls = definer(lineage(owner), attribute)
            assert cls is not None
            self.attributes.add(attribute)
            self._classes.setdefault(attribute, set()).add(cls)
            self._class_paths.setdefault(attribute, set()).add(class_path(cls))
            self.add(class_namespace(cls)[attribute])
            self._note_found(name, cls, attribute)
            return
        self._places.add((owner.__name__, attribute))
        if attribute not in vars(owner):  # the module makes it when it is asked for, and is not asked
            return
        value = vars(owner)[attribute]
        if owner is builtins:
            self.builtins.add(attribute)
        # Equal constants are shared between modules that know nothing of each other: only that name goes.
        if callable(value):
            self.add(value)
        self._note_found(name, owner, attribute)

    def _note_found(self, name: str, owner: Owner, attribute: str) -> None:
        self._found.append((name, owner, attribute))
        if self._on_found is not None:
            self._on_found(name, owner, attribute)

    def tell_of(self, on_found: OnFound) -> None:
        """Tell `on_found` of each API that is found by now, and of each other one when it is."""
        self._on_found = on_found
        for found in self._found:
            on_found(*found)

    def add(self, value: Any) -> None:
        """Have `value` count as removed too, unless it is a replacement."""
        if self._in_library.has(value):
            return
        self._objects[id(value)] = value
        if isinstance(value, classmethod | staticmethod):
            self._objects[id(value.__func__)] = value.__func__

    # What the candidate meets

    def has(self, value: Any) -> bool:
        """Tell whether `value` is a removed object, another copy of a removed function, or a removed method bound."""
        if id(value) in self._objects:
            return True
        kind = type(value)
        if kind is _METHOD:
            return id(value.__func__) in self._objects
        if kind is _FUNCTION:
            return value.__code__.co_name in self.last_names and (value.__module__, value.__qualname__) in self._places
        if kind in _BUILTIN_METHODS and value.__name__ in self.last_names:
            owner, name = value.__self__, value.__name__
            if is_module(owner):
                return (owner.__name__, name) in self._places
            return name in self._class_paths and self._is_removed_from(definer(lineage(owner), name), name)
        return False

    def has_place(self, module: ModuleType, name: str, value: object) -> bool:
        """Tell whether the attribute `name` of `module`, which is `value`, is removed."""
        if id(value) in self._objects:
            return True
        place = module.__name__
        if (place, name) in self._places:
            if callable(value):
                self.add(value)  # a module imported anew: its objects are others
            return True
        return any((twin, name) in self._places for twin in _TWINS.get(place, ()))

    def lacks(self, value: Any, name: str) -> bool:
        """Tell whether attribute `name` of `value` is a removed method."""
        if name not in self._class_paths:
            return False
        self.find()
        if name in own_attributes(value) and not is_class(value):
            return False
        return self._is_removed_from(definer(lineage(value), name), name)

    def _is_removed_from(self, owner: type | None, name: str) -> bool:
        if owner is None:
            return False
        return owner in self._classes.get(name, ()) or class_path(owner) in self._class_paths[name]


def resolve_owner(name: str) -> tuple[ModuleType | type, str]:
    """Return what the API called `name` is an attribute of, a module or a class, and the attribute's name.

    len -> (builtins, "len"); str.split -> (str, "split"); os.path.join -> (posixpath, "join").
    Raises LookupError when there is no such API.
    """
    *path, attribute = name.split(".")
    owner: Any = builtins
    if path and not isinstance(getattr(builtins, path[0], None), type):
        owner, path = _longest_module(path)
    for part in path:
        owner = getattr(owner, part, None)
    if not isinstance(owner, ModuleType | type) or not hasattr(owner, attribute):
        raise LookupError(f"there is no API called {name!r}")
    return owner, attribute


def _longest_module(path: list[str]) -> tuple[ModuleType | None, list[str]]:
    for length in range(len(path), 0, -1):
        name = ".".join(path[:length])
        try:
            __import__(name)
        except ImportError:
            continue
        return sys.modules[name], path[length:]
    return None, []
