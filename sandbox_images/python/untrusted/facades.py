"""Modules as the candidate may see them: without what is removed, and with functions that keep to the world.

A facade is a snapshot of its module, so that reading an attribute costs what it always costs. Filled when it is first
looked at: `sys.modules` alone has dozens.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.light import TYPE_CHECKING, ModuleType
from .lookup import is_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from .attributes import Attributes
    from .compiling import Compiler
    from .state import WorldState

# What others rebind; a snapshot would not notice.
_LIVE: Final = frozenset({("sys", "stdin"), ("sys", "stdout"), ("sys", "stderr")})
# Modules that compile or run code of the candidate's: they do it with the world's compile, eval and exec.
_CODE_RUNNERS: Final = frozenset(
    {"timeit", "code", "codeop", "doctest", "runpy", "profile", "cProfile", "trace", "bdb", "pdb"}
)
# Attributes of modules that open a way by themselves.
_RECORDED: Final[dict[tuple[str, str], str]] = {
    **{("gc", name): "gc" for name in ("get_objects", "get_referrers", "get_referents")},
    **{("sys", name): "trace_hook" for name in ("settrace", "setprofile")},
    **{("threading", name): "trace_hook" for name in ("settrace", "setprofile")},
    **{
        (place, name): "ctypes"
        for place, names in {
            "ctypes": "pythonapi py_object PyDLL PYFUNCTYPE cast",
            "_ctypes": "PyObj_FromPtr Py_INCREF call_function call_cdeclfunction",
        }.items()
        for name in names.split()
    },
}


class Facades:
    """The facades of one world, one for each module."""

    def __init__(self, state: WorldState, attributes: Attributes, compiler: Compiler):
        self.state, self.attributes, self.compiler = state, attributes, compiler
        state.facade_of, state.facade_names = self.show, self.names
        self._facades: dict[int, Any] = {}
        self._real: dict[int, ModuleType] = {}
        self._empty: dict[int, ModuleType] = {}
        self._code_runners = set(_CODE_RUNNERS)
        self._type: type | None = None

    def show(self, module: Any) -> Any:
        """Return `module` as the candidate may see it: a module of the same name without what is removed."""
        known = self._facades.get(id(module))
        if known is not None:
            return known
        if not is_module(module) or id(module) in self._real or module.__name__ == "candidate":
            return module
        self._type = self._type or _facade_type(self)
        facade = self._type(module.__name__)
        facade.__dict__.clear()
        self._facades[id(module)] = facade
        self._real[id(facade)] = module
        self._empty[id(facade)] = facade
        return facade

    def real(self, facade: Any) -> Any:
        """Return the module behind `facade`."""
        return self._real.get(id(facade), facade)

    def forget(self, facade: Any) -> None:
        """Empty `facade`, whose module has changed."""
        facade.__dict__.clear()
        self._empty[id(facade)] = facade

    def fill(self, facade: Any) -> Any:
        """Return `facade` with its attributes in its namespace."""
        if self._empty.pop(id(facade), None) is not None:
            attributes = self._visible(self._real[id(facade)])
            facade.__dict__.update({name: value for name, value in attributes.items() if name not in facade.__dict__})
        return facade

    def names(self, module: ModuleType) -> dict[str, Any]:
        """Return the namespace of the facade of `module`."""
        found: dict[str, Any] = self.fill(self.show(module)).__dict__
        return found

    def late_attribute(self, facade: ModuleType, name: str) -> Any:
        """Return an attribute of the module behind `facade` that is not in the snapshot.

        Raises AttributeError in Python's own words for a removed one.
        """
        if id(facade) in self._empty:
            self.fill(facade)
            if name in facade.__dict__:
                return facade.__dict__[name]
        module = self._real[id(facade)]
        removal = self.state.removal
        if not removal.has_place(module, name, vars(module).get(name)):
            value = getattr(module, name)
            if not removal.has(value):
                code = _RECORDED.get((module.__name__, name))
                if code:
                    self.state.record(code)
                return self._shown(module, name, value)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=facade)

    def _shown(self, module: ModuleType, name: str, value: Any) -> Any:
        if is_module(value):
            return self.show(value)
        in_library = self.state.in_library
        in_library.find()
        return in_library.constant(module, name) if in_library.has_constant(module, name) else in_library.shown(value)

    def set(self, module: ModuleType, name: str, value: Any) -> None:
        """Set an attribute of the real `module`; a builtin is the candidate's too."""
        setattr(module, name, value)
        if module is builtins:
            self.state.builtins[name] = value

    def _visible(self, module: ModuleType) -> dict[str, Any]:
        if module is builtins:
            return self.state.builtins
        place = module.__name__
        # Where a module's objects live under a private name, the module itself need not be imported yet.
        self.state.removal.find(everywhere=place.startswith(("_", "posix", "genericpath")) and place != "__future__")
        self._take_over_code_runners()
        shown = self.state.in_library.shown
        visible = {
            name: self.show(value) if is_module(value) else shown(value)
            for name, value in vars(module).items()
            if not self._is_hidden(module, place, name, value)
        }
        if isinstance(visible.get("__all__"), list | tuple):
            public: list[str] = visible["__all__"]
            visible["__all__"] = [name for name in public if name in visible or self._has(module, name)]
        return visible | self._overrides(module)

    def _take_over_code_runners(self) -> None:
        for place in [place for place in self._code_runners if place in sys.modules]:
            self._code_runners.discard(place)
            _run_code_in(self, sys.modules[place])

    def _has(self, module: ModuleType, name: str) -> bool:
        return not self.state.removal.has_place(module, name, vars(module).get(name))

    def _is_hidden(self, module: ModuleType, place: str, name: str, value: object) -> bool:
        """Tell whether attribute `name` is removed, or has to be asked for each time."""
        if self.state.removal.has_place(module, name, value):
            return True
        if (place, name) in _RECORDED or (place, name) in _LIVE or name == "__getattr__":
            return True
        return self.state.in_library.has_constant(module, name)

    def _overrides(self, module: ModuleType) -> dict[str, Any]:
        overrides: dict[str, Any] = {"__builtins__": self.state.builtins} if "__builtins__" in vars(module) else {}
        special = _SPECIAL.get(module.__name__)
        return overrides | special(self, module) if special else overrides


def _facade_type(facades: Facades) -> type:
    class Facade(ModuleType):
        """A module without what the world removes; what the candidate sets on it reaches the real one."""

        def __getattr__(self, name: str) -> Any:
            return facades.late_attribute(self, name)

        def __setattr__(self, name: str, value: Any) -> None:
            facades.set(facades.real(self), name, value)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            delattr(facades.real(self), name)
            if name in self.__dict__:
                super().__delattr__(name)

        def __dir__(self) -> list[str]:
            return sorted(facades.fill(self).__dict__)

        def __repr__(self) -> str:
            return repr(facades.real(self))

    Facade.__name__ = Facade.__qualname__ = "module"
    Facade.__module__ = "builtins"
    return Facade


def _run_code_in(facades: Facades, module: ModuleType) -> None:
    """Have `module` compile and run code as the candidate would."""
    namespace, code = vars(module), facades.compiler
    stand_ins: dict[str, Any] = {"compile": code.builtin_compile, "eval": code.evaluate, "exec": code.execute}
    namespace |= stand_ins
    if module.__name__ == "timeit":
        namespace["_globals"] = lambda: {"__builtins__": facades.state.builtins}


# Modules with functions that the world has to stand in for


def _sys(facades: Facades, module: ModuleType) -> dict[str, Any]:
    return {"modules": ModulesView(facades)}


def _importlib(facades: Facades, module: ModuleType) -> dict[str, Any]:
    def import_module(name: str, package: str | None = None) -> Any:
        """Import a module."""
        return facades.show(module.__dict__["import_module"](name, package))

    def reload(module_or_facade: Any) -> Any:
        """Reload the module and return it."""
        anew = facades.show(module.__dict__["reload"](facades.real(module_or_facade)))
        facades.forget(anew)
        return facades.fill(anew)

    return {"import_module": import_module, "reload": reload, "__import__": facades.state.builtins["__import__"]}


def _operator(facades: Facades, module: ModuleType) -> dict[str, Any]:
    get = facades.attributes.get

    class attrgetter:  # noqa: N801
        """Return a callable object that fetches the given attribute(s) from its operand."""

        def __init__(self, *paths: str):
            module.__dict__["attrgetter"](*paths)  # for its complaints
            self._paths = paths

        def __call__(self, value: Any) -> Any:
            found = tuple(self._get(value, path) for path in self._paths)
            return found[0] if len(found) == 1 else found

        def _get(self, value: Any, path: str) -> Any:
            for name in path.split("."):
                value = get(value, name)
            return value

    class methodcaller:  # noqa: N801
        """Return a callable object that calls the given method on its operand."""

        def __init__(self, name: str, /, *args: Any, **kwargs: Any):
            module.__dict__["methodcaller"](name)  # for its complaints
            self._name, self._args, self._kwargs = name, args, kwargs

        def __call__(self, value: Any) -> Any:
            return get(value, self._name)(*self._args, **self._kwargs)

    return {"attrgetter": attrgetter, "methodcaller": methodcaller}


def _dataclasses(facades: Facades, module: ModuleType) -> dict[str, Any]:
    create = vars(module)["_create_fn"]

    # What it generates belongs to the library, though its globals are the candidate's.
    def create_function(*args: Any, globals: dict[str, Any], **options: Any) -> Any:
        own = globals.get("__builtins__")
        globals["__builtins__"] = builtins
        try:
            created = create(*args, globals=globals, **options)
        finally:
            globals["__builtins__"] = own
        facades.state.generated.append(created.__code__)
        return created

    vars(module)["_create_fn"] = create_function
    return {}


_SPECIAL: Final[dict[str, Callable[[Facades, ModuleType], dict[str, Any]]]] = {
    "sys": _sys,
    "importlib": _importlib,
    "operator": _operator,
    "_operator": _operator,
    "dataclasses": _dataclasses,
}


class ModulesView(dict[str, ModuleType]):
    """sys.modules as the candidate sees it: each module as its facade.

    Its own items are facades too, for those who read it as the plain dict that it is.
    """

    def __init__(self, facades: Facades):
        super().__init__({name: facades.show(module) for name, module in sys.modules.items()})
        self._facades = facades

    def _follow(self) -> ModulesView:
        """Bring the items up to date with the real sys.modules."""
        for name, module in sys.modules.items():
            if not dict.__contains__(self, name):
                dict.__setitem__(self, name, self._facades.show(module))
        for name in [name for name in dict.keys(self) if name not in sys.modules]:
            dict.__delitem__(self, name)
        return self

    def __missing__(self, name: str) -> Any:
        return dict.__getitem__(self._follow(), name) if name in sys.modules else self._refuse(name)

    def _refuse(self, name: str) -> Any:
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in sys.modules

    def __iter__(self) -> Iterator[str]:
        return super(ModulesView, self._follow()).__iter__()

    def __len__(self) -> int:
        return len(sys.modules)

    def __setitem__(self, name: str, module: Any) -> None:
        super().__setitem__(name, module)
        sys.modules[name] = self._facades.real(module)

    def __delitem__(self, name: str) -> None:
        del sys.modules[name]
        dict.pop(self, name, None)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the facade of a module, or `default`."""
        return self[name] if name in sys.modules else default

    def pop(self, name: str, *default: Any) -> Any:
        """Remove a module and return its facade."""
        found = self.get(name, *default) if default or name in sys.modules else self._refuse(name)
        sys.modules.pop(name, None)
        dict.pop(self, name, None)
        return found

    def keys(self) -> Any:
        """Return the names."""
        return super(ModulesView, self._follow()).keys()

    def values(self) -> Any:
        """Return the modules as facades."""
        return super(ModulesView, self._follow()).values()

    def items(self) -> Any:
        """Return names and modules as facades."""
        return super(ModulesView, self._follow()).items()

    def copy(self) -> dict[str, Any]:
        """Return a plain copy."""
        return dict(self.items())
