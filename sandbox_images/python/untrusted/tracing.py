"""Notes, while the program runs, which class defines each attribute that it loads.

The program was instrumented before it came here: each load `x.name` reads `__edittool_trace__(index, x).name`. These
notes help to read a program statically and decide no verdict, since the program can forge them.
"""

from __future__ import annotations

from ..boundary.light import TYPE_CHECKING, ModuleType
from ..boundary.limits import MAX_PATH, MAX_PATHS
from .lookup import class_path, definer, is_class, lineage, own_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

TRACE_FUNCTION: Final = "__edittool_trace__"


class Trace:
    """For each traced attribute, the paths of the classes that were seen to define it.

    "module" stands for a value that was a module, "?" for an attribute that no class defines. After the first
    MAX_PATHS of an attribute nothing more is noted for it.
    """

    def __init__(self, names: Sequence[str]):
        self._names = names
        self._seen: dict[int, list[str]] = {}
        self._settled: set[tuple[int, type]] = set()
        self._news = False

    def note(self, index: int, value: Any) -> Any:
        """Note what defines attribute `index` of `value`, and return `value`."""
        kind = type(value)
        if (index, kind) not in self._settled:
            self._note_path(index, _definer_path(value, self._names[index]))
            if kind.__dictoffset__ == 0 and kind is not super:
                self._settled.add((index, kind))  # instances cannot differ
        return value

    def _note_path(self, index: int, path: str) -> None:
        paths = self._seen.setdefault(index, [])
        if path not in paths and len(paths) < MAX_PATHS:
            paths.append(path)
            self._news = True

    def news(self) -> dict[str, list[str]]:
        """Return all that was noted, by index, or nothing where nothing came since the last time."""
        if not self._news:
            return {}
        self._news = False
        return {str(index): paths for index, paths in self._seen.items()}


def _definer_path(value: Any, name: str) -> str:
    if issubclass(type(value), ModuleType):
        return "module"
    cls = definer(lineage(value), name)
    if is_class(value):
        cls = cls or definer(lineage(type(value)), name)
    elif name in own_attributes(value):
        return "?"
    return class_path(cls)[:MAX_PATH] if cls else "?"
