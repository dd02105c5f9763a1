"""The counterfactual replacement: what a program gets in place of the replacement's value, to see whether it needs it.

A passing program that called the replacement runs again with one that does nothing and returns a value of which every
use raises. If it passes all the same, perhaps because it catches that, it runs once more with a wrong value of the
right type. Neither changes its arguments.
"""

from __future__ import annotations

import sys

from ...boundary.light import TYPE_CHECKING
from ...boundary.runs import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

_FINE: Final = 2.0**50  # below that, a float tells a few numbers above it apart
_USES: Final = """
    abs add aenter aexit aiter and anext await bool bytes call ceil complex contains delattr delete delitem divmod
    enter eq exit float floor floordiv format fspath ge get getattribute getitem gt hash index int invert iter le len
    length_hint lshift lt matmul mod mul ne neg next or pos pow radd rand rdivmod reduce reduce_ex repr reversed
    rfloordiv rlshift rmatmul rmod rmul ror round rpow rrshift rshift rsub rtruediv rxor set setattr setitem str sub
    truediv trunc xor
""".split()


class CounterfactualError(Exception):
    """The program used the value of a replacement that, in this run, has none."""


def _raise(*args: Any, **kwargs: Any) -> Any:
    raise CounterfactualError("in this run the replacement returns nothing that can be used")


_Nothing: Final = type("Nothing", (), {f"__{use}__": _raise for use in _USES})


def counterfactual(way: str, function: Callable[..., Any], salt: Callable[[], int]) -> Callable[..., Any]:
    """Return what is called in place of `function`: `way` is NOTHING or WRONG_VALUE of runs.py.

    With a wrong value the function is called, with copies of its arguments, and raises what it raises. `salt` gives the
    number of the call, from 1 on.
    """
    if way == NOTHING:
        return lambda *args, **kwargs: nothing()

    def call(*args: Any, **kwargs: Any) -> Any:
        value = function(*map(_copied, args), **{name: _copied(value) for name, value in kwargs.items()})
        return wrong(value, salt())

    return call


def spoiled(way: str, init: Callable[..., None], salt: Callable[[], int]) -> Callable[..., None]:
    """Return what is called in place of `init`, the `__init__` of a class: it leaves nothing, or wrong attributes."""

    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        if way == NOTHING:
            return
        init(self, *args, **kwargs)
        number = salt()
        for name in [*getattr(self, "__dict__", ()), *_slots(type(self))]:
            try:
                object.__setattr__(self, name, wrong(getattr(self, name), number))
            except (AttributeError, TypeError):  # unset, or not to be set
                continue

    return call


def _slots(cls: type) -> list[str]:
    found: list[str] = []
    for each in cls.__mro__:
        slots = each.__dict__.get("__slots__", ())
        found += [slots] if isinstance(slots, str) else list(slots)
    return found


def nothing() -> Any:
    """Return a value of which every use raises."""
    return _Nothing()


def _copied(value: Any) -> Any:
    import copy

    try:
        return copy.deepcopy(value)
    except Exception:  # generators, files, objects of the program
        return value


def wrong(value: Any, salt: int) -> Any:
    """Return a value of the type of `value`, as far as one can be made, that is another; none can for None.

    `salt` (1 or more) makes the wrong values of two calls differ where the right ones are equal.
    """
    kind = type(value)
    if value is None:
        return None
    if kind is bool:
        return not value
    if isinstance(value, int | float | complex):
        return value + salt if isinstance(value, int) or abs(value) < _FINE else kind(salt)
    if isinstance(value, str):
        return kind("~" * salt + value[::-1]) if kind is str else "~" * salt + value[::-1]
    if isinstance(value, bytes | bytearray):
        return kind(b"~" * salt + value[::-1])
    if isinstance(value, tuple):
        return _wrong_tuple(value, salt)
    if isinstance(value, dict):
        return _wrong_dict(value, salt)
    if isinstance(value, set | frozenset):
        return kind([*(wrong(item, salt) for item in value), ("~", salt)])
    if isinstance(value, range):
        return range(value.start + salt, value.stop + 2 * salt, value.step)
    return _wrong_other(value, kind, salt)


def _wrong_items(items: Any, salt: int) -> list[Any]:
    found = [wrong(item, salt) for item in items]
    return [*found, found[-1] if found else salt]


def _wrong_tuple(value: Any, salt: int) -> Any:
    if hasattr(value, "_make"):
        return value._make(wrong(item, salt) for item in value)
    # As long as it was: it may be taken apart into as many names.
    return tuple(wrong(item, salt) for item in value) or (salt,)


def _wrong_dict(value: Any, salt: int) -> Any:
    made = value.copy()  # which keeps a default factory
    for key, item in list(value.items()):
        made[key] = wrong(item, salt)
    made[("~", salt)] = wrong(next(iter(value.values()), 0), salt)
    return made


def _wrong_other(value: Any, kind: type, salt: int) -> Any:
    if isinstance(value, list) or (kind.__module__, kind.__name__) == ("collections", "deque"):
        return kind(_wrong_items(value, salt))
    if kind.__name__ == "array":
        return value[::-1] + value
    if hasattr(value, "__next__") and not hasattr(value, "getvalue"):
        return (wrong(item, salt) for item in value)
    if isinstance(value, type):
        return value
    for other in (_shifted, _rewritten, _found_elsewhere):
        try:
            return other(value, salt)
        except Exception:  # not of that sort
            continue
    if callable(value):
        return lambda *args, **kwargs: wrong(value(*args, **kwargs), salt)
    return _Nothing()


def _shifted(value: Any, salt: int) -> Any:
    """Return another date, time difference, fraction or decimal."""
    datetime = sys.modules.get("datetime")
    if datetime is not None and isinstance(value, datetime.date | datetime.timedelta):
        return value + datetime.timedelta(days=salt, seconds=salt)
    return type(value)(value + salt)


def _rewritten(value: Any, salt: int) -> Any:
    """Return a file in memory with another text, or a copy of an object with other attributes."""
    if hasattr(value, "getvalue"):
        return type(value)(wrong(value.getvalue(), salt))
    import copy

    made = copy.copy(value)
    if not vars(made):
        raise TypeError("no attributes")
    for name, item in list(vars(made).items()):
        setattr(made, name, wrong(item, salt))
    return made


def _found_elsewhere(value: Any, salt: int) -> Any:
    """Return a match of something else, or a pattern of something else."""
    import re

    if isinstance(value, re.Match):
        return re.compile("~+").match("~" * salt)
    if isinstance(value, re.Pattern):
        return re.compile("~" * salt)
    raise TypeError("neither")
