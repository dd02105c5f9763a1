"""A world: the API changes that are active while the candidate runs.

Only the candidate's code sees a removal; the standard library underneath keeps working. The candidate has its own
builtins mapping (a removed builtin is a NameError), an import that hands out facades of modules without the removed
attributes, and guarded attribute access for removed methods. The replacements stand among its builtins and count
their calls. This removes APIs; it is no security boundary: the container is.
"""

from __future__ import annotations

import builtins
import sys

from .light import TYPE_CHECKING, CodeType, ModuleType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any, Final

CANDIDATE_FILE: Final = "<candidate>"
ATTRIBUTE_GUARD: Final = "__edittool_attribute__"
PARSE_ONLY: Final = 0x0400  # ast.PyCF_ONLY_AST; importing ast would cost more than all else here
FUTURE_ANNOTATIONS: Final = 0x1000000  # __future__.annotations.compiler_flag
RAISE_VARARGS: Final = 130  # the opcode of a raise statement in CPython 3.11


def _exit(code: object = None) -> None:
    raise SystemExit(code)


class World:
    """The builtins, modules and attribute access of one candidate.

    `changes` holds {"deprecated", "replacement", "shim"} for each active change; `calls` counts, for each
    replacement, the calls that it accepted.
    """

    def __init__(self, changes: list[Mapping[str, str]]):
        self.changes = changes
        self.calls = {change["replacement"]: 0 for change in changes}
        self._removed_builtins: set[str] = set()
        self._removed_objects: dict[int, object] = {}
        self._removed_constants: set[tuple[int, str]] = set()
        self._removed_methods: dict[str, set[type]] = {}
        self._facades: dict[int, ModuleType] = {}
        self._real: dict[int, ModuleType] = {}
        for change in changes:
            self._remove(change["deprecated"])
        self.builtins = self._make_builtins()
        for change in changes:
            self.builtins[change["replacement"]] = self._make_replacement(change)

    # What is removed

    def _remove(self, name: str) -> None:
        owner, attribute = resolve_owner(name)
        if isinstance(owner, type):
            self._removed_methods.setdefault(attribute, set()).add(_defining_class(owner, attribute))
            return
        value = vars(owner)[attribute]
        if owner is builtins:
            self._removed_builtins.add(attribute)
        if callable(value):
            # By identity, so that twins go with it: posixpath.join with os.path.join.
            self._removed_objects[id(value)] = value
        else:
            # Equal constants are shared between modules that know nothing of each other: only this name goes.
            self._removed_constants.add((id(owner), attribute))

    def _is_removed(self, module: ModuleType, name: str, value: object) -> bool:
        return id(value) in self._removed_objects or (id(module), name) in self._removed_constants

    def _lacks(self, value: Any, name: str) -> bool:
        classes = self._removed_methods.get(name)
        if not classes:
            return False
        if type(value) is super:
            bound: Any = value
            mro = type(bound.__self__).__mro__
            lineage = mro[mro.index(bound.__thisclass__) + 1 :]
        elif isinstance(value, type):
            lineage = value.__mro__
        else:
            if name in getattr(value, "__dict__", ()):
                return False
            lineage = type(value).__mro__
        owner = next((cls for cls in lineage if name in cls.__dict__), None)
        return owner in classes

    # What the candidate gets instead

    def _make_builtins(self) -> dict[str, Any]:
        mapping = {name: value for name, value in vars(builtins).items() if id(value) not in self._removed_objects}
        # site.py adds these to every ordinary interpreter; the runner starts without it.
        mapping["exit"] = mapping["quit"] = _exit
        if not self.changes:
            return mapping
        mapping["__import__"] = self._import
        if self._removed_methods:
            guards: dict[str, Callable[..., Any]] = {
                ATTRIBUTE_GUARD: self._attribute,
                "getattr": self._getattr,
                "hasattr": self._hasattr,
                "dir": self._dir,
                "vars": self._vars,
                "compile": self._compile,
                "eval": self._eval,
                "exec": self._exec,
            }
            mapping |= {name: guard for name, guard in guards.items() if name not in self._removed_builtins}
        return mapping

    def _make_replacement(self, change: Mapping[str, str]) -> object:
        name = change["replacement"]
        namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": "edittool_shims"}
        exec(compile(change["shim"], f"<shim {name}>", "exec", dont_inherit=True), namespace)
        shim = namespace[name]
        return self._counted(name, shim) if callable(shim) else shim

    def _counted(self, name: str, shim: Callable[..., Any]) -> Callable[..., Any]:
        def replacement(*args: Any, **kwargs: Any) -> Any:
            self.calls[name] += 1
            try:
                return shim(*args, **kwargs)
            except TypeError as error:
                if _was_refused(error, shim):
                    self.calls[name] -= 1
                    error.edittool_refused = True  # type: ignore[attr-defined]
                raise

        replacement.__name__ = replacement.__qualname__ = name
        replacement.__doc__ = shim.__doc__
        return replacement

    # Modules

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        return self.facade(__import__(name, globals, locals, fromlist or (), level))

    def _import_module(self, name: str, package: str | None = None) -> ModuleType:
        import importlib

        return self.facade(importlib.import_module(name, package))

    def facade(self, module: ModuleType) -> ModuleType:
        """Return `module` as the candidate may see it: a module of the same name without what is removed."""
        known = self._facades.get(id(module))
        if known is not None:
            return known
        if not isinstance(module, ModuleType) or id(module) in self._real or module.__name__ == "candidate":
            return module
        facade = _new_facade(self, module)
        self._facades[id(module)] = facade
        self._real[id(facade)] = module
        facade.__dict__.update(self._visible(module))
        return facade

    def _visible(self, module: ModuleType) -> dict[str, Any]:
        if module is builtins:
            return dict(self.builtins)
        visible: dict[str, Any] = {
            name: self.facade(value) if isinstance(value, ModuleType) else value
            for name, value in vars(module).items()
            if not self._is_removed(module, name, value)
        }
        if isinstance(visible.get("__all__"), list | tuple):
            public: list[str] = visible["__all__"]
            visible["__all__"] = [name for name in public if name in visible or not hasattr(module, name)]
        return visible | self._overrides(module)

    def _overrides(self, module: ModuleType) -> dict[str, Any]:
        if module is sys:
            return {"modules": _ModulesView(self)}
        if module.__name__ == "importlib":
            return {"import_module": self._import_module, "__import__": self._import}
        if module.__name__ in {"operator", "_operator"} and self._removed_methods:
            return {"attrgetter": self._attrgetter, "methodcaller": self._methodcaller}
        return {}

    def late_attribute(self, module: ModuleType, name: str) -> Any:
        """Return an attribute that `module` gained after its facade was made, such as a submodule.

        Raises AttributeError in Python's own words for a removed one.
        """
        if not self._is_removed(module, name, vars(module).get(name)):
            value = getattr(module, name)
            if id(value) not in self._removed_objects:
                return self.facade(value) if isinstance(value, ModuleType) else value
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    # Attributes of values, where methods of types are removed

    def _attribute(self, value: Any, name: str) -> Any:
        if self._lacks(value, name):
            shown = f"type object {value.__name__!r}" if isinstance(value, type) else f"{type(value).__name__!r} object"
            raise AttributeError(f"{shown} has no attribute {name!r}", name=name, obj=value)
        if name == "__dict__" and isinstance(value, type):
            return self._vars(value)
        return getattr(value, name)

    def _getattr(self, value: Any, name: str, *default: Any) -> Any:
        try:
            return self._attribute(value, name)
        except AttributeError:
            if default:
                return default[0]
            raise

    def _hasattr(self, value: Any, name: str) -> bool:
        return not self._lacks(value, name) and hasattr(value, name)

    def _dir(self, *value: Any) -> list[str]:
        if not value:
            return sorted(sys._getframe(1).f_locals)
        return [name for name in dir(value[0]) if not self._lacks(value[0], name)]

    def _vars(self, *value: Any) -> Any:
        if not value:
            return sys._getframe(1).f_locals
        if not isinstance(value[0], type):
            return vars(value[0])
        return {name: member for name, member in vars(value[0]).items() if not self._lacks(value[0], name)}

    def _attrgetter(self, *paths: str) -> Callable[[Any], Any]:
        def get(value: Any, path: str) -> Any:
            for name in path.split("."):
                value = self._attribute(value, name)
            return value

        def getter(value: Any) -> Any:
            return get(value, paths[0]) if len(paths) == 1 else tuple(get(value, path) for path in paths)

        return getter

    def _methodcaller(self, name: str, /, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        return lambda value: self._attribute(value, name)(*args, **kwargs)

    # Code

    def compile(self, source: str | bytes, filename: str, mode: str, flags: int = 0) -> CodeType:
        """Compile `source` so that its attribute access is guarded where this world removes methods."""
        if self.changes:
            flags |= FUTURE_ANNOTATIONS  # else `-> int` raises a NameError once int is gone
        tree: Any = source
        if self._removed_methods:
            tree = self._guard(compile(source, filename, mode, flags | PARSE_ONLY, dont_inherit=True))
        code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True)
        return code

    def _guard(self, tree: Any) -> Any:
        """Replace, in place, each load of `x.name` by a call of the guard, for removed methods and `__dict__`."""
        pending = [tree]
        while pending:
            node = pending.pop()
            for field in node._fields:
                value = getattr(node, field, None)
                if isinstance(value, list):
                    value[:] = [self._guarded_node(item) for item in value]
                    pending += [item for item in value if hasattr(item, "_fields")]
                elif hasattr(value, "_fields"):
                    value = self._guarded_node(value)
                    setattr(node, field, value)
                    pending.append(value)
        return tree

    def _guarded_node(self, node: Any) -> Any:
        import _ast

        if not (isinstance(node, _ast.Attribute) and (node.attr in self._removed_methods or node.attr == "__dict__")):
            return node
        if not isinstance(node.ctx, _ast.Load):
            return node
        place: dict[str, Any] = {
            "lineno": node.lineno,
            "col_offset": node.col_offset,
            "end_lineno": node.end_lineno,
            "end_col_offset": node.end_col_offset,
        }
        guard = _ast.Name(id=ATTRIBUTE_GUARD, ctx=_ast.Load(), **place)
        return _ast.Call(func=guard, args=[node.value, _ast.Constant(value=node.attr, **place)], keywords=[], **place)

    def _compile(self, source: Any, filename: Any, mode: str, flags: int = 0, *rest: Any, **options: Any) -> Any:
        if flags & PARSE_ONLY:
            return compile(source, filename, mode, flags, *rest, **options)
        if hasattr(source, "_fields"):
            return compile(self._guard(source), filename, mode, flags, *rest, **options)
        return self.compile(source, filename, mode, flags)

    def _eval(self, source: Any, globals: dict[str, Any] | None = None, locals: Any = None) -> Any:
        scope = self._scope(globals, locals, sys._getframe(1))
        text = source.lstrip(" \t") if isinstance(source, str) else source
        return eval(text if isinstance(text, CodeType) else self.compile(text, "<string>", "eval"), *scope)

    def _exec(self, source: Any, globals: dict[str, Any] | None = None, locals: Any = None) -> None:
        scope = self._scope(globals, locals, sys._getframe(1))
        exec(source if isinstance(source, CodeType) else self.compile(source, "<string>", "exec"), *scope)

    def _scope(self, globals: dict[str, Any] | None, locals: Any, caller: FrameType) -> tuple[dict[str, Any], Any]:
        if globals is None:
            return caller.f_globals, caller.f_locals if locals is None else locals
        globals.setdefault("__builtins__", self.builtins)
        return globals, globals if locals is None else locals


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


def _defining_class(cls: type, name: str) -> type:
    return next(base for base in cls.__mro__ if name in base.__dict__)


def _was_refused(error: TypeError, shim: Callable[..., Any]) -> bool:
    """Tell whether `shim` itself turned the call away: by its signature, or by a raise statement of its own."""
    trace = error.__traceback__
    inner = trace.tb_next if trace else None
    if inner is None:
        return True  # the call never got into the shim
    code = getattr(shim, "__code__", None)
    return inner.tb_next is None and inner.tb_frame.f_code is code and code.co_code[inner.tb_lasti] == RAISE_VARARGS


def _new_facade(world: World, module: ModuleType) -> ModuleType:
    class Facade(ModuleType):
        """A module without what the world removes; what the candidate sets on it reaches the real one."""

        def __getattr__(self, name: str) -> Any:
            return world.late_attribute(module, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(module, name, value)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            delattr(module, name)
            super().__delattr__(name)

    Facade.__name__ = Facade.__qualname__ = "module"
    Facade.__module__ = "builtins"
    return Facade(module.__name__)


class _ModulesView(dict[str, ModuleType]):
    """sys.modules as the candidate sees it: each module as its facade."""

    def __init__(self, world: World):
        super().__init__(sys.modules)
        self._world = world

    def __getitem__(self, name: str) -> ModuleType:
        return self._world.facade(sys.modules[name])

    def get(self, name: str, default: Any = None) -> Any:
        """Return the facade of a module, or `default`."""
        return self[name] if name in sys.modules else default

    def __contains__(self, name: object) -> bool:
        return name in sys.modules

    def __setitem__(self, name: str, module: ModuleType) -> None:
        super().__setitem__(name, module)
        sys.modules[name] = module

    def values(self) -> Any:
        """Return the modules as facades."""
        return [self[name] for name in sys.modules]

    def items(self) -> Any:
        """Return names and modules as facades."""
        return [(name, self[name]) for name in sys.modules]
