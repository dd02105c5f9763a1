"""The arguments of MBPP+ as the tasks mean them: EvalPlus's JSON has lists where they are tuples or sets.

The types of each task are a fact of the data set, not written in its rows; EvalPlus's own reader knows it by task too.
"""

from collections.abc import Callable
from typing import Any

Arguments = list[Any]


def restore_types(task_id: str, arguments: Arguments) -> Arguments:
    """Return the arguments of one call with the types that the task means.

    Raises TypeError, ValueError, AttributeError or IndexError for arguments that are not the task's.
    """
    data_set, _, number = task_id.partition("/")
    restore = _RESTORERS.get(int(number)) if data_set.lower() == "mbpp" and number.isdecimal() else None
    return restore(arguments) if restore else arguments


def _tuples(arguments: Arguments) -> Arguments:
    """f((1, 2), (3, 4))."""
    return [_tuple(value) for value in arguments]


def _lists_of_tuples(arguments: Arguments) -> Arguments:
    """f([(1, 2), (3, 4)], 5)."""
    return [[_tuple(item) for item in value] if isinstance(value, list) else value for value in arguments]


def _tuples_of_tuples(arguments: Arguments) -> Arguments:
    """f(((1, 2), 3), ((4, 5), 6))."""
    return [tuple(_tuple(item) for item in value) for value in arguments]


def _first_tuple(arguments: Arguments) -> Arguments:
    """f((1, 2), [3, 4])."""
    return [_tuple(arguments[0]), *arguments[1:]]


def _first_list_of_tuples(arguments: Arguments) -> Arguments:
    """f([(1, 2), (3, 4)], [5])."""
    return [[_tuple(item) for item in arguments[0]], *arguments[1:]]


def _second_tuple(arguments: Arguments) -> Arguments:
    """f([1, 2], (3, 4))."""
    return [arguments[0], _tuple(arguments[1]), *arguments[2:]]


def _all_tuples(arguments: Arguments) -> Arguments:
    """f((1, (2, (3,))))."""
    return [_deep_tuple(value) for value in arguments]


def _dict_of_tuples(arguments: Arguments) -> Arguments:
    """f({"a": (1, 2)}, 3)."""
    return [{key: _tuple(value) for key, value in arguments[0].items()}, *arguments[1:]]


def _list_of_sets(arguments: Arguments) -> Arguments:
    """f([{1, 2}, {}])."""
    return [[set(item) if isinstance(item, list) and item else {} for item in arguments[0]]]


def _float_and_complex(arguments: Arguments) -> Arguments:
    return [float(arguments[0]), complex(arguments[1])]


def _complex(arguments: Arguments) -> Arguments:
    return [complex(arguments[0])]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _deep_tuple(value: Any) -> Any:
    return tuple(_deep_tuple(item) for item in value) if isinstance(value, list) else value


_TASKS: dict[Callable[[Arguments], Arguments], str] = {
    _tuples: "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
    _lists_of_tuples: "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780",
    _first_list_of_tuples: "75 413 444 753",
    _second_tuple: "106 750",
    _first_tuple: "250 307 405 446 617 720 763 808",
    _tuples_of_tuples: "259 278 401 445",
    _all_tuples: "580 615 791",
    _dict_of_tuples: "722",
    _list_of_sets: "115",
    _float_and_complex: "124",
    _complex: "252",
}
_RESTORERS = {int(number): restore for restore, numbers in _TASKS.items() for number in numbers.split()}
