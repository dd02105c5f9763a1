"""What the tests of one job changed in the trusted process itself is undone before those of the next one run.

Tests are trusted, so this is about what they do in passing: set a precision, a seed or a handler, import a module and
change something in it. Each job is to find what it would find in a container of its own.
"""

from __future__ import annotations

import _signal
import _thread
import gc
import posix
import sys

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Final

_TIMERS: Final = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)


class OwnState:
    """The state of this process when it was made: its modules, handlers, limits, folder."""

    def __init__(self) -> None:
        self._modules = dict(sys.modules)
        namespaces = [vars(module) for module in self._modules.values()]
        self._namespaces = [(namespace, dict(namespace)) for namespace in namespaces]
        self._lists: list[tuple[list[Any], list[Any]]] = [
            (value, value.copy()) for value in (*vars(sys).values(), gc.callbacks) if type(value) is list
        ]
        self._handlers = {number: _signal.getsignal(number) for number in _signal.valid_signals()}
        self._limits = sys.getrecursionlimit(), sys.get_int_max_str_digits(), gc.get_threshold()
        self._folder, self._umask = posix.getcwd(), _umask()

    def restore(self) -> bool:
        """Bring this process back to that state; tell whether it is in it."""
        sys.settrace(None)
        sys.setprofile(None)
        self._restore_names()
        for values, before in self._lists:
            values[:] = before
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
        """Forget the modules that were imported since, and give those that were there the names they had."""
        for names, before in ((sys.modules, self._modules), *self._namespaces):
            names.update(before)
            for name in [name for name in names if name not in before]:
                del names[name]

    def _restore_signals(self) -> None:
        for timer in _TIMERS:
            _signal.setitimer(timer, 0)
        for number, handler in self._handlers.items():
            if _signal.getsignal(number) is not handler:
                _signal.signal(number, handler)


def _umask() -> int:
    umask = posix.umask(0o022)
    posix.umask(umask)
    return umask
