"""Attributes as a world shows them: the removed ones are not there, and introspection agrees with everything else.

A function leads to the globals of its module, a frame to its builtins, a bound function to its module, a class to its
namespace. The values of such attributes are looked at by identity: modules become facades, namespaces become those of
facades, and removed APIs are missing. Reading that cannot be told from harmless reading is recorded instead.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.light import TYPE_CHECKING, CodeType
from .lookup import class_namespace, definer, is_class, is_module, lineage

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from .state import WorldState

PACKAGE: Final = __name__.rsplit(".", 2)[0]  # the runner's, of which this is `untrusted`
_FUNCTION: Final = type(lambda: None)
_METHOD: Final = type((lambda self: self).__get__(0))
_SHALLOW: Final = frozenset({list, tuple, set, frozenset})

# Attributes whose value is looked at.
_SHOWN: Final = frozenset(
    "__globals__ __builtins__ __self__ __func__ __wrapped__ __objclass__ __origin__ __defaults__ __kwdefaults__ "
    "__closure__ cell_contents f_globals f_builtins func fget fset fdel temp_original __args__ "
    "default_factory default in_dict".split()
)
# Methods whose results are looked at.
_LOOKED_AT: Final = frozenset(
    "__get__ __reduce__ __reduce_ex__ load_module create_module get_field find_class locate resolve".split()
)
_RELATIVES: Final = frozenset({"__mro__", "__bases__", "__base__", "mro"})
_OTHERS: Final = frozenset({"__dict__", "__getattribute__", "__subclasses__", "f_locals", "exec_module"})
WATCHED: Final = _SHOWN | _LOOKED_AT | _RELATIVES | _OTHERS
# Members of built-in classes that lead to what is removed, called with any value.
_UNBOUND: Final = frozenset({"__getattribute__", "__subclasses__", "__reduce__", "__reduce_ex__", "mro"})


class Looks:
    """What the candidate sees of values that lead to what is removed."""

    def __init__(self, state: WorldState):
        self._state = state
        self._removal = state.removal
        self.watched = WATCHED | state.removal.attributes
        self._plain: set[tuple[type, str]] = set()

    def attribute(self, value: Any, name: str) -> Any:
        """Return attribute `name` of `value` as this world shows it.

        Raises AttributeError in Python's own words for a removed one.
        """
        kind = type(value)
        if (kind, name) in self._plain:
            return getattr(value, name)
        if self._removal.lacks(value, name):
            return _instead(value, name)
        found = getattr(value, name)
        if name in WATCHED:
            return self.shown(value, name, found)
        if self._removal.has(found):  # a proxy handed it on
            return _instead(value, name)
        if kind.__dictoffset__ == 0 and kind is not super and definer(lineage(value), name):
            self._plain.add((kind, name))  # instances cannot differ
        return found

    def shown(self, value: Any, name: str, found: Any) -> Any:
        """Return what the world shows for attribute `name` of `value`, which is `found`."""
        if name == "__dict__":
            return self._dict(value, found)
        if name in _SHOWN:
            return self._attribute_value(value, name, found)
        if name in _RELATIVES:
            return self._relatives(name, found)
        if self._is_own_code(found):
            return found
        if name == "__getattribute__":
            return self._getattribute(value, found)
        if name == "__subclasses__":
            return lambda *args: [cls for cls in found(*args) if not self._removal.has(cls)]
        if name == "exec_module":
            return self._exec_module(found)
        if name == "f_locals":
            return self._locals(value, found)
        return self.looked_at(found)

    def looked_at(self, function: Any) -> Any:
        """Return `function`, but its results are looked at. Classes stay what they are."""
        if not callable(function) or isinstance(function, type):
            return function

        def looked_at(*args: Any, **kwargs: Any) -> Any:
            return self.result(function(*args, **kwargs))

        looked_at.__name__ = getattr(function, "__name__", "function")
        looked_at.__doc__ = getattr(function, "__doc__", None)
        return looked_at

    def result(self, found: Any) -> Any:
        """Return what the world shows of `found`, which the library found by a name or took out of something.

        Raises AttributeError where that is removed.
        """
        if is_module(found):
            if self._removal.has_copy(found):
                self._state.record("loader")
            return self._state.facade_of(found)
        if self._is_gone(found):
            name = getattr(found, "__name__", "?")
            raise AttributeError(f"{name!r} is not defined", name=name, obj=builtins)
        if type(found) is dict:
            return self.namespace(found)
        if type(found) is type(type.__dict__):
            return {name: value for name, value in found.items() if not self._is_gone(value)}
        if type(found) is list:
            return [item for item in found if not self._holds_gone(item)]
        if isinstance(found, tuple) and self._holds_gone(found):
            self._state.record("object_parts")
        return found

    def holds_removed(self, container: Any) -> bool:
        """Tell whether something removed is in `container`, a dict or a collection."""
        has = self._removal.has
        if any(has(item) for item in container):
            return True
        return isinstance(container, dict) and any(has(item) for item in container.values())

    def namespace(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return `found`, the globals or builtins of some code, as the world shows it."""
        state = self._state
        if found is vars(builtins):
            return state.builtins
        scope, place = found.get("__builtins__"), found.get("__name__")
        if scope is state.builtins:
            return found
        module = sys.modules.get(place) if type(place) is str else None
        if module is not None and vars(module) is found:
            return state.facade_names(module)
        if scope is not vars(builtins) and scope is not builtins:
            return found  # a dict of the candidate's
        if type(place) is str and place.startswith((PACKAGE + ".", "edittool_shims")):
            return {"__name__": place, "__builtins__": state.builtins}
        return {
            name: state.facade_of(value) if is_module(value) else value
            for name, value in found.items()
            if not self._is_gone(value)
        } | {"__builtins__": state.builtins}

    def _is_gone(self, found: Any) -> bool:
        return self._removal.has(found) or self._is_runners(found)

    def _is_runners(self, found: Any) -> bool:
        """Tell whether `found` is an object of the runner, which holds everything that is removed."""
        if is_module(found):
            return False
        place = found.__module__ if isinstance(found, type) else type(found).__module__
        return isinstance(place, str) and place.startswith(PACKAGE + ".")

    def _holds_gone(self, item: Any) -> bool:
        if self._is_gone(item):
            return True
        return isinstance(item, tuple | list) and any(self._is_gone(part) for part in item)

    def _is_own_code(self, found: Any) -> bool:
        """Tell whether `found` is a function or method that the candidate wrote."""
        function = found.__func__ if type(found) is _METHOD else found
        if type(function) is not _FUNCTION:
            return False
        return self.namespace(function.__globals__) is function.__globals__

    def _dict(self, value: Any, found: Any) -> Any:
        if is_class(value):
            return self._class_dict(value)
        if is_module(value):
            return self._state.facade_names(value)
        return found

    def _class_dict(self, cls: type) -> Any:
        """Return the namespace of `cls` as the world shows it."""
        namespace = class_namespace(cls)
        shown = {
            name: self.shown(cls, name, member) if name in _UNBOUND else member
            for name, member in namespace.items()
            if not self._removal.has(member) and not self._removal.lacks(cls, name)
        }
        is_same = len(shown) == len(namespace) and not any(shown[name] is not namespace[name] for name in shown)
        return namespace if is_same else shown

    def _attribute_value(self, value: Any, name: str, found: Any) -> Any:
        if type(found) is dict and name in {"__globals__", "__builtins__", "f_globals", "f_builtins"}:
            return self.namespace(found)
        if is_module(found):
            return self._state.facade_of(found)
        if found is sys.modules:
            return self._state.facade_names(sys)["modules"]
        if name == "cell_contents" and self._is_shim(found):
            self._state.record("closure")
            return found
        if self._is_gone(found):
            raise _no_attribute(value, name)
        if type(found) in _SHALLOW and any(self._is_gone(item) for item in found):
            self._state.record("object_parts")
        return found

    def _is_shim(self, found: Any) -> bool:
        return type(found) is _FUNCTION and found.__globals__.get("__name__") == "edittool_shims"

    def _relatives(self, name: str, found: Any) -> Any:
        if name == "mro":
            return lambda *args: self._relatives("", found(*args))
        if self._is_gone(found) or (isinstance(found, tuple | list) and any(self._is_gone(cls) for cls in found)):
            self._state.record("class_relatives")
        return found

    def _getattribute(self, value: Any, found: Callable[..., Any]) -> Any:
        def getattribute(*args: Any) -> Any:
            target, name = args if len(args) == 2 else (value, *args)
            if self._removal.lacks(target, name):
                raise _no_attribute(target, name)
            got = found(*args)
            return self.shown(target, name, got) if name in WATCHED else self._unless_gone(target, name, got)

        return getattribute

    def _unless_gone(self, target: Any, name: str, got: Any) -> Any:
        if is_module(target) and self._removal.has(got):
            raise _no_attribute(target, name)
        return got

    def _locals(self, frame: Any, found: Any) -> Any:
        if self.namespace(frame.f_globals) is not frame.f_globals:
            self._state.record("frame_locals")
        return found

    def _exec_module(self, found: Callable[..., Any]) -> Any:
        def exec_module(module: Any) -> Any:
            given = found(module)
            removal = self._removal
            if removal.has_copy(module) or any(removal.has_place(module, *item) for item in vars(module).items()):
                self._state.record("loader")
            return given

        return exec_module

    def code(self, code: CodeType) -> None:
        """Record that code runs which was not compiled in this world, where it names something removed."""
        pending = [code]
        while pending:
            inner = pending.pop()
            if not self.watched.isdisjoint(inner.co_names) or not self._removal.last_names.isdisjoint(inner.co_names):
                self._state.record("code_object")
            pending += [constant for constant in inner.co_consts if isinstance(constant, CodeType)]


def _no_attribute(value: Any, name: str) -> AttributeError:
    return AttributeError(_no_attribute_text(value, name), name=name, obj=value)


def _instead(value: Any, name: str) -> Any:
    """Return what Python finds where a class lacks an attribute: what the class's own `__getattr__` gives.

    Raises AttributeError in Python's own words.
    """
    kind = type(value)
    owner = definer(lineage(kind if is_class(value) or kind is super else value), "__getattr__")
    if owner is not None and not is_module(value):
        return class_namespace(owner)["__getattr__"](value, name)
    raise _no_attribute(value, name)


def _no_attribute_text(value: Any, name: str) -> str:
    """Return Python's own words for an attribute that `value` does not have."""
    if is_module(value):
        return f"module {value.__name__!r} has no attribute {name!r}"
    if is_class(value):
        return f"type object {value.__name__!r} has no attribute {name!r}"
    return f"{type(value).__name__!r} object has no attribute {name!r}"
