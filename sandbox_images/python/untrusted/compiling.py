"""Compiles the candidate's code, with guards where it may reach for something removed, and runs it in its world.

`compile`, `eval` and `exec` of the program, and of the library's modules that run code for it, come here too.
"""

from __future__ import annotations

import sys

from ..boundary.light import PARSE_ONLY, TYPE_CHECKING, CodeType
from .guard import copy_tree, guard, mentions, names_in_annotations

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    from .introspection import Looks
    from .state import WorldState

FUTURE_ANNOTATIONS: Final = 0x1000000  # __future__.annotations.compiler_flag
FUNCTION: Final = type(lambda: None)
# In a program without any of these texts there is nothing to guard but attributes.
_GUARDED_SYNTAX: Final = ("type", "__class__", "case ", ")(", "](", "CodeType", "FunctionType", "LambdaType", "co_")


class Compiler:
    """Compiles and runs code of one world; with `guards` off, where nothing is removed, as Python does."""

    def __init__(self, state: WorldState, looks: Looks, *, guards: bool):
        self._state, self._removal, self._looks, self._guards = state, state.removal, looks, guards
        self._compiled: list[CodeType] = []

    def compile(self, source: str | bytes, filename: str, mode: str, flags: int = 0) -> CodeType:
        """Compile `source`, with guards where anything is removed. Raises SyntaxError and ValueError as Python does."""
        if not self._guards:
            return _compiled(source, filename, mode, flags)
        removed = self._removal.last_names
        if not mentions(source, self._looks.watched | removed) and not mentions(source, _GUARDED_SYNTAX):
            return self._keep(_compiled(source, filename, mode, flags))
        tree = compile(source, filename, mode, flags | PARSE_ONLY, dont_inherit=True)
        return self._compile_tree(tree, filename, mode, flags)

    def _compile_tree(self, tree: Any, filename: str, mode: str, flags: int, optimize: int = -1) -> CodeType:
        if not names_in_annotations(tree).isdisjoint(self._removal.last_names):
            flags |= FUTURE_ANNOTATIONS  # else `-> int` raises a NameError once int is gone
        guard(tree, self._looks.watched, annotations=not flags & FUTURE_ANNOTATIONS)
        code: CodeType = compile(tree, filename, mode, flags, dont_inherit=True, optimize=optimize)
        return self._keep(code)

    def _keep(self, code: CodeType) -> CodeType:
        self._compiled.append(code)
        return code

    def _check(self, code: CodeType) -> None:
        """Have introspection look at `code`, about to run or become a function, unless this world compiled it."""
        if not _contains(self._compiled, code):
            self._looks.code(code)

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
            globals.setdefault("__builtins__", self._state.builtins)
        if type(globals) is dict:
            # Globals of the library's: the names stay, the builtins are the candidate's.
            globals = self._looks.namespace(globals)
        return globals, globals if locals is None else locals

    def made_of_code(self, function: Any) -> Any:
        """Return `function`, which makes functions or code of code, but what it makes is looked at."""

        def make(*args: Any, **kwargs: Any) -> Any:
            if function is FUNCTION and len(args) > 1 and type(args[1]) is dict:
                # Without any, the new function would get those of this very frame.
                args = (args[0], self._scope(args[1], None)[0], *args[2:])
            made = function(*args, **kwargs)
            code = made.__code__ if type(made) is FUNCTION else made
            if isinstance(code, CodeType):
                self._check(code)
            return made

        return make


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
