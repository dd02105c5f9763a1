"""When an output agrees with the expected one: equal, or off by rounding alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.sources.agreement import agrees, same_members, says_the_same


@pytest.mark.parametrize(
    ("found", "expected", "tolerance", "answer"),
    [
        (1, 1, 0, True),
        (1, 2, 0, False),
        ("a", "a", 0, True),
        ([1], (1,), 0, False),
        (0.1 + 0.2, 0.3, 0, True),  # where floats are expected, rounding is no mistake
        (0.31, 0.3, 0, False),
        ([0.1 + 0.2, 1.0], [0.3, 1.0], 0, True),
        ([0.3], [0.3, 1.0], 0, False),
        ((0.1 + 0.2,), [0.3], 0, False),
        (3, 3.0000000001, 0, True),
        ("0.3", 0.3, 0, False),
        (None, 0.3, 0, False),
        (1.05, 1, 0.1, True),
        (1.2, 1, 0.1, False),
        ([[1.05], 2], [[1], 2], 0.1, True),
        (math.inf, math.inf, 0, True),
        (-math.inf, math.inf, 0, False),
        (1.0, math.inf, 0, False),
        (math.inf, 1.0, 0, False),
        (math.nan, math.nan, 0, True),
        (math.nan, 1.0, 0, False),
        (1 + 1e-9j, 1j * 0 + 1, 1e-6, True),
    ],
)
def test_agreement(found, expected, tolerance, answer):
    assert agrees(found, expected, tolerance) is answer


@given(st.recursive(st.floats(allow_nan=False) | st.integers() | st.text(), st.lists))
def test_everything_agrees_with_itself(value):
    assert agrees(value, value)


@given(st.lists(st.integers() | st.text()), st.lists(st.integers() | st.text()))
def test_without_floats_agreement_is_equality(found, expected):
    assert agrees(found, expected) is (found == expected)


def test_order_and_repeats_make_no_difference_to_members():
    assert same_members((1, 2, 2), [2, 1])
    assert not same_members((1, 2), [1])


@pytest.mark.parametrize(
    ("found", "expected", "answer"),
    [(True, True, True), (object(), True, True), (None, False, True), (None, True, False), (False, None, True)],
)
def test_a_match_says_yes(found, expected, answer):
    assert says_the_same(found, expected) is answer
