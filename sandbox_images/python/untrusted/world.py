"""A world: the API changes that are active while the candidate runs.

Only the candidate's code sees a removal; the standard library underneath keeps working. The candidate has its own
builtins mapping (a removed builtin is a NameError), an import that hands out facades of modules without the removed
attributes, and guarded access to removed methods. The replacements stand among its builtins and count their calls.

That stops whoever reaches for a removed API by its name. Other ways to it stay open (a function's globals, a frame, a
second copy of a module), and a program that passed is run once more, watched, to see whether it took one.

This removes APIs; it is no security boundary: the container is. A program that sets out to reach the runner's objects
in its own process finds a way, and can hide it too.
"""

from __future__ import annotations

import builtins
import sys

from ..boundary.changes import FORMS, IN_PLACE, REAL, SYNTHETIC
from ..boundary.light import TYPE_CHECKING
from ..boundary.runs import FIRST, WATCHED, WATCHED_AS_IT_IS
from .attributes import Attributes
from .compiling import Compiler, as_builtin
from .facades import Facades
from .guard import ARGUMENT, ATTRIBUTE, CALLEE
from .replacements.counts import Counts
from .replacements.in_library import InLibrary
from .replacements.shims import Shims
from .state import WorldState
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

CANDIDATE_FILE: Final = "<candidate>"


def _exit(code: object = None) -> None:
    raise SystemExit(code)


class World:
    """The builtins, modules and attribute access of one candidate.

    `changes` holds {"form", "deprecated", "replacement", "adopt", "shim", "old"} for each active change: see
    `boundary/changes.py`. `counts` has the calls that returned to the program; `bypasses` are codes of ways around a
    removal that were taken. A watched `run` has a `watch`, which sees every call of something removed. Raises
    LookupError where an API to be removed does not exist.
    """

    def __init__(self, changes: list[Mapping[str, Any]], *, run: str = FIRST):
        of = {form: [change for change in changes if change["form"] == form] for form in FORMS}
        self.counts = Counts(change["replacement"] for change in changes)
        in_library = InLibrary([*of[REAL], *of[IN_PLACE]], self.counts)
        removed, perhaps = ([change["deprecated"] for change in of[form]] for form in (SYNTHETIC, REAL))
        self._state = state = WorldState(removed, perhaps, in_library)
        self._removal = state.removal
        self._attributes = Attributes(state)
        self._compiler = Compiler(state, self._attributes.watched if changes else (), calls=run == WATCHED)
        self._facades = Facades(state, self._attributes, self._compiler)
        self.shims = Shims(of[SYNTHETIC], self.counts)
        self.compile = self._compiler.compile
        self.bypasses = state.bypasses
        self.builtins = state.builtins
        self.watch = Watch(state) if run in (WATCHED, WATCHED_AS_IT_IS) else None
        if self.watch is not None:
            self.watch.install()
        self.builtins |= self._make_builtins(guarded=bool(changes))
        self.take_over_own_modules = self._compiler.take_over_own_modules

    def _make_builtins(self, *, guarded: bool) -> dict[str, Any]:
        removed = self._removal
        shown = self._state.in_library.shown
        mapping = {name: shown(value) for name, value in vars(builtins).items() if not removed.has(value)}
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
        mapping[ATTRIBUTE] = self._attributes.get
        if self.watch is not None:
            mapping |= {CALLEE: self.watch.callee, ARGUMENT: self.watch.argument}
        return mapping | self.shims.replacements

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
        if self.watch is not None:
            self.watch.imported()
        return self._facades.fill(self._facades.show(module))

    def _getattr(self, *args: Any) -> Any:
        if not 2 <= len(args) <= 3 or type(args[1]) is not str:
            return getattr(*args)
        try:
            return self._attributes.get(*args[:2])
        except AttributeError:
            if len(args) == 3:
                return args[2]
            raise

    def _hasattr(self, *args: Any) -> bool:
        if len(args) != 2 or type(args[1]) is not str:
            return hasattr(*args)
        try:
            self._attributes.get(*args)
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
        return self._attributes.namespace(value[0], found)
