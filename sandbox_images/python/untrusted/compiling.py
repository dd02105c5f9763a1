"""Compiles the candidate's code, with guards where it may reach for something removed, and runs it in its world.

`compile`, `eval` and `exec` of the program, and of the library's modules that run code for it, come here too.
"""

from __future__ import annotations

import sys

from ..boundary.light import PARSE_ONLY, TYPE_CHECKING, CodeType
from .guard import copy_tree, guard, mentions, names_in_annotations
from .origin import is_programs, programs_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType
    from typing import Any, Final

    from .state import WorldState

FUTURE_ANNOTATIONS: Final = 0x1000000  # __future__.annotations.compiler_flag


class Compiler:
    """Compiles and runs code of one world; without `watched` names, where nothing is removed, as Python does.

    With `calls` its calls are looked at too.
    """

    def __init__(self, state: WorldState, watched: Collection[str], *, calls: bool):
        self._state, self._watched, self._calls = state, watched, calls

    def compile(self, source: str | bytes, filename: str, mode: str, flags: int = 0) -> CodeType:
        """Compile `source`, with guards where anything is removed. Raises SyntaxError and ValueError as Python does."""
        removed = self._state.removal.last_names
        guarded = self._watched and (self._calls or mentions(source, {*self._watched, *removed}))
        if not guarded:
            return _compiled(source, programs_name(filename) if self._watched else filename, mode, flags)
        tree = compile(source, filename, mode, flags | PARSE_ONLY, dont_inherit=True)
        return self._compile_tree(tree, filename, mode, flags)

    def _compile_tree(self, tree: Any, filename: str, mode: str, flags: int, optimize: int = -1) -> CodeType:
        if not names_in_annotations(tree).isdisjoint(self._state.removal.last_names):
            flags |= FUTURE_ANNOTATIONS  # else `-> int` raises a NameError once int is gone
        guard(tree, self._watched, annotations=not flags & FUTURE_ANNOTATIONS, calls=self._calls)
        code: CodeType = compile(tree, programs_name(filename), mode, flags, dont_inherit=True, optimize=optimize)
        return code

    def builtin_compile(
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
        """Compile as the builtin `compile`, in this world."""
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
            globals.setdefault("__builtins__", self._state.builtins)
        return globals, globals if locals is None else locals

    def take_over_own_modules(self) -> None:
        """Have modules that the program writes and imports compiled and run in this world, as the program is.

        That changes the interpreter's own import for good.
        """
        if not self._watched:
            return
        loader: Any = sys.modules["_frozen_importlib_external"].__dict__["_LoaderBasics"]
        execute = loader.exec_module

        def exec_module(self_: Any, module: Any) -> None:
            path = str(getattr(self_, "path", None) or getattr(self_, "archive", ""))
            if not is_programs(path):
                execute(self_, module)
                return
            source = self_.get_source(module.__name__)
            code = self.compile(source, path, "exec") if source else self_.get_code(module.__name__)
            module.__dict__["__builtins__"] = self._state.builtins
            exec(code, module.__dict__)

        loader.exec_module = exec_module


def _caller() -> FrameType:
    """Return the frame of the code that called a stand-in for a builtin."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


def as_builtin(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is called like the builtin it stands in for."""

    def builtin(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    builtin.__name__ = builtin.__qualname__ = name
    builtin.__module__ = "builtins"
    return builtin


def _compiled(source: str | bytes, filename: Any, mode: str, flags: int) -> CodeType:
    code: CodeType = compile(source, filename, mode, flags, dont_inherit=True)
    return code
