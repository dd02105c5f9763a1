"""A world: the API changes that are active while the candidate runs.

Only the candidate's code sees a removal; the standard library underneath keeps working. The candidate has its own
builtins mapping (a removed builtin is a NameError), an import that hands out facades of modules without the removed
attributes, and guarded access to attributes that are removed or lead to what is. The replacements stand among its
builtins and count their calls. What cannot be closed is recorded in `bypasses`.

This removes APIs; it is no security boundary: the container is. A program that sets out to reach the runner's objects
in its own process finds a way, and can hide it too.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.bypasses import CODES
from ..boundary.light import TYPE_CHECKING, CodeType
from .facades import Facades
from .guard import ARGUMENT, ATTRIBUTE, CALLEE, CAPTURED, copy_tree, guard, mentions, names_in_annotations
from .introspection import WATCHED, Looks, no_attribute_text
from .lookup import class_namespace, definer, is_class, is_module, lineage
from .removal import Removal
from .shims import Shims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any, Final

CANDIDATE_FILE: Final = "<candidate>"
PARSE_ONLY: Final = 0x0400  # ast.PyCF_ONLY_AST; importing ast would cost more than all else here
FUTURE_ANNOTATIONS: Final = 0x1000000  # __future__.annotations.compiler_flag
_FUNCTION: Final = type(lambda: None)
# In a program without any of these texts there is nothing to guard but attributes.
_GUARDED_SYNTAX: Final = ("type", "__class__", "case ", ")(", "](", "CodeType", "FunctionType", "LambdaType", "co_")
# Members of built-in classes that lead to what is removed, called with any value.
_UNBOUND: Final = frozenset({"__getattribute__", "__subclasses__", "__reduce__", "__reduce_ex__", "mro"})


def _exit(code: object = None) -> None:
    raise SystemExit(code)


class World:
    """The builtins, modules and attribute access of one candidate.

    `changes` holds {"deprecated", "replacement", "shim"} for each active change; `calls` counts, for each
    replacement, the calls that it accepted; `bypasses` are codes of ways around a removal that were taken.
    """

    def __init__(self, changes: list[Mapping[str, str]]):
        self.changes = changes
        self.removal = Removal(change["deprecated"] for change in changes)
        self.watched = WATCHED | self.removal.attributes
        self.looks = Looks(self)
        self.facades = Facades(self)
        self.bypasses: list[str] = []
        self._shims = Shims(changes)
        self.calls = self._shims.calls
        self._compiled: list[CodeType] = []
        self._plain: set[tuple[type, str]] = set()
        self.builtins = self._make_builtins()

    def record(self, code: str) -> None:
        """Record a way around a removal."""
        assert code in CODES
        if code not in self.bypasses:
            self.bypasses.append(code)

    def _make_builtins(self) -> dict[str, Any]:
        removed = self.removal
        mapping = {name: value for name, value in vars(builtins).items() if not removed.has(value)}
        # site.py adds these to every ordinary interpreter; the runner starts without it.
        mapping["exit"] = mapping["quit"] = _exit
        if not self.changes:
            return mapping
        guards: dict[str, Callable[..., Any]] = {
            "getattr": self._getattr,
            "hasattr": self._hasattr,
            "dir": self._dir,
            "vars": self._vars,
            "compile": self._compile,
            "eval": self.evaluate,
            "exec": self.execute,
        }
        mapping |= {name: _named(name, function) for name, function in guards.items() if name in mapping}
        mapping["__import__"] = _named("__import__", self._import)
        mapping[ATTRIBUTE] = self.attribute
        mapping[CAPTURED] = self._captured
        mapping[CALLEE] = self._callee
        mapping[ARGUMENT] = self._argument
        return mapping | self._shims.replacements

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        module = __import__(name, globals, locals, fromlist or (), level)
        self.removal.find()
        return self.facades.fill(self.facades.show(module))

    # Attributes

    def attribute(self, value: Any, name: str) -> Any:
        """Return attribute `name` of `value` as this world shows it.

        Raises AttributeError in Python's own words for a removed one.
        """
        kind = type(value)
        if (kind, name) in self._plain:
            return getattr(value, name)
        if self.removal.lacks(value, name):
            return _instead(value, name)
        found = getattr(value, name)
        if name in WATCHED:
            return self.looks.shown(value, name, found)
        if self.removal.has(found):  # a proxy handed it on
            return _instead(value, name)
        if kind.__dictoffset__ == 0 and kind is not super and definer(lineage(value), name):
            self._plain.add((kind, name))  # instances cannot differ
        return found

    def _getattr(self, *args: Any) -> Any:
        if not 2 <= len(args) <= 3 or type(args[1]) is not str:
            return getattr(*args)
        try:
            return self.attribute(*args[:2])
        except AttributeError:
            if len(args) == 3:
                return args[2]
            raise

    def _hasattr(self, *args: Any) -> bool:
        if len(args) != 2 or type(args[1]) is not str:
            return hasattr(*args)
        try:
            self.attribute(*args)
        except AttributeError:
            return False
        return True

    def _dir(self, *value: Any) -> list[str]:
        if not value:
            return sorted(sys._getframe(2).f_locals)
        return [name for name in dir(*value) if not self.removal.lacks(value[0], name)]

    def _vars(self, *value: Any) -> Any:
        if not value:
            return sys._getframe(2).f_locals
        found = vars(*value)
        return self.looks.shown(value[0], "__dict__", found)

    def class_dict(self, cls: type) -> Any:
        """Return the namespace of `cls` as this world shows it."""
        namespace = class_namespace(cls)
        shown = {
            name: self.looks.shown(cls, name, member) if name in _UNBOUND else member
            for name, member in namespace.items()
            if not self.removal.has(member) and not self.removal.lacks(cls, name)
        }
        is_same = len(shown) == len(namespace) and not any(shown[name] is not namespace[name] for name in shown)
        return namespace if is_same else shown

    # What the guards in the candidate's code call

    def _captured(self, *values: Any) -> bool:
        if any(self.removal.has(value) for value in values):
            self.record("match_class")  # Python would not match; the names are bound all the same
            return False
        return True

    def _callee(self, function: Any) -> Any:
        if self.removal.has(function):
            self.record("class_of_value" if isinstance(function, type) else "object_parts")
        if function is _FUNCTION or function is CodeType or getattr(function, "__name__", "") == "replace":
            return self._made_of_code(function)
        return function

    def _argument(self, value: Any) -> Any:
        if self.removal.has(value):
            self.record("class_of_value")
        return value

    def _made_of_code(self, function: Any) -> Any:
        def make(*args: Any, **kwargs: Any) -> Any:
            if function is _FUNCTION and len(args) > 1 and type(args[1]) is dict:
                # Without any, the new function would get those of this very frame.
                args = (args[0], self._scope(args[1], None)[0], *args[2:])
            made = function(*args, **kwargs)
            code = made.__code__ if type(made) is _FUNCTION else made
            if isinstance(code, CodeType):
                self._check(code)
            return made

        return make

    # Code

    def compile(self, source: str | bytes, filename: str, mode: str, flags: int = 0) -> CodeType:
        """Compile `source` so that what it reaches for is guarded, where anything is removed."""
        if not self.changes:
            return _compiled(source, filename, mode, flags)
        removed = self.removal.last_names
        if not mentions(source, self.watched | removed) and not mentions(source, _GUARDED_SYNTAX):
            return self._keep(_compiled(source, filename, mode, flags))
        tree = compile(source, filename, mode, flags | PARSE_ONLY, dont_inherit=True)
        return self._compile_tree(tree, filename, mode, flags)

    def _compile_tree(self, tree: Any, filename: str, mode: str, flags: int, optimize: int = -1) -> CodeType:
        if not names_in_annotations(tree).isdisjoint(self.removal.last_names):
            flags |= FUTURE_ANNOTATIONS  # else `-> int` raises a NameError once int is gone
        guard(tree, self.watched, annotations=not flags & FUTURE_ANNOTATIONS)
        code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True, optimize=optimize)
        return self._keep(code)

    def _keep(self, code: CodeType) -> CodeType:
        self._compiled.append(code)
        return code

    def _check(self, code: CodeType) -> None:
        """Look at code that is about to run or be made a function, unless this world compiled it."""
        if not _contains(self._compiled, code):
            self.looks.code(code)

    def compile_for(self, *args: Any, **options: Any) -> Any:
        """Compile as the builtin `compile` of the candidate, for a library's function that it called."""
        return self._compile(*args, **options)

    def _compile(
        self,
        source: Any,
        filename: Any,
        mode: str,
        flags: int = 0,
        dont_inherit: bool = False,
        optimize: int = -1,
        *,
        _feature_version: int = -1,
    ) -> Any:
        tree = source
        if flags & PARSE_ONLY or not hasattr(source, "_fields"):
            if isinstance(source, str | bytes) and not flags & PARSE_ONLY:
                compile(source, filename, mode, flags, dont_inherit=True, optimize=optimize)  # for its complaints
            tree = compile(
                source, filename, mode, flags | PARSE_ONLY, dont_inherit=True, _feature_version=_feature_version
            )
        if flags & PARSE_ONLY:
            return tree
        return self._compile_tree(copy_tree(tree), filename, mode, flags, optimize)

    def evaluate(self, *args: Any) -> Any:
        """Evaluate as the builtin `eval`, in this world."""
        if not 1 <= len(args) <= 3:
            return eval(*args)
        source, globals, locals = (*args, None, None)[:3]
        if isinstance(source, str):
            source = source.lstrip(" \t")
        elif isinstance(source, bytes | bytearray | memoryview):
            source = bytes(source).lstrip(b" \t")
        return eval(self._runnable(source, "eval"), *self._scope(globals, locals))

    def execute(self, *args: Any, closure: Any = None) -> None:
        """Execute as the builtin `exec`, in this world."""
        if not 1 <= len(args) <= 3:
            exec(*args)
        source, globals, locals = (*args, None, None)[:3]
        exec(self._runnable(source, "exec"), *self._scope(globals, locals), closure=closure)

    def _runnable(self, source: Any, mode: str) -> CodeType:
        if isinstance(source, CodeType):
            self._check(source)
            return source
        if isinstance(source, bytearray | memoryview):
            source = bytes(source)
        if not isinstance(source, str | bytes):
            (eval if mode == "eval" else exec)(source, {})  # for its complaint
        return self.compile(source, "<string>", mode)

    def _scope(self, globals: Any, locals: Any) -> tuple[dict[str, Any], Any]:
        if globals is None:
            caller = _caller()
            return caller.f_globals, caller.f_locals if locals is None else locals
        if isinstance(globals, dict):
            globals.setdefault("__builtins__", self.builtins)
        if type(globals) is dict:
            # Globals of the library's: the names stay, the builtins are the candidate's.
            globals = self.looks.namespace(globals)
        return globals, globals if locals is None else locals


def _caller() -> FrameType:
    """Return the frame of the code that called a stand-in for a builtin."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called like the builtin it stands in for."""

    def builtin(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    builtin.__name__ = builtin.__qualname__ = name
    builtin.__module__ = "builtins"
    return builtin


def _instead(value: Any, name: str) -> Any:
    """Return what Python finds where a class lacks an attribute: what the class's own `__getattr__` gives.

    Raises AttributeError in Python's own words.
    """
    kind = type(value)
    owner = definer(lineage(kind if is_class(value) or kind is super else value), "__getattr__")
    if owner is not None and not is_module(value):
        return class_namespace(owner)["__getattr__"](value, name)
    raise AttributeError(no_attribute_text(value, name), name=name, obj=value)


def _compiled(source: str | bytes, filename: str, mode: str, flags: int) -> CodeType:
    code: CodeType = compile(source, filename, mode, flags, dont_inherit=True)
    return code


def _contains(codes: list[CodeType], wanted: CodeType) -> bool:
    """Tell whether `wanted` is one of `codes`, or of a function in one of them."""
    pending = list(codes)
    while pending:
        code = pending.pop()
        if code is wanted:
            return True
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return False
