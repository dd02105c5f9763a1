"""Finds where Python would take an attribute from, without running a line of the candidate's code."""

from __future__ import annotations

from ..boundary.light import TYPE_CHECKING, ModuleType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

# As descriptors: a class, or its metaclass, may define attributes of these names.
_mro: Final[Any] = type.__dict__["__mro__"].__get__
_namespace: Final[Any] = type.__dict__["__dict__"].__get__
_module: Final[Any] = type.__dict__["__module__"].__get__
_qualname: Final[Any] = type.__dict__["__qualname__"].__get__
_NOTHING: Final[Mapping[str, Any]] = {}


def is_class(value: object) -> bool:
    """Tell whether `value` is a class; isinstance would believe its `__class__`."""
    return issubclass(type(value), type)


def is_module(value: object) -> bool:
    """Tell whether `value` is a module."""
    return issubclass(type(value), ModuleType)


def lineage(value: Any) -> tuple[type, ...]:
    """Return the classes that an attribute of `value` is looked for in, in order; for a class, its own."""
    kind = type(value)
    if kind is super:
        return _lineage_above(value)
    found: tuple[type, ...] = _mro(value if is_class(value) else kind)
    return found


def _lineage_above(bound: Any) -> tuple[type, ...]:
    start = bound.__self_class__
    mro: tuple[type, ...] = _mro(start) if start else ()
    return mro[mro.index(bound.__thisclass__) + 1 :] if start else _mro(super)


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


def class_path(cls: type) -> str:
    """Return the dotted path of `cls`; a built-in one has its name alone."""
    module, name = _module(cls), str(_qualname(cls))
    return name if module == "builtins" or type(module) is not str else f"{module}.{name}"


def own_attributes(value: Any) -> Mapping[str, Any]:
    """Return the attributes of the instance `value` itself."""
    if type(value).__dictoffset__ == 0:
        return _NOTHING
    try:
        found: Any = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return _NOTHING
    return found if type(found) is dict else _NOTHING
