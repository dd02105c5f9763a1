"""The replacements that a library has itself: the program gets them from its modules and objects as ever, counted.

Nothing in the library is touched, so what it calls of its own is not the program's. A function of a module is another
object in the module's facade (by whatever name and in whatever module it stands), a method is counted where the program
loads it, a constant where it is read. A class stays what it is, and its constructor counts the calls of the program.

What changes in place is counted in the same way: its own shim or the library's function stands where the old one stood.
"""

from __future__ import annotations

import builtins
import sys

from ...boundary.light import TYPE_CHECKING, ModuleType
from ..lookup import class_namespace, definer, is_class, is_module, lineage, own_attributes
from ..origin import is_programs
from .counterfactual import counterfactual, spoiled
from .shims import load_shim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final

    from .counts import Counts

_FUNCTION: Final = type(lambda: None)
_METHOD: Final = type((lambda self: self).__get__(0))


class Target:
    """One API of a library that a change speaks of: `name` is its dotted path, `counter` the replacement's name.

    `shim` defines what stands in its place in the program, "" where that is the API itself. `old` are the parameters of
    the old signature of what changes in place, "" where any call counts.
    """

    def __init__(self, name: str, counter: str, shim: str = "", old: str = ""):
        self.name, self.counter, self._shim, self._old = name, counter, shim, old
        self._loaded: Any = None
        self._takes: Any = None

    @property
    def has_shim(self) -> bool:
        """Tell whether a shim stands in its place."""
        return bool(self._shim)

    def shim(self) -> Any:
        """Return what the shim defines."""
        if self._loaded is None:
            self._loaded = load_shim(self.name.rpartition(".")[2], self._shim)
        return self._loaded

    def is_old(self, skipped: int) -> Callable[..., bool] | None:
        """Return what tells of a call's arguments, but for the first `skipped`, whether they are the old way."""
        if not self._old:
            return None
        if self._takes is None:
            namespace: dict[str, Any] = {}
            exec(f"def old({self._old}): pass", namespace)
            self._takes = namespace["old"]

        def is_old(*args: Any, **kwargs: Any) -> bool:
            try:
                self._takes(*args[skipped:], **kwargs)
            except TypeError:
                return False
            return True

        return is_old


class InLibrary:
    """The targets of one world, found in the modules that are imported by now.

    `attributes` are the names whose loading has to come by here.
    """

    def __init__(self, changes: Iterable[Mapping[str, Any]], counts: Counts):
        self._counts = counts
        self._pending = [
            Target(name, change["replacement"], change["shim"], change["old"])
            for change in changes
            for name in (change["replacement"], *change["adopt"])
        ]
        self.attributes = {target.name.rpartition(".")[2] for target in self._pending if "." in target.name}
        self._raw: dict[int, object] = {}
        self._values: dict[int, tuple[object, Any]] = {}  # in modules, and what the program gets
        self._constants: dict[tuple[str, str], Target] = {}
        self._methods: dict[str, list[tuple[type, type, Any, Target]]] = {}  # of whom, defined by whom, and as what
        self.find()

    def find(self, *, everywhere: bool = False) -> None:
        """Find targets in the modules that are imported by now; `everywhere` imports the others.

        Raises LookupError where one is sought everywhere, and is not there.
        """
        for target in self._pending.copy():
            found = _find(target.name, everywhere=everywhere)
            if found is not None and target in self._pending:  # looking may have come here again, as a thread may
                self._pending.remove(target)
                self._expect(target, *found)
            elif found is None and everywhere:
                raise LookupError(f"there is no API called {target.name!r}")

    def _expect(self, target: Target, owner: Any, attribute: str) -> None:
        if is_class(owner):
            cls = definer(lineage(owner), attribute)
            assert cls is not None
            raw = class_namespace(cls)[attribute]
            self._keep(raw)
            self._methods.setdefault(attribute, []).append((owner, cls, raw, target))
            return
        value = getattr(owner, attribute)
        self._keep(value)
        if is_class(value) and not target.has_shim:
            self._expect_class(target, value)
        elif callable(value):
            self._values[id(value)] = value, self._stand_in(target, value)
        else:
            self._constants[owner.__name__, attribute] = target

    def _keep(self, value: Any) -> None:
        self._raw[id(value)] = value
        if isinstance(value, classmethod | staticmethod):
            self._raw[id(value.__func__)] = value.__func__

    # What the program gets

    def has(self, value: Any) -> bool:
        """Tell whether `value`, an object of a module or of a class's namespace, is what a target names."""
        return id(value) in self._raw

    def shown(self, value: Any) -> Any:
        """Return what the program gets where a module has `value`."""
        known = self._values.get(id(value))
        return value if known is None else known[1]

    def has_constant(self, module: ModuleType, name: str) -> bool:
        """Tell whether attribute `name` of `module` is a constant whose reading counts."""
        return (module.__name__, name) in self._constants

    def constant(self, module: ModuleType, name: str) -> Any:
        """Return what the program gets that reads that constant."""
        return self._read(self._constants[module.__name__, name], getattr(module, name))

    def attribute(self, value: Any, name: str, found: Any) -> Any:
        """Return what the program gets that loads attribute `name` of `value`, no module, where it is `found`."""
        classes = lineage(value)
        for owner, cls, raw, target in self._methods.get(name, ()):
            if owner not in classes or definer(classes, name) is not cls or class_namespace(cls)[name] is not raw:
                continue
            if name in own_attributes(value) and not is_class(value):
                continue
            return self._method(target, value, raw, found) if callable(found) else self._read(target, found)
        return found

    def _read(self, target: Target, value: Any) -> Any:
        return self._counts.read(target.counter, value)

    def _method(self, target: Target, value: Any, raw: Any, found: Any) -> Any:
        static = isinstance(raw, staticmethod)
        unbound = is_class(value) and not isinstance(raw, classmethod) and not static
        function = found
        if target.has_shim:
            shim = target.shim()
            function = shim if unbound or static else _METHOD(shim, value)
        counted = self._counts.counted(target.counter, lambda: function, target.is_old(1 if unbound else 0))
        return _like(found, counted)

    def _stand_in(self, target: Target, value: Any) -> Any:
        function_of = target.shim if target.has_shim else lambda: value
        return _like(value, self._counts.counted(target.counter, function_of, target.is_old(0)))

    def _expect_class(self, target: Target, cls: Any) -> None:
        name = "__new__" if definer(lineage(cls), "__init__") is object else "__init__"
        original = getattr(cls, name)
        instead = spoiled if name == "__init__" else counterfactual
        counted = self._counts.counted(target.counter, lambda: original, target.is_old(1), instead)

        def constructor(*args: Any, **kwargs: Any) -> Any:
            by_program = is_programs(sys._getframe(1).f_code.co_filename)
            return (counted if by_program else original)(*args, **kwargs)

        try:
            setattr(cls, name, _like(original, constructor))
        except TypeError:
            return  # a type written in C: the judge refuses such a change before it judges anything


class _Counted:
    """Stands for something callable, which it is in all but its type: calls are counted."""

    def __init__(self, original: Any, call: Callable[..., Any]):
        self.__dict__ |= {"_original": original, "_call": call}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def __repr__(self) -> str:
        return repr(self._original)

    @property  # type: ignore[misc]  # the type of an object that stands for another
    def __class__(self) -> Any:
        return type(self._original)


def _like(original: Any, call: Callable[..., Any]) -> Any:
    """Return what behaves as `original`, and is called as `call`."""
    if type(original) is not _FUNCTION:
        return _Counted(original, call)
    call.__name__, call.__qualname__ = original.__name__, original.__qualname__
    call.__doc__, call.__module__ = original.__doc__, original.__module__
    call.__dict__ |= original.__dict__ | {"__wrapped__": original}
    return call


def _find(name: str, *, everywhere: bool) -> tuple[Any, str] | None:
    """Return what the API called `name` is an attribute of, and the attribute's name; None where it is not to be found.

    Nothing is imported for that but with `everywhere`.
    """
    *path, attribute = name.split(".")
    owner: Any = builtins
    if path and not is_class(getattr(builtins, path[0], None)):
        owner, path = _module(path, everywhere=everywhere)
    for part in path:
        owner = vars(owner).get(part) if is_module(owner) and not everywhere else getattr(owner, part, None)
    if is_class(owner):
        return (owner, attribute) if definer(lineage(owner), attribute) else None
    has = is_module(owner) and (hasattr(owner, attribute) if everywhere else attribute in vars(owner))
    return (owner, attribute) if has else None


def _module(path: list[str], *, everywhere: bool) -> tuple[ModuleType | None, list[str]]:
    """Return the innermost module that `path` leads to, and what of it is left."""
    if getattr(getattr(sys.modules.get(path[0]), "__spec__", None), "_initializing", False):
        return None, []
    for length in range(len(path), 0, -1):
        name = ".".join(path[:length])
        if everywhere:
            try:
                __import__(name)
            except ImportError:
                continue
        if name in sys.modules:
            return sys.modules[name], path[length:]
    return None, []
