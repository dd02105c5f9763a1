"""Values of the standard library as data: dates, paths, deques, arrays, views of dicts, named tuples.

Only the exact types cross, by the values that they hold, and are built from checked parts by fixed code. A message
names a type by one word of a fixed table, so it never says what is imported or called. A named tuple arrives as one of
a class made here, of nothing but field names: it has the program's fields and none of its code.
"""

from __future__ import annotations

import sys

# Importing collections takes longer, and type checkers do not know the module behind it.
from _collections import OrderedDict, _tuplegetter, defaultdict, deque  # type: ignore[import-not-found]

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    JsonValue = Any
    Code = Callable[[Any], Any]  # encodes or decodes one value
    Encoder = Callable[[Any, Code], JsonValue]
    Decoder = Callable[[JsonValue, Code], Any]


class NoDataError(Exception):
    """A value that cannot cross as data, though others of its type do; the text says what is in the way."""


MAX_FIELDS: Final = 255
MAX_NAME: Final = 100
MAX_RECORDS: Final = 100  # classes of named tuples in one process
MAX_FRACTION_BITS: Final = 100_000  # a fraction is reduced, which takes the square of its length

_KEYWORDS: Final = frozenset(
    "False None True and as assert async await break class continue def del elif else except finally for from global "
    "if import in is lambda nonlocal not or pass raise return try while with yield".split()
)
_FACTORIES: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (int, float, complex, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset)
}
_FACTORY_NAMES: Final = {kind: name for name, kind in _FACTORIES.items()}
_ELEMENTS: Final = frozenset("bBhHiIlLqQfd")  # type codes of arrays whose elements are any bytes

# Types that no import makes: exact type -> tag.
_ORDERED: Final = OrderedDict()
BUILT_IN: Final[dict[type, str]] = {
    OrderedDict: "OrderedDict",
    defaultdict: "defaultdict",
    deque: "deque",
    slice: "slice",
    memoryview: "memoryview",
    type({}.keys()): "dict_keys",
    type({}.values()): "dict_values",
    type({}.items()): "dict_items",
    type(_ORDERED.keys()): "odict_keys",
    type(_ORDERED.values()): "odict_values",
    type(_ORDERED.items()): "odict_items",
    type(type.__dict__): "mappingproxy",
    type(sys.implementation): "SimpleNamespace",
    type(NotImplemented): "NotImplemented",
}
# Types of modules that are imported when the first value of theirs arrives: tag, which is the type's name -> module.
MODULES: Final = {
    "Counter": "collections",
    "Decimal": "decimal",
    "Fraction": "fractions",
    "PosixPath": "pathlib",
    "PurePosixPath": "pathlib",
    "PureWindowsPath": "pathlib",
    "array": "array",
    "date": "datetime",
    "datetime": "datetime",
    "time": "datetime",
    "timedelta": "datetime",
    "timezone": "datetime",
}
# What a test may pass as a type, beside the built-in ones.
TYPES: Final = {**MODULES, "OrderedDict": "collections", "defaultdict": "collections", "deque": "collections"}


def tag_of(kind: type) -> str | None:
    """Return the tag of the exact type `kind`, or None where it is none of these."""
    tag = BUILT_IN.get(kind)
    if tag is None:
        name = kind.__name__
        if name in MODULES and loaded(name, MODULES) is kind:
            return name
    return tag


def loaded(name: str, table: dict[str, str]) -> Any:
    """Return the type that `table` calls `name`, or None while its module has not been imported."""
    return getattr(sys.modules.get(table[name]), name, None)


def find_type(name: str) -> Any:
    """Return the library's type called `name`. Raises KeyError for any other."""
    return getattr(__import__(TYPES[name]), name)


def type_name(kind: type) -> str | None:
    """Return the name under which `find_type` has `kind`, or None."""
    name = kind.__name__
    return name if name in TYPES and loaded(name, TYPES) is kind else None


# Encoding: each returns the body of the tag. A NoDataError says what keeps the value from crossing.


def _pairs(items: Any, encode: Code) -> JsonValue:
    return [[encode(key), encode(value)] for key, value in items]


def _items(value: Any, encode: Code) -> JsonValue:
    return [encode(item) for item in value]


def _encode_defaultdict(value: Any, encode: Code) -> JsonValue:
    factory = value.default_factory
    name = None if factory is None else _FACTORY_NAMES.get(factory, "?") if isinstance(factory, type) else "?"
    return [name, _pairs(dict.items(value), encode)]


def _encode_memoryview(value: Any, encode: Code) -> JsonValue:
    if value.format != "B" or value.ndim != 1:
        raise NoDataError("of anything but bytes")
    return value.tobytes().hex()


def _encode_array(value: Any, encode: Code) -> JsonValue:
    return [value.typecode, value.tounicode() if value.typecode == "u" else value.tobytes().hex()]


def _encode_offset(value: Any) -> JsonValue:
    if value is None:
        return None
    if type(value) is not loaded("timezone", MODULES):
        raise NoDataError(f"in a time zone that is a {type(value).__name__}, not a fixed offset")
    return _encode_timezone(value, lambda item: item)


def _encode_timezone(value: Any, encode: Code) -> JsonValue:
    offset, *name = value.__getinitargs__()
    return [offset.days, offset.seconds, offset.microseconds, *(name or [None])]


def _encode_fraction(value: Any, encode: Code) -> JsonValue:
    parts = value.numerator, value.denominator
    if any(part.bit_length() > MAX_FRACTION_BITS for part in parts):
        raise NoDataError(f"of more than {MAX_FRACTION_BITS} bits")
    return [hex(part) for part in parts]


def _time_of(value: Any) -> list[JsonValue]:
    return [value.hour, value.minute, value.second, value.microsecond, value.fold, _encode_offset(value.tzinfo)]


ENCODERS: Final[dict[str, Encoder]] = {
    "OrderedDict": lambda value, encode: _pairs(OrderedDict.items(value), encode),
    "Counter": lambda value, encode: _pairs(dict.items(value), encode),
    "defaultdict": _encode_defaultdict,
    "deque": lambda value, encode: [value.maxlen, _items(value, encode)],
    "slice": lambda value, encode: [encode(part) for part in (value.start, value.stop, value.step)],
    "memoryview": _encode_memoryview,
    "dict_keys": _items,
    "dict_values": _items,
    "dict_items": _pairs,
    "odict_keys": _items,
    "odict_values": _items,
    "odict_items": _pairs,
    "mappingproxy": lambda value, encode: _pairs(value.items(), encode),
    "SimpleNamespace": lambda value, encode: _pairs(vars(value).items(), encode),
    "NotImplemented": lambda value, encode: 0,
    "Decimal": lambda value, encode: str(value),
    "Fraction": _encode_fraction,
    "PosixPath": lambda value, encode: str(value),
    "PurePosixPath": lambda value, encode: str(value),
    "PureWindowsPath": lambda value, encode: str(value),
    "array": _encode_array,
    "date": lambda value, encode: [value.year, value.month, value.day],
    "datetime": lambda value, encode: [value.year, value.month, value.day, *_time_of(value)],
    "time": lambda value, encode: _time_of(value),
    "timedelta": lambda value, encode: [value.days, value.seconds, value.microseconds],
    "timezone": _encode_timezone,
}


# Decoding: each raises ValueError, TypeError, KeyError or OverflowError for a body that its encoder does not produce.


def _listed(body: JsonValue) -> list[Any]:
    if type(body) is not list:
        raise TypeError("a list is needed")
    return body


def _text(body: JsonValue) -> str:
    if type(body) is not str:
        raise TypeError("a text is needed")
    return body


def _whole(body: JsonValue) -> list[int]:
    """Return `body`, a list of whole numbers."""
    if any(type(part) is not int for part in _listed(body)):
        raise TypeError("whole numbers are needed")
    numbers: list[int] = body
    return numbers


def _decode_pairs(body: JsonValue, decode: Code) -> Iterator[tuple[Any, Any]]:
    return ((decode(key), decode(value)) for key, value in _listed(body))


def _decode_counter(body: JsonValue, decode: Code) -> Any:
    counter = find_type("Counter")()
    dict.update(counter, _decode_pairs(body, decode))
    return counter


def no_factory() -> None:
    """Stand for a defaultdict's factory that is none of the built-in types."""
    raise TypeError(
        "the default_factory of this defaultdict stays in the program's process: only types such as int cross"
    )


def _decode_defaultdict(body: JsonValue, decode: Code) -> Any:
    name, pairs = _listed(body)
    factory = None if name is None else no_factory if name == "?" else _FACTORIES[_text(name)]
    return defaultdict(factory, _decode_pairs(pairs, decode))


def _decode_deque(body: JsonValue, decode: Code) -> Any:
    limit, items = _listed(body)
    if limit is not None and (type(limit) is not int or limit < len(_listed(items))):
        raise ValueError("a deque holds no more than its maxlen")
    return deque([decode(item) for item in _listed(items)], limit)


def _decode_array(body: JsonValue, decode: Code) -> Any:
    code, content = _listed(body)
    made = find_type("array")
    if code == "u":
        return made("u", _text(content))
    if code not in _ELEMENTS:
        raise ValueError("no type code of an array")
    return made(code, bytes.fromhex(_text(content)))


def _decode_slice(body: JsonValue, decode: Code) -> slice:
    start, stop, step = (decode(part) for part in _listed(body))
    return slice(start, stop, step)


def _decode_fraction(body: JsonValue, decode: Code) -> Any:
    numerator, denominator = (int(_text(part), 16) for part in _listed(body))
    if max(numerator.bit_length(), denominator.bit_length()) > MAX_FRACTION_BITS or denominator <= 0:
        raise ValueError("no fraction")
    return find_type("Fraction")(numerator, denominator)


def _decode_offset(body: JsonValue) -> Any:
    return None if body is None else _decode_timezone(body, _text)


def _decode_timezone(body: JsonValue, decode: Code) -> Any:
    *offset, name = _listed(body)
    made, delta = find_type("timezone"), _decode_delta(offset, decode)
    return made(delta) if name is None else made(delta, _text(name))


def _decode_delta(body: JsonValue, decode: Code) -> Any:
    days, seconds, microseconds = _whole(body)
    if not (0 <= seconds < 86_400 and 0 <= microseconds < 1_000_000):
        raise ValueError("no timedelta")
    return find_type("timedelta")(days, seconds, microseconds)


def _decode_moment(tag: str, body: JsonValue) -> Any:
    *numbers, fold, offset = _listed(body)
    if type(fold) is not int or len(numbers) != (7 if tag == "datetime" else 4):
        raise TypeError(f"no {tag}")
    return find_type(tag)(*_whole(numbers), tzinfo=_decode_offset(offset), fold=fold)


def _decode_date(body: JsonValue, decode: Code) -> Any:
    year, month, day = _whole(body)
    return find_type("date")(year, month, day)


def _decode_namespace(body: JsonValue, decode: Code) -> Any:
    return type(sys.implementation)(**{_text(name): value for name, value in _decode_pairs(body, decode)})


def _named(tag: str) -> Decoder:
    return lambda body, decode: find_type(tag)(_text(body))


DECODERS: Final[dict[str, Decoder]] = {
    "OrderedDict": lambda body, decode: OrderedDict(_decode_pairs(body, decode)),
    "Counter": _decode_counter,
    "defaultdict": _decode_defaultdict,
    "deque": _decode_deque,
    "slice": _decode_slice,
    "memoryview": lambda body, decode: memoryview(bytes.fromhex(_text(body))),
    "dict_keys": lambda body, decode: {decode(key): None for key in _listed(body)}.keys(),
    "dict_values": lambda body, decode: dict(enumerate([decode(value) for value in _listed(body)])).values(),
    "dict_items": lambda body, decode: dict(_decode_pairs(body, decode)).items(),
    "odict_keys": lambda body, decode: OrderedDict((decode(key), None) for key in _listed(body)).keys(),
    "odict_values": lambda body, decode: OrderedDict(enumerate([decode(value) for value in _listed(body)])).values(),
    "odict_items": lambda body, decode: OrderedDict(_decode_pairs(body, decode)).items(),
    "mappingproxy": lambda body, decode: type(type.__dict__)(dict(_decode_pairs(body, decode))),
    "SimpleNamespace": _decode_namespace,
    "NotImplemented": lambda body, decode: NotImplemented,
    "Decimal": _named("Decimal"),
    "Fraction": _decode_fraction,
    "PosixPath": _named("PosixPath"),
    "PurePosixPath": _named("PurePosixPath"),
    "PureWindowsPath": _named("PureWindowsPath"),
    "array": _decode_array,
    "date": _decode_date,
    "datetime": lambda body, decode: _decode_moment("datetime", body),
    "time": lambda body, decode: _decode_moment("time", body),
    "timedelta": _decode_delta,
    "timezone": _decode_timezone,
}


class Record(tuple):  # type: ignore[type-arg]  # generic for type checkers only
    """A named tuple that came over the boundary: its class has a name and fields, and is made here."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    @classmethod
    def _make(cls, values: Any) -> Any:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(f"expected {len(cls._fields)} values, got {len(made)}")
        return made

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, **values: Any) -> Any:
        made = self._make(values.pop(name, old) for name, old in zip(self._fields, self, strict=True))
        if values:
            raise ValueError(f"unexpected field names: {list(values)}")
        return made

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({inside})"


_RECORDS: Final[dict[tuple[str, tuple[str, ...], int | None], type]] = {}  # emptied between the jobs of a container


def record_class(name: JsonValue, fields: JsonValue, origin: int | None) -> type:
    """Return the class of named tuples called `name` with `fields`; `origin` is the handle of the program's own.

    Raises ValueError for names that no named tuple can have, and where there are too many classes.
    """
    if not are_fields(_text(name), tuple(_listed(fields))):
        raise ValueError("no fields of a named tuple")
    key = name, tuple(fields), origin
    if key not in _RECORDS:
        if len(_RECORDS) >= MAX_RECORDS:
            raise ValueError("too many classes of named tuples")
        getters = {field: _tuplegetter(place, f"Alias for field number {place}") for place, field in enumerate(fields)}
        own = {"__slots__": (), "_fields": tuple(fields), "__match_args__": tuple(fields), "_edittool_origin": origin}
        _RECORDS[key] = type(name, (Record,), own | getters)
    return _RECORDS[key]


def are_fields(name: str, fields: tuple[Any, ...]) -> bool:
    """Tell whether a named tuple called `name` can have these `fields`, and they are few and short enough to cross."""
    texts = (name, *fields)
    return (
        len(fields) <= MAX_FIELDS
        and len(set(fields)) == len(fields)
        and all(type(text) is str and len(text) <= MAX_NAME and text.isidentifier() for text in texts)
        and not any(text in _KEYWORDS for text in texts)
        and not any(field.startswith("_") and not field[1:].isdigit() for field in fields)
    )


def fields_of(kind: type) -> tuple[str, ...] | None:
    """Return the field names of `kind`, a class of named tuples or derived from one, or None where it is neither."""
    for base in kind.__mro__:
        fields = base.__dict__.get("_fields")
        if base.__bases__ in ((tuple,), (Record,)) and type(fields) is tuple and fields:
            return fields if are_fields(kind.__name__, fields) else None
    return None
