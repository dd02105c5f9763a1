"""The calls of replacements: how many returned to the program, failed or were refused, and what stands in for them.

All that a program finds of a count in here is a way to add to it, and the counterfactual runs tell.
"""

from __future__ import annotations

from ...boundary.light import TYPE_CHECKING
from ...boundary.runs import NOTHING
from .counterfactual import counterfactual, nothing, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

_MOST: Final = 2**62
RAISE_VARARGS: Final = 130  # the opcode of a raise statement in CPython 3.11


class Counts:
    """The counts of one world's replacements, by their names."""

    def __init__(self, names: Iterable[str]):
        names = list(names)
        self._returned = {name: iter(range(_MOST)) for name in names}
        self._failed = {name: iter(range(_MOST)) for name in names}
        self._refused = {name: iter(range(_MOST)) for name in names}
        self._ways: dict[str, str] = {}
        self._salts = {name: iter(range(1, _MOST)).__next__ for name in names}

    @property
    def calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that returned."""
        return {name: _value(counter) for name, counter in self._returned.items()}

    @property
    def failed_calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that it took, and that raised in it."""
        return {name: number for name, counter in self._failed.items() if (number := _value(counter))}

    @property
    def refused_calls(self) -> dict[str, int]:
        """Return the number of calls of each replacement that it turned away, caught by the program or not."""
        return {name: number for name, counter in self._refused.items() if (number := _value(counter))}

    def make_counterfactual(self, name: str, way: str | None) -> None:
        """Have the replacement called `name` do something else from now on, or with None what it ever did."""
        if way is None:
            self._ways.pop(name, None)
        else:
            self._ways[name] = way

    def read(self, name: str, value: Any) -> Any:
        """Return what the program gets that reads the constant `value`, which the replacement called `name` is."""
        next(self._returned[name])
        way = self._ways.get(name)
        if way is None:
            return value
        return nothing() if way == NOTHING else wrong(value, self._salts[name]())

    def counted(
        self,
        name: str,
        function_of: Callable[[], Callable[..., Any]],
        is_old: Callable[..., bool] | None = None,
        instead: Callable[..., Callable[..., Any]] = counterfactual,
    ) -> Callable[..., Any]:
        """Return a function that calls what `function_of` gives, as the replacement called `name`.

        `is_old` tells of a call's arguments whether the old signature takes them too: such a call is no use of what
        has changed, and counts for nothing. `instead` makes what is called in a counterfactual run.
        """
        advance, fail, refuse = (counters[name].__next__ for counters in (self._returned, self._failed, self._refused))

        def replacement(*args: Any, **kwargs: Any) -> Any:
            function, old = None, False
            try:  # all of it: at the limit of recursion each call in here may be one too many
                function = function_of()
                old = is_old is not None and is_old(*args, **kwargs)
                way = None if old else self._ways.get(name)
                call = function if way is None else instead(way, function, self._salts[name])
                value = call(*args, **kwargs)
            except BaseException as error:
                if isinstance(error, TypeError) and _was_refused(error, function):
                    error.edittool_refused, error.edittool_old = True, old  # type: ignore[attr-defined]
                    if not old:
                        refuse()
                elif not old:
                    fail()
                raise
            if not old:
                advance()
            return value

        return replacement


def _was_refused(error: TypeError, function: Any) -> bool:
    """Tell whether `function` itself turned the call away: by its signature, or by a raise statement of its own."""
    trace = error.__traceback__
    inner = trace.tb_next if trace else None
    if inner is None:
        return True  # the call never got into the function
    code = getattr(function, "__code__", None)
    return inner.tb_next is None and inner.tb_frame.f_code is code and code.co_code[inner.tb_lasti] == RAISE_VARARGS


def _value(counter: Any) -> int:
    """Return how often `counter` was advanced, without doing so."""
    return _MOST - int(counter.__length_hint__())
