"""Plain data across the process boundary: Python values as tagged JSON, and back.

Only values of exact built-in types come out of `decode`, so a comparison in the tests' process never runs a line of
the candidate's code. Subclasses travel as their base. What is not plain data travels as a numbered handle. There is
no pickle and no marshal: both let the sender choose what the receiver runs or crashes on.
"""

from __future__ import annotations

import builtins
from _collections import OrderedDict  # type: ignore[import-not-found]  # importing collections takes longer

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    JsonValue = Any
    Keep = Callable[[object], int]  # gives the handle of an object that stays where it is
    Find = Callable[[int], object]  # gives what stands for a handle on this side


class NotPlainError(Exception):
    """The value is neither plain data nor may it travel as a handle."""


class BadValueError(Exception):
    """The JSON is no encoding of a value; the sender may be hostile."""


_INT64: Final = 2**63
_TYPES: Final = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPE_NAMES: Final = {value: name for name, value in _TYPES.items()}
_AS_THEY_ARE: Final = frozenset({type(None), bool, str})


def encode(value: object, keep: Keep) -> JsonValue:
    """Return the JSON form of `value`; `keep` gives the handle of whatever is not plain data.

    Raises RecursionError for data nested too deeply or in a circle.
    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is list:
        return [encode(item, keep) for item in value]  # type: ignore[attr-defined]
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value, keep)
    return _encode_other(value, kind, keep)


def _encode_other(value: Any, kind: type, keep: Keep) -> JsonValue:
    if isinstance(value, type):
        name = _TYPE_NAMES.get(value)
        return {"type": name} if name else {"handle": keep(value)}
    for base in kind.__mro__:
        if base in _TO_BASE:
            return encode(_TO_BASE[base](value), keep)
    if kind.__module__ in {"fractions", "decimal"} and kind.__name__ in {"Fraction", "Decimal"}:
        return {kind.__name__: str(value)}
    return {"handle": keep(value)}


def _encode_int(value: int, keep: Keep) -> JsonValue:
    return value if -_INT64 <= value < _INT64 else {"int": hex(value)}


def _encode_float(value: float, keep: Keep) -> JsonValue:
    return value if value - value == 0 else {"float": repr(value)}


def _encode_items(tag: str) -> Callable[[Any, Keep], JsonValue]:
    return lambda value, keep: {tag: [encode(item, keep) for item in value]}


_ENCODERS: Final[dict[type, Callable[[Any, Keep], JsonValue]]] = {
    int: _encode_int,
    float: _encode_float,
    tuple: _encode_items("tuple"),
    set: _encode_items("set"),
    frozenset: _encode_items("frozenset"),
    dict: lambda value, keep: {"dict": [[encode(k, keep), encode(v, keep)] for k, v in value.items()]},
    bytes: lambda value, keep: {"bytes": value.hex()},
    bytearray: lambda value, keep: {"bytearray": value.hex()},
    complex: lambda value, keep: {"complex": [_encode_float(value.real, keep), _encode_float(value.imag, keep)]},
    range: lambda value, keep: {"range": [_encode_int(n, keep) for n in (value.start, value.stop, value.step)]},
    type(...): lambda value, keep: {"ellipsis": 0},
}

# How a value of a subclass becomes one of its base, without asking the subclass where that can be helped.
_TO_BASE: Final[dict[type, Callable[[Any], object]]] = {
    int: lambda value: int.__add__(value, 0),
    float: lambda value: float.__add__(value, 0.0),
    complex: lambda value: complex.__add__(value, 0j),
    str: lambda value: str.__getitem__(value, slice(None)),
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    bytearray: lambda value: bytearray.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    list: lambda value: list.__getitem__(value, slice(None)),
    dict: lambda value: dict(dict.items(value)),
    OrderedDict: lambda value: dict(OrderedDict.items(value)),  # its order is not the dict's
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}


def decode(message: JsonValue, find: Find) -> Any:
    """Return the value that `message` encodes; `find` gives what stands for a handle.

    Raises BadValueError for anything that `encode` does not produce.
    """
    try:
        return _decode(message, find)
    except BadValueError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, ArithmeticError) as error:
        raise BadValueError(f"{type(error).__name__} while decoding") from None


def _decode(message: JsonValue, find: Find) -> Any:
    kind = type(message)
    if kind is list:
        return [_decode(item, find) for item in message]
    if kind is not dict:
        return message
    if len(message) != 1:
        raise BadValueError("a tagged value has exactly one tag")
    tag, body = next(iter(message.items()))
    if tag == "handle":
        return find(_whole(body))
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise BadValueError("an unknown tag")
    return decoder(body, find)


def _decode_items(body: JsonValue, find: Find) -> list[Any]:
    if type(body) is not list:
        raise BadValueError("a list is needed")
    return [_decode(item, find) for item in body]


def _decode_dict(body: JsonValue, find: Find) -> dict[Any, Any]:
    return {_decode(key, find): _decode(value, find) for key, value in body}


def _decode_fraction(body: JsonValue, find: Find) -> Any:
    # Not by Fraction(text): that would unfold "1e1000000000". int() refuses more than 4,300 digits.
    parts = [int(part) for part in _text(body).split("/")]
    return __import__("fractions").Fraction(*parts)


def _decode_decimal(body: JsonValue, find: Find) -> Any:
    return __import__("decimal").Decimal(_text(body))


def _whole(body: JsonValue) -> int:
    if type(body) is not int:
        raise BadValueError("a whole number is needed")
    return body


def _text(body: JsonValue) -> str:
    if type(body) is not str:
        raise BadValueError("a text is needed")
    return body


_DECODERS: Final[dict[str, Callable[[JsonValue, Find], Any]]] = {
    "tuple": lambda body, find: tuple(_decode_items(body, find)),
    "set": lambda body, find: set(_decode_items(body, find)),
    "frozenset": lambda body, find: frozenset(_decode_items(body, find)),
    "dict": _decode_dict,
    "bytes": lambda body, find: bytes.fromhex(_text(body)),
    "bytearray": lambda body, find: bytearray.fromhex(_text(body)),
    "complex": lambda body, find: complex(*(float(part) for part in _decode_items(body, find))),
    "range": lambda body, find: range(*(_whole(part) for part in _decode_items(body, find))),
    "int": lambda body, find: int(_text(body), 16),
    "float": lambda body, find: float(_text(body)),
    "type": lambda body, find: _TYPES[_text(body)],
    "ellipsis": lambda body, find: ...,
    "Fraction": _decode_fraction,
    "Decimal": _decode_decimal,
}
