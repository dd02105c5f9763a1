"""The replacements: compiled when they are first called, and counted when they have returned."""

from __future__ import annotations

import builtins

from ..boundary.light import TYPE_CHECKING
from .counterfactual import counterfactual
from .origin import SHIM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

_MOST: Final = 2**62
RAISE_VARARGS: Final = 130  # the opcode of a raise statement in CPython 3.11


class Shims:
    """The replacements of one world, and for each the number of calls that returned to the program."""

    def __init__(self, changes: list[Mapping[str, str]]):
        self._sources = {change["replacement"]: change["shim"] for change in changes}
        self._counters = {name: iter(range(_MOST)) for name in self._sources}
        self._failures = {name: iter(range(_MOST)) for name in self._sources}
        self._refusals = {name: iter(range(_MOST)) for name in self._sources}
        self._loaded: dict[str, Callable[..., Any]] = {}
        self._instead: dict[str, Callable[..., Any]] = {}
        self.replacements: dict[str, Any] = {}
        for name, source in self._sources.items():
            self.replacements[name] = self._make(name, source)

    @property
    def calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that returned."""
        return {name: _value(counter) for name, counter in self._counters.items()}

    @property
    def failed_calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that it took, and that raised in it."""
        return {name: number for name, counter in self._failures.items() if (number := _value(counter))}

    @property
    def refused_calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that it turned away, caught by the program or not."""
        return {name: number for name, counter in self._refusals.items() if (number := _value(counter))}

    def make_counterfactual(self, name: str, way: str | None) -> None:
        """Have the replacement called `name` do something else from now on, or with None what it ever did."""
        if way is None:
            self._instead.pop(name, None)
        else:
            self._instead[name] = counterfactual(way, self._load(name))

    def is_replaced(self, name: str) -> bool:
        """Tell whether what is called as the replacement `name` is other code than its shim's by now."""
        code = getattr(self._loaded.get(name), "__code__", None)
        return code is not None and code.co_filename != f"{SHIM}{name}>"

    def _make(self, name: str, source: str) -> object:
        if f"def {name}(" in source:
            return self._counted(name)
        value = self._load(name)
        return self._counted(name) if callable(value) else value

    def _load(self, name: str) -> Any:
        if name not in self._loaded:
            namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": "edittool_shims"}
            exec(compile(self._sources[name], f"{SHIM}{name}>", "exec", dont_inherit=True), namespace)
            self._loaded[name] = namespace[name]
            if name in self.replacements:
                self.replacements[name].__doc__ = namespace[name].__doc__
        return self._loaded[name]

    def _counted(self, name: str) -> Callable[..., Any]:
        # All that a program finds of the count in here is a way to add to it, and the counterfactual runs tell.
        advance, fail = self._counters[name].__next__, self._failures[name].__next__
        refuse = self._refusals[name].__next__

        def replacement(*args: Any, **kwargs: Any) -> Any:
            shim = self._load(name)
            try:
                value = self._instead.get(name, shim)(*args, **kwargs)
            except BaseException as error:
                if isinstance(error, TypeError) and _was_refused(error, shim):
                    error.edittool_refused = True  # type: ignore[attr-defined]
                    refuse()
                else:
                    fail()
                raise
            advance()
            return value

        replacement.__name__ = replacement.__qualname__ = name
        return replacement


def _was_refused(error: TypeError, shim: Callable[..., Any]) -> bool:
    """Tell whether `shim` itself turned the call away: by its signature, or by a raise statement of its own."""
    trace = error.__traceback__
    inner = trace.tb_next if trace else None
    if inner is None:
        return True  # the call never got into the shim
    code = getattr(shim, "__code__", None)
    return inner.tb_next is None and inner.tb_frame.f_code is code and code.co_code[inner.tb_lasti] == RAISE_VARARGS


def _value(counter: Any) -> int:
    """Return how often `counter` was advanced, without doing so."""
    return _MOST - int(counter.__length_hint__())
