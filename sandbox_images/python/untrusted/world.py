"""A world: the API changes that are active while the candidate runs.

Only the candidate's code sees a removal; the standard library underneath keeps working. The candidate has its own
builtins mapping (a removed builtin is a NameError), an import that hands out facades of modules without the removed
attributes, and guarded access to attributes that are removed or lead to what is. The replacements stand among its
builtins and count their calls. Ways around a removal that stay open are recorded in `bypasses`.

This removes APIs; it is no security boundary: the container is. A program that sets out to reach the runner's objects
in its own process finds a way, and can hide it too.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.light import TYPE_CHECKING, CodeType
from .compiling import FUNCTION, Compiler, as_builtin
from .facades import Facades
from .guard import ARGUMENT, ATTRIBUTE, CALLEE, CAPTURED
from .introspection import Looks
from .shims import Shims
from .state import WorldState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

CANDIDATE_FILE: Final = "<candidate>"


def _exit(code: object = None) -> None:
    raise SystemExit(code)


class World:
    """The builtins, modules and attribute access of one candidate.

    `changes` holds {"deprecated", "replacement", "shim"} for each active change; `calls` counts, for each
    replacement, the calls that it accepted; `bypasses` are codes of ways around a removal that were taken.
    Raises LookupError where an API to be removed does not exist.
    """

    def __init__(self, changes: list[Mapping[str, str]]):
        self._state = state = WorldState(change["deprecated"] for change in changes)
        self._removal = state.removal
        self._looks = Looks(state)
        self._compiler = Compiler(state, self._looks, guards=bool(changes))
        self._facades = Facades(state, self._looks, self._compiler)
        self._shims = Shims(changes)
        self._attribute = self._looks.attribute
        self.compile = self._compiler.compile
        self.calls = self._shims.calls
        self.bypasses = state.bypasses
        self.builtins = state.builtins
        self.builtins |= self._make_builtins(guarded=bool(changes))

    def _make_builtins(self, *, guarded: bool) -> dict[str, Any]:
        removed = self._removal
        mapping = {name: value for name, value in vars(builtins).items() if not removed.has(value)}
        # site.py adds these to every ordinary interpreter; the runner starts without it.
        mapping["exit"] = mapping["quit"] = _exit
        if not guarded:
            return mapping
        guards: dict[str, Callable[..., Any]] = {
            "getattr": self._getattr,
            "hasattr": self._hasattr,
            "dir": self._dir,
            "vars": self._vars,
            "compile": self._compiler.builtin_compile,
            "eval": self._compiler.evaluate,
            "exec": self._compiler.execute,
        }
        mapping |= {name: as_builtin(name, function) for name, function in guards.items() if name in mapping}
        mapping["__import__"] = as_builtin("__import__", self._import)
        mapping[ATTRIBUTE] = self._attribute
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
        self._removal.find()
        return self._facades.fill(self._facades.show(module))

    def _getattr(self, *args: Any) -> Any:
        if not 2 <= len(args) <= 3 or type(args[1]) is not str:
            return getattr(*args)
        try:
            return self._attribute(*args[:2])
        except AttributeError:
            if len(args) == 3:
                return args[2]
            raise

    def _hasattr(self, *args: Any) -> bool:
        if len(args) != 2 or type(args[1]) is not str:
            return hasattr(*args)
        try:
            self._attribute(*args)
        except AttributeError:
            return False
        return True

    def _dir(self, *value: Any) -> list[str]:
        if not value:
            return sorted(sys._getframe(2).f_locals)
        return [name for name in dir(*value) if not self._removal.lacks(value[0], name)]

    def _vars(self, *value: Any) -> Any:
        if not value:
            return sys._getframe(2).f_locals
        found = vars(*value)
        return self._looks.shown(value[0], "__dict__", found)

    # Called by the guards in the candidate's code

    def _captured(self, *values: Any) -> bool:
        if any(self._removal.has(value) for value in values):
            self._state.record("match_class")  # Python would not match; the names are bound all the same
            return False
        return True

    def _callee(self, function: Any) -> Any:
        if self._removal.has(function):
            self._state.record("class_of_value" if isinstance(function, type) else "object_parts")
        if function is FUNCTION or function is CodeType or getattr(function, "__name__", "") == "replace":
            return self._compiler.made_of_code(function)
        return function

    def _argument(self, value: Any) -> Any:
        if self._removal.has(value):
            self._state.record("class_of_value")
        return value
