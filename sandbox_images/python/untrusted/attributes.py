"""Attributes as a world shows them: a removed method is not there, and no namespace has what is removed."""

from __future__ import annotations

from ..boundary.light import TYPE_CHECKING
from .lookup import class_namespace, definer, is_class, is_module, lineage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .state import WorldState


class Attributes:
    """Reads attributes for the candidate. `watched` are the names whose reading has to go through here."""

    def __init__(self, state: WorldState):
        self._state = state
        self._removal = state.removal
        self.watched = state.removal.attributes | state.in_library.attributes | {"__dict__"}
        self._plain: set[tuple[type, str]] = set()

    def get(self, value: Any, name: str) -> Any:
        """Return attribute `name` of `value` as this world shows it.

        Raises AttributeError in Python's own words for a removed one.
        """
        kind = type(value)
        if (kind, name) in self._plain:
            return getattr(value, name)
        if is_module(value):
            value = self._state.facade_of(value)
        elif self._removal.lacks(value, name):
            return _instead(value, name)
        found = getattr(value, name)
        if name == "__dict__":
            return self.namespace(value, found)
        if name in self._state.in_library.attributes and not is_module(value):
            counted = self._state.in_library.attribute(value, name, found)
            if counted is not found:
                return counted
        if self._removal.has(found):  # a proxy handed it on
            return _instead(value, name)
        if kind.__dictoffset__ == 0 and kind is not super and definer(lineage(value), name):
            self._plain.add((kind, name))  # instances cannot differ
        return found

    def namespace(self, value: Any, found: Any) -> Any:
        """Return what the world shows of `found`, the namespace of `value`."""
        if is_class(value):
            return self._class_namespace(value)
        return self._state.facade_names(value) if is_module(value) else found

    def _class_namespace(self, cls: type) -> Mapping[str, Any]:
        namespace = class_namespace(cls)
        has, lacks = self._removal.has, self._removal.lacks
        shown = {name: member for name, member in namespace.items() if not has(member) and not lacks(cls, name)}
        return namespace if len(shown) == len(namespace) else shown


def _instead(value: Any, name: str) -> Any:
    """Return what Python finds where a class lacks an attribute: what the class's own `__getattr__` gives.

    Raises AttributeError in Python's own words.
    """
    kind = type(value)
    owner = definer(lineage(kind if is_class(value) or kind is super else value), "__getattr__")
    if owner is not None and not is_module(value):
        return class_namespace(owner)["__getattr__"](value, name)
    kind_of = f"type object {value.__name__!r}" if is_class(value) else f"{kind.__name__!r} object"
    raise AttributeError(f"{kind_of} has no attribute {name!r}", name=name, obj=value)
