"""Plain data across the process boundary: Python values as tagged JSON, and back.

Only values of exact built-in types and of the library's own (library.py) come out of `decode`, so a comparison in the
tests' process never runs a line of the candidate's code. Subclasses of built-in types travel as their base, numbers of
numpy as Python's. Sets keep the order that they have (sets.py). What is not plain data travels as a numbered handle,
with a word on what it is. There is no pickle and no marshal: both let the sender choose what the receiver runs or
crashes on.
"""

from __future__ import annotations

import builtins
from _collections import OrderedDict  # type: ignore[import-not-found]  # importing collections takes longer

from . import library, sets
from .light import TYPE_CHECKING, ModuleType

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    JsonValue = Any
    Keep = Callable[
        [object], int | str
    ]  # gives the handle of an object that stays where it is, or a name in the library
    Find = Callable[[int | str, str], object]  # gives what stands for a handle on this side, and was so described


class NotPlainError(Exception):
    """The value is neither plain data nor may it travel as a handle."""


class BadValueError(Exception):
    """The JSON is no encoding of a value; the sender may be hostile."""


MAX_DESCRIPTION: Final = 150
_INT64: Final = 2**63
_TYPES: Final = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPE_NAMES: Final = {value: name for name, value in _TYPES.items()}
_AS_THEY_ARE: Final = frozenset({type(None), bool, str})
_NUMBERS: Final = frozenset({bool, int, float, complex})  # that a scalar of numpy equals


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
    if issubclass(kind, type):  # not isinstance, which asks the value
        name = _TYPE_NAMES.get(value) or library.type_name(value)
        return {"type": name} if name else _handle(value, keep)
    tag = library.tag_of(kind)
    if tag is not None:
        try:
            return {tag: library.ENCODERS[tag](value, lambda item: encode(item, keep))}
        except library.NoDataError as reason:
            return _handle(value, keep, f" {reason}")
    for base in kind.__mro__:
        if base is tuple and (fields := library.fields_of(kind)) and len(fields) == tuple.__len__(value):
            return _encode_record(value, kind, fields, keep)
        if base in _TO_BASE:
            return encode(_TO_BASE[base](value), keep)
    if kind.__module__ == "numpy" and kind.__mro__[-2:-1] and kind.__mro__[-2].__name__ == "generic":
        number = value.item()
        if type(number) in _NUMBERS:  # not those that Python has no type for
            return encode(number, keep)
    return _handle(value, keep)


def _encode_record(value: Any, kind: type, fields: tuple[str, ...], keep: Keep) -> JsonValue:
    items = [encode(item, keep) for item in tuple.__iter__(value)]
    origin = kind.__dict__.get("_edittool_origin")
    if origin is not None:
        return {"instance": [origin, items]}
    try:
        handle = keep(kind)
    except NotPlainError:
        handle = None
    return {"namedtuple": [kind.__name__, list(fields), items, handle]}


def _handle(value: Any, keep: Keep, reason: str = "") -> JsonValue:
    text = (describe(value) + reason)[:MAX_DESCRIPTION]
    return {"handle": [keep(value), text if text.isprintable() else "an object"]}


def describe(value: Any) -> str:
    """Return in a few words what `value` is: "a generator", "an object of the program's class Point"."""
    kind = type(value)
    name, module = kind.__qualname__, kind.__module__
    if issubclass(kind, ModuleType):
        return "a module"
    if issubclass(kind, type):
        return f"the class {value.__qualname__}"
    if module == "candidate":
        return f"an object of the program's class {name}"
    full = name if module in ("builtins", "types") else f"{module}.{name}"
    return f"{'an' if full[:1].lower() in 'aeiou' else 'a'} {full}"


def _encode_int(value: int, keep: Keep) -> JsonValue:
    return value if -_INT64 <= value < _INT64 else {"int": hex(value)}


def _encode_float(value: float, keep: Keep) -> JsonValue:
    return value if value - value == 0 else {"float": repr(value)}


def _encode_set(value: Any, keep: Keep) -> JsonValue:
    kind = type(value).__name__
    way = sets.plan(value) if len(value) > 1 else None
    if way is None:
        return {kind: [encode(item, keep) for item in value]}
    slots, items, blocked = way
    return {"laid_out": [kind, slots, [encode(item, keep) for item in items], blocked]}


_ENCODERS: Final[dict[type, Callable[[Any, Keep], JsonValue]]] = {
    int: _encode_int,
    float: _encode_float,
    tuple: lambda value, keep: {"tuple": [encode(item, keep) for item in value]},
    set: _encode_set,
    frozenset: _encode_set,
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
    except (ValueError, TypeError, LookupError, RecursionError, ArithmeticError) as error:
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
        return _decode_handle(body, find)
    decoder = _DECODERS.get(tag)
    if decoder is not None:
        return decoder(body, find)
    library_decoder = library.DECODERS.get(tag)
    if library_decoder is None:
        raise BadValueError("an unknown tag")
    return library_decoder(body, lambda item: _decode(item, find))


def _decode_handle(body: JsonValue, find: Find) -> Any:
    handle, description = body if type(body) is list and len(body) == 2 else (body, "an object")
    if type(handle) not in (int, str) or len(_text(description)) > MAX_DESCRIPTION or not description.isprintable():
        raise BadValueError("no handle")
    return find(handle, description)


def _decode_list(body: JsonValue) -> list[Any]:
    if type(body) is not list:
        raise BadValueError("a list is needed")
    return body


def _decode_items(body: JsonValue, find: Find) -> list[Any]:
    return [_decode(item, find) for item in _decode_list(body)]


def _decode_dict(body: JsonValue, find: Find) -> dict[Any, Any]:
    return {_decode(key, find): _decode(value, find) for key, value in body}


def _decode_laid_out(body: JsonValue, find: Find) -> Any:
    kind, slots, items, blocked = _decode_list(body)
    if kind not in ("set", "frozenset") or any(not 0 <= _whole(slot) < _whole(slots) for slot in _decode_list(blocked)):
        raise BadValueError("no layout of a set")
    return sets.build(_TYPES[kind], _whole(slots), _decode_items(items, find), blocked)


def _decode_record(body: JsonValue, find: Find) -> Any:
    name, fields, items, origin = _decode_list(body)
    kind: Any = library.record_class(name, fields, None if origin is None else _whole(origin))
    return kind._make(_decode_items(items, find))


def _decode_instance(body: JsonValue, find: Find) -> Any:
    """Return a named tuple of the program's own class, which the receiver has under a handle."""
    origin, items = _decode_list(body)
    kind = find(_whole(origin), "")
    if not isinstance(kind, type) or not issubclass(kind, tuple):
        raise BadValueError("no class of named tuples")
    return tuple.__new__(kind, _decode_items(items, find))


def _decode_type(body: JsonValue, find: Find) -> Any:
    name = _text(body)
    return _TYPES[name] if name in _TYPES else library.find_type(name)


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
    "set": lambda body, find: sets.filled(_decode_items(body, find)),
    "frozenset": lambda body, find: sets.frozen(_decode_items(body, find)),
    "laid_out": _decode_laid_out,
    "dict": _decode_dict,
    "bytes": lambda body, find: bytes.fromhex(_text(body)),
    "bytearray": lambda body, find: bytearray.fromhex(_text(body)),
    "complex": lambda body, find: complex(*(float(part) for part in _decode_items(body, find))),
    "range": lambda body, find: range(*(_whole(part) for part in _decode_items(body, find))),
    "int": lambda body, find: int(_text(body), 16),
    "float": lambda body, find: float(_text(body)),
    "type": _decode_type,
    "ellipsis": lambda body, find: ...,
    "namedtuple": _decode_record,
    "instance": _decode_instance,
}
