"""The library's values cross as what they are, and hostile messages about them are bad values, and small ones."""

import contextlib
import datetime
import string
import sys
import tracemalloc
import types
from array import array
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import PosixPath, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary import codec, library

from .test_codec import HASHABLE, JSON, VALUES, Handle, cross, exact

UTC = datetime.UTC
OFFSETS = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))
ZONES = st.none() | st.just(UTC) | OFFSETS.map(datetime.timezone) | st.builds(datetime.timezone, OFFSETS, st.text())
PATH_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PAIRS = st.dictionaries(HASHABLE, VALUES, max_size=4)

# What each tag crosses as; a tag without a row is found by a test below.
BY_TAG: dict[str, st.SearchStrategy[object]] = {
    "Counter": st.dictionaries(HASHABLE, st.integers(), max_size=4).map(Counter),
    "Decimal": st.decimals(),
    "Fraction": st.fractions() | st.builds(Fraction, st.integers(-(2**4000), 2**4000), st.integers(1, 2**4000)),
    "NotImplemented": st.just(NotImplemented),
    "OrderedDict": PAIRS.map(OrderedDict),
    "PosixPath": PATH_TEXT.map(PosixPath),
    "PurePosixPath": PATH_TEXT.map(PurePosixPath),
    "PureWindowsPath": PATH_TEXT.map(PureWindowsPath),
    "SimpleNamespace": st.dictionaries(st.text(), VALUES, max_size=3).map(lambda names: types.SimpleNamespace(**names)),
    "array": st.one_of(
        *(st.binary().map(lambda content: array("B", content)) for _ in "B"),
        st.lists(st.integers(-(2**31), 2**31 - 1)).map(lambda numbers: array("i", numbers)),
        st.lists(st.integers(0, 2**64 - 1)).map(lambda numbers: array("Q", numbers)),
        st.lists(st.floats(allow_nan=False)).map(lambda numbers: array("d", numbers)),
        st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: array("u", text)),
    ),
    "date": st.dates(),
    "datetime": st.datetimes(timezones=ZONES) | st.just(datetime.datetime(2024, 10, 27, 2, fold=1)),
    "defaultdict": st.builds(
        defaultdict, st.sampled_from([None, int, list, set, dict, str, float, bool, tuple]), PAIRS
    ),
    "deque": st.lists(VALUES, max_size=4).flatmap(
        lambda items: st.builds(deque, st.just(items), st.none() | st.integers(len(items), sys.maxsize))
    ),
    "dict_items": PAIRS.map(dict.items),
    "dict_keys": PAIRS.map(dict.keys),
    "dict_values": PAIRS.map(dict.values),
    "mappingproxy": PAIRS.map(types.MappingProxyType),
    "memoryview": st.binary().map(memoryview),
    "odict_items": PAIRS.map(OrderedDict).map(OrderedDict.items),
    "odict_keys": PAIRS.map(OrderedDict).map(OrderedDict.keys),
    "odict_values": PAIRS.map(OrderedDict).map(OrderedDict.values),
    "slice": st.builds(slice, VALUES, VALUES, VALUES),
    "time": st.times(timezones=ZONES),
    "timedelta": st.timedeltas(),
    "timezone": st.just(UTC) | OFFSETS.map(datetime.timezone),
}


def parts(value):
    """Return `value` with what it holds laid open, for `exact`: type, content in order, and what else it has."""
    kind = type(value).__name__
    if kind.endswith(("_keys", "_values")) or isinstance(value, deque):
        return kind, list(value), getattr(value, "maxlen", None)
    if kind.endswith("_items") or isinstance(value, dict | types.MappingProxyType):
        pairs = value if kind.endswith("_items") else value.items()
        return kind, list(pairs), getattr(value, "default_factory", None)
    if isinstance(value, types.SimpleNamespace):
        return kind, vars(value)
    if isinstance(value, slice):
        return kind, value.start, value.stop, value.step
    if isinstance(value, memoryview):
        return kind, value.tobytes()
    if isinstance(value, datetime.datetime | datetime.time):
        zone = value.tzinfo
        return kind, repr(value), zone and zone.utcoffset(None), zone and zone.tzname(None)
    return kind, repr(value)


def test_each_tag_has_its_values():
    assert set(BY_TAG) == set(library.ENCODERS) == set(library.DECODERS)
    assert set(library.ENCODERS) == {*library.BUILT_IN.values(), *library.MODULES}


@pytest.mark.parametrize("tag", BY_TAG)
@settings(max_examples=40)
@given(data=st.data())
def test_a_value_crosses_equal_of_the_same_type_in_the_same_order(tag, data):
    value = data.draw(BY_TAG[tag])
    assert tag in codec.encode(value, pytest.fail)
    (arrived,) = cross([value])
    assert type(arrived) is type(value)
    assert exact(parts(arrived)) == exact(parts(value))


@given(st.recursive(st.one_of(*BY_TAG.values()), lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)))
def test_values_cross_inside_of_others(value):
    def laid_open(held):
        return [type(held).__name__, *map(laid_open, held)] if isinstance(held, list | tuple) else exact(parts(held))

    assert laid_open(cross(value)) == laid_open(value)


@pytest.mark.parametrize("tag", BY_TAG)
@settings(max_examples=40)
@given(body=JSON | st.lists(JSON, max_size=8) | st.lists(st.integers(-3, 10**10), min_size=3, max_size=9))
def test_any_body_of_a_tag_is_a_value_or_a_bad_value(tag, body):
    with contextlib.suppress(codec.BadValueError):
        codec.decode({tag: body}, Handle)


def test_comparisons_are_those_of_the_values():
    first, second = OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)
    assert cross(first) == first
    assert cross(first) != second
    assert cross(first) == dict(second)
    assert cross({"a": 1}.keys()) == {"a"}
    assert cross({"a": 1}.items()) == {("a", 1)}
    assert cross({"a": 1}.values()) != {"a": 1}.values()
    assert cross(defaultdict(list))["new"] == []
    assert cross(PosixPath("/a")) == PurePosixPath("/a")


def test_a_factory_of_the_programs_own_stays():
    arrived = cross(defaultdict(lambda: 1, a=2))
    assert arrived == {"a": 2}
    with pytest.raises(TypeError, match="default_factory of this defaultdict stays in the program's process"):
        arrived["b"]
    assert exact(cross(cross(defaultdict(lambda: 1, a=2)))) == exact(arrived)


class Zone(datetime.tzinfo):
    pass


class Day(datetime.date):
    def __eq__(self, other):
        return True

    __hash__ = datetime.date.__hash__


deque_by_name = type("deque", (), {"maxlen": None, "__iter__": lambda self: iter([1])})


@pytest.mark.parametrize(
    ("value", "description"),
    [
        (datetime.datetime(2024, 1, 1, tzinfo=Zone()), "datetime.datetime in a time zone that is a Zone"),
        (memoryview(array("i", [1])), "memoryview of anything but bytes"),
        (Fraction(1, 2**200_000), "fractions.Fraction of more than 100000 bits"),
        (Day(2024, 1, 1), "Day"),
        (deque_by_name(), "deque"),
        (type("Stack", (deque,), {})([1]), "Stack"),
        (type("date", (), {"year": 1, "month": 1, "day": 1})(), "date"),
        ((n for n in ()), "a generator"),
        (sys, "a module"),
        (type("Own\n", (), {})(), "an object"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_only_looks_like_it_stays_and_is_described(value, description):
    arrived = cross(value, lambda kept: 7)
    assert type(arrived) is Handle
    assert arrived.number == 7
    assert description in arrived.kind


@pytest.mark.parametrize(
    "message",
    [
        {"date": [2024, 13, 1]},
        {"date": [10**30, 1, 1]},
        {"date": [True, 1, 1]},
        {"date": [2024, 1]},
        {"datetime": [2024, 1, 1, 25, 0, 0, 0, 0, None]},
        {"datetime": [2024, 1, 1, 1, 0, 0, 0, 2, None]},
        {"datetime": [2024, 1, 1, 1, 0, 0, 0, 0, {"handle": 0}]},
        {"datetime": [2024, 1, 1, 0, None]},
        {"time": [1, 2, 3, 4, 0, [5, 0, 0, None]]},
        {"timedelta": [10**10, 0, 0]},
        {"timedelta": [0, 10**300, 0]},
        {"timezone": [1, 0, 0, None]},
        {"timezone": [0, 0, 0, 5]},
        {"PosixPath": ["a"]},
        {"deque": [1, [1, 2]]},
        {"deque": [-1, []]},
        {"deque": [2**70, []]},
        {"deque": [True, [1]]},
        {"array": ["i", "00"]},
        {"array": ["x", "00"]},
        {"array": [["i"], "00"]},
        {"array": ["ii", "00"]},
        {"array": ["u", 5]},
        {"defaultdict": ["os.system", []]},
        {"defaultdict": ["eval", []]},
        {"defaultdict": [{"type": "int"}, []]},
        {"defaultdict": [{"handle": 0}, []]},
        {"Counter": [[[1], 2]]},
        {"OrderedDict": {"a": 1}},
        {"dict_keys": [[1]]},
        {"SimpleNamespace": [[1, 2]]},
        {"type": "os.system"},
        {"type": "Path"},
        {"type": "pathlib.PosixPath"},
        {"namedtuple": ["P", ["x"], [1, 2], None]},
        {"namedtuple": ["P", ["__class__"], [1], None]},
        {"namedtuple": ["P", ["_fields"], [1], None]},
        {"namedtuple": ["P", ["_make"], [1], None]},
        {"namedtuple": ["P", ["class"], [1], None]},
        {"namedtuple": ["P", ["x", "x"], [1, 2], None]},
        {"namedtuple": ["P", ["a b"], [1], None]},
        {"namedtuple": ["P", ["x=exit()"], [1], None]},
        {"namedtuple": ["P", [["x"]], [1], None]},
        {"namedtuple": ["P" * 200, ["x"], [1], None]},
        {"namedtuple": ["None", ["x"], [1], None]},
        {"namedtuple": ["P", [f"f{n}" for n in range(256)], [0] * 256, None]},
        {"namedtuple": ["P", ["x"], [1], "0"]},
        {"instance": [0, [1]]},
    ],
    ids=str,
)
def test_no_encoding_of_a_value(message):
    with pytest.raises(codec.BadValueError):
        codec.decode(message, Handle)


def test_a_message_takes_no_more_memory_than_its_length_explains():
    hostile = [
        {"deque": [sys.maxsize, []]},
        {"laid_out": ["set", 2**30, [1], []]},
        {"laid_out": ["set", 2**30, list(range(100)), list(range(2000))]},
        {"Decimal": "1e999999999999999999"},
        {"Fraction": ["0x1", "0x" + "f" * 25_000]},
        {"array": ["B", "00" * 1000]},
        {"timedelta": [999_999_999, 0, 0]},
    ]
    tracemalloc.start()
    try:
        for message in hostile:
            with contextlib.suppress(codec.BadValueError):
                codec.decode(message, Handle)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**20


NAMES = st.text(string.ascii_letters + "_é0", min_size=1, max_size=8).filter(str.isidentifier)


@given(NAMES, st.lists(NAMES, min_size=1, max_size=5, unique=True), st.data())
def test_a_named_tuple_has_its_name_fields_and_equality(name, fields, data):
    library._RECORDS.clear()
    values = data.draw(st.lists(VALUES, min_size=len(fields), max_size=len(fields)))
    original = namedtuple("Made", fields, rename=True)
    original.__name__ = name
    arrived = cross(original(*values))
    if not library.are_fields(name, original._fields):
        assert type(arrived) is tuple
        return
    assert (type(arrived).__name__, arrived._fields) == (name, original._fields)
    assert exact(list(arrived)) == exact([getattr(arrived, field) for field in original._fields]) == exact(values)
    assert exact(arrived._asdict()) == exact(original(*values)._asdict())
    assert type(cross(arrived)) is type(arrived)


Base = namedtuple("Base", "x y")


class Crafty(Base):
    __slots__ = ()

    @property
    def x(self):
        return "forged"

    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter(["forged", "forged"])

    def __getitem__(self, place):
        return "forged"

    __hash__ = Base.__hash__


def test_a_named_tuple_brings_no_code_of_the_programs():
    arrived = cross(Crafty(1, 2))
    assert (arrived.x, arrived.y, tuple(arrived), arrived == (3, 4)) == (1, 2, (1, 2), False)
    assert type(arrived).__mro__ == (type(arrived), library.Record, tuple, object)
    assert repr(arrived) == "Crafty(x=1, y=2)"
    assert arrived._replace(y=5) == (1, 5)
    with pytest.raises(ValueError, match="unexpected field names"):
        arrived._replace(z=5)


def test_a_named_tuple_goes_back_as_the_programs_own():
    kept = {}

    def keep(value):
        return kept.setdefault(id(value), len(kept))

    arrived = codec.decode(codec.encode(Base(1, 2), keep), Handle)
    back = codec.decode(codec.encode(arrived, pytest.fail), lambda handle, kind: Base)
    assert type(back) is Base
    assert back == (1, 2)


def test_classes_of_named_tuples_are_few():
    library._RECORDS.clear()
    messages = [{"namedtuple": [f"P{n}", ["x"], [1], None]} for n in range(library.MAX_RECORDS + 1)]
    for message in messages[:-1]:
        assert codec.decode(message, Handle) == codec.decode(message, Handle)
    with pytest.raises(codec.BadValueError):
        codec.decode(messages[-1], Handle)
    library._RECORDS.clear()


def test_types_of_the_library_cross_by_their_names():
    for kind in (Counter, OrderedDict, defaultdict, deque, Decimal, Fraction, PosixPath, datetime.date, array):
        assert cross(kind) is kind
