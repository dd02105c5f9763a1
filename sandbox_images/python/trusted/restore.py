"""Undoes the changes that the tests of one job made to the trusted process, before those of the next one run.

Tests are trusted, so this is about what they do in passing: set a precision, a seed or a handler, import a module and
change something in it. Each job is to find what it would find in a container of its own.
"""

from __future__ import annotations

import _signal
import _thread
import gc
import posix
import sys

from ..boundary.light import TYPE_CHECKING, ModuleType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

_TIMERS: Final = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)


class OwnState:
    """The state of this process when it was made: its modules, and those of its `own`, its handlers, limits, folder."""

    def __init__(self, own: Iterable[ModuleType]):
        self._modules = [*sys.modules.values(), *own]
        namespaces = [vars(module) for module in self._modules]
        values = [value for namespace in namespaces for value in namespace.values()]
        # By identity: names of several modules lead to one object.
        dicts = {id(value): value for value in (*namespaces, *values) if type(value) is dict}
        self._dicts = [(value, value.copy()) for value in dicts.values()]
        self._lists = [(value, value.copy()) for value in {id(v): v for v in values if type(v) is list}.values()]
        self._handlers = {number: _signal.getsignal(number) for number in _signal.valid_signals()}
        self._limits = sys.getrecursionlimit(), sys.get_int_max_str_digits(), gc.get_threshold()
        self._folder, self._umask, self._environment = posix.getcwd(), _umask(), posix.environ.copy()

    def restore(self) -> bool:
        """Bring this process back to that state; tell whether it is in it."""
        sys.settrace(None)
        sys.setprofile(None)
        _restore_environment(self._environment)
        self._restore_names()
        self._restore_signals()
        recursion, digits, thresholds = self._limits
        sys.setrecursionlimit(recursion)
        sys.set_int_max_str_digits(digits)
        gc.disable()
        gc.set_threshold(*thresholds)
        posix.chdir(self._folder)
        posix.umask(self._umask)
        return _thread._count() == 0

    def _restore_names(self) -> None:
        """Forget the modules that were imported since, and give those that were there what they held."""
        for names, before in self._dicts:
            names.update(before)
            if len(names) != len(before):
                for name in [name for name in names if name not in before]:
                    del names[name]
        for values, items in self._lists:
            values[:] = items

    def _restore_signals(self) -> None:
        for timer in _TIMERS:
            _signal.setitimer(timer, 0)
        for number, handler in self._handlers.items():
            if _signal.getsignal(number) is not handler:
                _signal.signal(number, handler)


def _restore_environment(before: dict[bytes, bytes]) -> None:
    for name in posix.environ.keys() - before.keys():
        posix.unsetenv(name)
    for name, value in before.items():
        if posix.environ.get(name) != value:
            posix.putenv(name, value)


def _umask() -> int:
    umask = posix.umask(0o022)
    posix.umask(umask)
    return umask
