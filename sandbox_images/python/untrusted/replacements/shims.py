"""The replacements that a change defines by a shim: compiled when they are first called, and counted."""

from __future__ import annotations

import builtins

from ...boundary.light import TYPE_CHECKING
from ..origin import SHIM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .counts import Counts


class Shims:
    """The replacements of one world that its changes define: `replacements` has them by their bare names."""

    def __init__(self, changes: Iterable[Mapping[str, Any]], counts: Counts):
        self._sources = {change["replacement"]: change["shim"] for change in changes}
        self._counts = counts
        self._loaded: dict[str, Callable[..., Any]] = {}
        self.replacements: dict[str, Any] = {}
        for name, source in self._sources.items():
            self.replacements[name] = self._make(name, source)

    def is_replaced(self, name: str) -> bool:
        """Tell whether what is called as the replacement `name` is other code than its shim's by now."""
        code = getattr(self._loaded.get(name), "__code__", None)
        return code is not None and code.co_filename != f"{SHIM}{name}>"

    def _make(self, name: str, source: str) -> object:
        if f"def {name}(" in source:
            return self._counted(name)
        value = self._load(name)
        return self._counted(name) if callable(value) else value

    def _load(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = load_shim(name, self._sources[name])
            if name in self.replacements:
                self.replacements[name].__doc__ = self._loaded[name].__doc__
        return self._loaded[name]

    def _counted(self, name: str) -> Callable[..., Any]:
        replacement = self._counts.counted(name, lambda: self._load(name))
        replacement.__name__ = replacement.__qualname__ = name
        return replacement


def load_shim(name: str, source: str) -> Any:
    """Return what `source` defines as `name`, with the library as it really is."""
    namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": "edittool_shims"}
    exec(compile(source, f"{SHIM}{name}>", "exec", dont_inherit=True), namespace)
    return namespace[name]
