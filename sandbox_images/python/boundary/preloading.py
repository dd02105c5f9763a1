"""The modules that programs import most, loaded once for all the programs of a container.

The trusted process loads them before it forks, and keeps them out of its own `sys.modules`: its tests import theirs
anew. In a forked process they wait on a shelf until the program imports one. It then gets that module with all that
comes with it, as an import would have brought; until then nothing of them is to be seen.
"""

from __future__ import annotations

import _frozen_importlib
import builtins
import sys

from .light import TYPE_CHECKING, ModuleType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final

importing: Any = _frozen_importlib

# What at least one in fifty programs of HumanEval, MBPP or LeetCode imports, after what these import themselves, each
# module behind those that it needs. None of them may differ between two processes: `random`, which has a seed, has only
# its needs here.
POPULAR: Final = (
    *("_abc", "abc", "_collections_abc", "stat", "os", "types", "warnings", "keyword", "_operator", "operator"),
    *(
        "itertools",
        "reprlib",
        "_collections",
        "collections",
        "collections.abc",
        "_functools",
        "functools",
        "enum",
        "re",
        "contextlib",
    ),
    *("typing", "math", "_bisect", "bisect", "_heapq", "heapq", "string", "datetime", "_random", "_sha512"),
)


class Shelf:
    """Modules that are loaded and not imported: by name, and with each the names that its import brings."""

    def __init__(self, names: tuple[str, ...]):
        """Load `names`; `sys.modules` is as before afterwards."""
        self._modules: dict[str, ModuleType] = {}
        self._brings: dict[str, list[str]] = {}  # in the order of `sys.modules`
        self._handed_out: set[str] = set()
        self._import: Callable[[str, Any], Any] = importing._find_and_load
        before = sys.modules.copy()
        importing._find_and_load = self._load
        try:
            for name in names:
                __import__(name)
                _return_to(before)
        finally:
            importing._find_and_load = self._import
        self._names = self._brings.keys() & set(names)  # what was imported before is there, and stays
        # Packages get their optional modules when these are handed out.
        late = [name.rpartition(".") for name in self._modules if self._is_late(name)]
        self._late = {f"{package}.{name}": (self._modules[package], name) for package, _, name in late}
        for package, name in self._late.values():
            delattr(package, name)

    def _load(self, name: str, import_: Any) -> Any:
        """Stand in for the import system's function while the shelf is filled."""
        if name not in self._brings:
            before = sys.modules.keys() - {name}
            self._import(name, import_)
            self._brings[name] = [each for each in sys.modules if each not in before]
            self._modules |= {each: sys.modules[each] for each in self._brings[name]}
        sys.modules.update((each, self._modules[each]) for each in self._brings[name])
        return self._modules[name]

    def _is_late(self, name: str) -> bool:
        package, dot, _ = name.rpartition(".")
        return bool(dot) and package in self._brings and name not in self._brings[package]

    def offer(self, changes: Iterable[Mapping[str, str]] = ()) -> None:
        """Hand the modules out, from now on, to who imports them; at once those from which `changes` remove something.

        Their objects exist, so a program might meet one before it has imported the module.
        """
        self._settings = _settings()
        importing._find_and_load = self._hand_out
        for change in changes:
            top = change["deprecated"].partition(".")[0]
            if top in self._names:
                __import__(top)

    def _hand_out(self, name: str, import_: Any) -> Any:
        """Stand in for the import system's function in the program's process."""
        if name not in self._names or not self._may_hand_out(self._brings[name]):
            return self._import(name, import_)
        for each in self._brings[name]:
            sys.modules[each] = module = self._modules[each]
            if each in self._late:
                setattr(*self._late[each], module)
        self._handed_out.update(self._brings[name])
        return self._modules[name]

    def _may_hand_out(self, names: list[str]) -> bool:
        """Tell whether an import would look in the same places, and what was handed out of `names` is still there."""
        return _settings() == self._settings and all(
            sys.modules.get(name) is self._modules[name] if name in self._handed_out else name not in sys.modules
            for name in names
        )


def _settings() -> tuple[object, ...]:
    """Return what decides where an import finds a module."""
    return builtins.__import__, sys.path.copy(), sys.meta_path.copy(), sys.path_hooks.copy()


def _return_to(before: dict[str, ModuleType]) -> None:
    for name in sys.modules.keys() - before.keys():
        del sys.modules[name]
