"""JSON as text: a parser that takes only values that can be written again, and a writer of one-line ASCII."""

import json
import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

MAX_DEPTH = 100  # far below Python's recursion limit: what was read can be written again from any depth of calls
MADE_DEPTH = MAX_DEPTH + 10  # of rows that are made of those that were read: a field that moves lies a little deeper
MAX_DIGITS = 1000  # no count is longer, and Python refuses to convert what is much longer


def parse_json(raw: bytes, unfit: Callable[[str], Any] | None = None, depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value in `raw`, UTF-8 with or without a byte order mark.

    `unfit` gives the value for the text of a number that could not be written again, NaN and infinity among them.

    Raises ValueError (also its kinds UnicodeDecodeError and JSONDecodeError) for what is not JSON, and for what could
    not be written again: a number beyond a double or of more than MAX_DIGITS digits, nesting deeper than `depth`.
    """
    text = raw.decode("utf-8").removeprefix("\ufeff")
    try:
        value = _decoder(unfit).decode(text)
    except RecursionError:
        raise _too_deep(depth) from None
    if text.count("[") + text.count("{") > depth:
        _check_depth(value, depth)
    return value


def is_whole_row(raw: bytes) -> bool:
    """Say whether `raw` holds one whole JSON object."""
    try:
        return isinstance(parse_json(raw, depth=MADE_DEPTH), dict)
    except ValueError:
        return False


def dump_row(data: Mapping[str, Any]) -> str:
    """Return `data` as one line of JSON, without the line end.

    ASCII only: text that came from a model can then neither break the line (U+2028) nor steer a terminal, and lone
    surrogates are written and read again. Raises ValueError for NaN and infinity, which JSON lacks.
    """
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(", ", ": "))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is out of range")
    return value


def _short_int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


_Read = Callable[[str], Any]


@lru_cache(maxsize=4)  # making one takes longer than reading a row
def _decoder(unfit: _Read | None) -> json.JSONDecoder:
    """Return what reads JSON, and has `unfit` read the numbers that could not be written again."""

    def reader(read: _Read) -> _Read:
        def number(text: str) -> Any:
            try:
                return read(text)
            except ValueError:
                if unfit is None:
                    raise
                return unfit(text)

        return number

    return json.JSONDecoder(
        parse_constant=reader(_refuse_constant), parse_float=reader(_finite_float), parse_int=reader(_short_int)
    )


def _check_depth(value: object, depth: int) -> None:
    layer = [value]
    for _ in range(depth):
        layer = [child for parent in layer for child in _containers_in(parent)]
        if not layer:
            return
    raise _too_deep(depth)


def _containers_in(value: object) -> list[object]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]


def _too_deep(depth: int) -> ValueError:
    return ValueError(f"lists and objects stand in each other more than {depth} deep")
