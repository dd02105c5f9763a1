"""The counterfactual replacement: every use of nothing raises, and a wrong value is another one of its type."""

import array
import collections
import datetime
import decimal
import fractions
import io
import itertools
import operator
import re
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary.runs import NOTHING, WRONG_VALUE
from edittool.sandbox_images.python.untrusted.replacements.counterfactual import (
    CounterfactualError,
    counterfactual,
    wrong,
)

PLAIN = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)
Point = collections.namedtuple("Point", "x y")
SALT = itertools.count(1).__next__


class Own:
    def __init__(self, size: int):
        self.size = size

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and other.size == self.size


OTHERS: list[Any] = [
    bytearray(b"a"),
    {1, 2},
    frozenset(),
    range(3),
    Point(1, "a"),
    collections.Counter("aab"),
    collections.OrderedDict(a=1),
    collections.defaultdict(list, a=[1]),
    collections.deque([1, 2], 5),
    array.array("i", [1, 2]),
    datetime.date(2020, 1, 2),
    datetime.datetime(2020, 1, 2, 3),
    datetime.timedelta(1),
    decimal.Decimal("1.5"),
    fractions.Fraction(1, 3),
    Own(3),
    re.compile("a"),
]

USES = [
    *(getattr(operator, name) for name in ("abs", "neg", "pos", "invert", "index", "truth", "not_")),
    *(lambda x, f=f: f(x, 1) for f in (operator.add, operator.mul, operator.mod, operator.eq, operator.lt)),
    *(lambda x, f=f: f(1, x) for f in (operator.add, operator.sub, operator.floordiv, operator.eq, operator.ge)),
    *(len, iter, next, list, dict, set, str, repr, bytes, int, float, bool, hash, sorted, sum, max, reversed),
    *(lambda x: x.name, lambda x: x(), lambda x: x[0], lambda x: 1 in x, lambda x: f"{x}", lambda x: f"{x}"),
    *(lambda x: {x: 1}, lambda x: [*x], lambda x: {**x}, lambda x: isinstance(x, list), lambda x: [0][x]),
    *(lambda x: setattr(x, "a", 1), lambda x: x.__setitem__(0, 1), lambda x: x.__enter__(), lambda x: "".join(x)),
]


@pytest.mark.parametrize("use", USES, ids=range(len(USES)))
def test_every_use_of_nothing_raises(use: Any) -> None:
    nothing = counterfactual(NOTHING, lambda: 1, SALT)()
    with pytest.raises(CounterfactualError):
        use(nothing)


def test_nothing_is_done_to_the_arguments() -> None:
    items = [1]
    counterfactual(NOTHING, list.append, SALT)(items, 2)
    counterfactual(WRONG_VALUE, list.append, SALT)(items, 2)
    assert items == [1]


@given(PLAIN)
def test_a_wrong_value_is_another_of_its_type(value: Any) -> None:
    found = wrong(value, 1)
    assert type(found) is type(value)
    assert repr(found) != repr(value)


@pytest.mark.parametrize("value", OTHERS, ids=lambda value: type(value).__name__)
def test_a_wrong_value_of_the_librarys_types_is_another(value: Any) -> None:
    found = wrong(value, 1)
    assert type(found) is type(value)
    assert found != value


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text() | st.lists(st.integers()))
def test_equal_right_values_become_unequal_wrong_ones(value: Any) -> None:
    assert repr(wrong(value, 1)) != repr(wrong(value, 2))


def test_what_is_read_once_is_wrong_as_it_is_read() -> None:
    assert list(wrong(iter([1, 2]), 1)) == [2, 3]
    assert list(islice(wrong(iter(int, 1), 1), 2)) == [1, 1]
    assert wrong(io.StringIO("ab"), 1).getvalue() == "~ba"
    assert wrong(lambda x: x, 1)(3) == 4
    found = wrong(re.match("a", "ab"), 1)
    assert found.group() == "~"
    assert wrong(None, 1) is None


def test_the_replacement_still_refuses_what_it_refuses() -> None:
    def shim(*, values: list[int]) -> list[int]:
        return sorted(values)

    with pytest.raises(TypeError):
        counterfactual(WRONG_VALUE, shim, SALT)([2, 1])
