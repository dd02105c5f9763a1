"""Plain data crosses the boundary as it is, with exact types; anything else is a handle or a BadValueError."""

import contextlib
import json
import re
from collections import Counter, OrderedDict, namedtuple
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary import codec


class Handle:
    """What stands for an object on the other side."""

    def __init__(self, number, kind):
        self.number, self.kind = number, kind


def refuse(value):
    raise codec.NotPlainError(type(value).__name__)


def cross(value, keep=refuse):
    """Send `value` over the boundary: through its JSON text, as the pipes do."""
    return codec.decode(json.loads(json.dumps(codec.encode(value, keep), allow_nan=False)), Handle)


def exact(value):
    """Return a text that is equal for values that are equal and of the same exact types, nan and -0.0 included."""
    name = type(value).__name__
    if isinstance(value, list | tuple):
        return f"{name}({', '.join(map(exact, value))})"
    if isinstance(value, dict):
        return f"{name}({', '.join(map(exact, value.items()))})"
    if isinstance(value, set | frozenset):
        return f"{name}({', '.join(sorted(map(exact, value)))})"
    return f"{name}({value!r})"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.text(st.characters(), max_size=5)
    | st.binary()
    | st.just(...)
    | st.builds(range, st.integers(), st.integers(), st.integers(1))
    | st.fractions()
    | st.decimals(allow_nan=False)
    | st.sampled_from([int, str, list, type, object, ValueError, map, range])
)
HASHABLE = st.recursive(SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=5)
VALUES = st.recursive(
    SCALARS | HASHABLE | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
    ),
    max_leaves=15,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=2)
        | st.dictionaries(st.sampled_from([*sorted(codec._DECODERS), "handle"]), inner, min_size=1, max_size=1)
    ),
    max_leaves=15,
)


@given(VALUES)
def test_plain_values_cross_equal_and_of_the_same_types(value):
    assert exact(cross(value)) == exact(value)


@given(JSON)
def test_any_json_is_a_value_or_a_bad_value(message):
    with contextlib.suppress(codec.BadValueError):
        codec.decode(message, Handle)


class Level(IntEnum):
    HIGH = 3


Point = namedtuple("Point", "x y")


class Liar(list):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0

    def __iter__(self):
        return iter(["forged"])

    def __getitem__(self, place):
        return "forged"

    def __len__(self):
        return 99


class LyingDict(dict):
    def items(self):
        return [("forged", 1)]

    def __iter__(self):
        return iter(["forged"])


class Text(str):
    def __str__(self):
        return "forged"

    def __getitem__(self, place):
        return "forged"


class Number(int):
    def __int__(self):
        return 99

    def __index__(self):
        return 99

    def __add__(self, other):
        return 99


class Real(float):
    def __float__(self):
        return 99.0

    def __repr__(self):
        return "99"


@pytest.mark.parametrize(
    ("value", "arrives_as"),
    [
        (Level.HIGH, 3),
        (Liar([1, 2]), [1, 2]),
        (LyingDict(a=1), {"a": 1}),
        (Text("abc"), "abc"),
        (Number(5), 5),
        (Number(2**80), 2**80),
        (Real(1.5), 1.5),
        (type("Sorted", (OrderedDict,), {})(a=1), {"a": 1}),
        (type("Tally", (Counter,), {})("aab"), {"a": 2, "b": 1}),
        ([(Liar([1]), {Text("k"): Number(1)})], [([1], {"k": 1})]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_becomes_its_base_without_being_asked(value, arrives_as):
    assert exact(cross(value)) == exact(arrives_as)


def test_an_ordered_dict_keeps_its_own_order():
    moved = OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert list(cross(moved)) == ["b", "a"]


@pytest.mark.parametrize(
    "value", [object(), len, lambda: 1, iter([1]), (n for n in ()), type("Own", (), {}), re.compile("a")]
)
def test_what_is_not_plain_travels_as_a_handle(value):
    kept = []

    def keep(thing):
        kept.append(thing)
        return 41

    arrived = cross([value], keep)
    assert type(arrived[0]) is Handle
    assert arrived[0].number == 41
    assert kept == [value]


def test_what_may_not_travel_is_refused():
    with pytest.raises(codec.NotPlainError, match="object"):
        codec.encode([object()], refuse)


def test_a_circle_is_a_recursion_error():
    circle = []
    circle.append(circle)
    with pytest.raises(RecursionError):
        codec.encode(circle, refuse)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"tuple": [1], "set": [2]},
        {"eval": "1"},
        {"type": "__import__"},
        {"type": "print"},
        {"type": 5},
        {"handle": 1.5},
        {"handle": True},
        {"tuple": 5},
        {"tuple": "ab"},
        {"set": [[1]]},
        {"dict": [[[1], 2]]},
        {"dict": [[1]]},
        {"int": 5},
        {"int": "x"},
        {"float": "x"},
        {"bytes": "0"},
        {"bytes": [1]},
        {"range": [0, 1, 0]},
        {"range": [0, 1.5, 1]},
        {"complex": [1, 2, 3]},
        {"Fraction": "1/2"},
        {"Fraction": ["0x1", "0x0"]},
        {"Fraction": ["0x1", "-0x1"]},
        {"Fraction": ["1e-5", "0x1"]},
        {"Fraction": ["0x1", "0x2", "0x3"]},
        {"Fraction": ["0x1", "f" * 50_000]},
        {"Decimal": "ten"},
        {"Decimal": [0]},
        {"handle": [0, "a\x1b[31m"]},
        {"handle": [0, "a" * 200]},
        {"handle": [0, 5]},
        {"handle": [[0], "a list"]},
    ],
    ids=str,
)
def test_no_encoding_of_a_value(message):
    with pytest.raises(codec.BadValueError):
        codec.decode(message, Handle)


def test_nesting_without_end_is_a_bad_value():
    message = []
    for _ in range(5000):
        message = [message]
    with pytest.raises(codec.BadValueError):
        codec.decode(message, Handle)


def test_numbers_keep_their_exact_value():
    assert cross([Fraction(1, 3), Decimal("1.10"), -0.0, 2**63, -(2**63), True]) == [
        Fraction(1, 3), Decimal("1.10"), 0.0, 2**63, -(2**63), 1,
    ]  # fmt: skip
    assert str(cross(-0.0)) == "-0.0"
