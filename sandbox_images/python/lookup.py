"""Where Python would find an attribute, read without running a line of the candidate's code."""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

# As descriptors: a class, or its metaclass, may define attributes of these names.
_mro: Final[Any] = type.__dict__["__mro__"].__get__
_namespace: Final[Any] = type.__dict__["__dict__"].__get__
_NOTHING: Final[Mapping[str, Any]] = {}


def lineage(value: Any) -> tuple[type, ...]:
    """Return the classes that an attribute of `value` is looked for in, in order; for a class, its own."""
    kind = type(value)
    if kind is super:
        start = value.__self_class__
        mro: tuple[type, ...] = _mro(start) if start else ()
        return mro[mro.index(value.__thisclass__) + 1 :] if start else _mro(kind)
    found: tuple[type, ...] = _mro(value if issubclass(kind, type) else kind)  # isinstance believes `__class__`
    return found


def definer(classes: tuple[type, ...], name: str) -> type | None:
    """Return the first of `classes` that defines `name`."""
    for cls in classes:
        if name in _namespace(cls):
            return cls
    return None


def class_namespace(cls: type) -> Mapping[str, Any]:
    """Return the namespace of `cls`."""
    found: Mapping[str, Any] = _namespace(cls)
    return found


def own_attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes of the instance `value` itself."""
    if type(value).__dictoffset__ == 0:
        return _NOTHING
    try:
        found: Any = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return _NOTHING
    return found if isinstance(found, dict) else _NOTHING
