"""A set arrives in its own order: over a pipe's text, from literals, copies, unions, and after removals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary import codec, sets

from .test_codec import Handle, cross

NUMBERS = st.integers(0, 300) | st.integers(-(2**63), 2**63) | st.integers(0, 40).map(lambda n: 64 * n)
ELEMENTS = NUMBERS | st.text(max_size=3) | st.tuples(st.integers(0, 9), st.text(max_size=1)) | st.booleans()
OF_ONE_KIND = st.lists(NUMBERS, max_size=60) | st.lists(st.text(max_size=3), max_size=60) | st.lists(ELEMENTS)


def grown(first, second):
    built = set(first)
    built.update(second)
    return built


MADE = {
    "one after the other": lambda first, second: set(first),
    "from a set": lambda first, second: set(first).copy(),
    "from a dict": lambda first, second: set(dict.fromkeys(first)),
    "literal": lambda first, second: eval(repr(set(first)) if first else "set()"),
    "grown": grown,
    "union": lambda first, second: set(first) | set(second),
    "intersection": lambda first, second: set(first) & set(second),
    "difference": lambda first, second: set(first) - set(second),
    "symmetric difference": lambda first, second: set(first) ^ set(second),
    "frozen": lambda first, second: frozenset(first),
    "frozen from a set": lambda first, second: frozenset(first).copy(),
    "frozen union": lambda first, second: frozenset(first) | frozenset(second),
}


# The table of the first may be of a size that no frozenset can be given; the second adds to a set what it removed from.
APPROXIMATE = {"frozen union", "symmetric difference"}


@pytest.mark.parametrize("way", MADE)
@settings(max_examples=60)
@given(first=OF_ONE_KIND, second=OF_ONE_KIND)
def test_the_order_arrives(way, first, second):
    made = MADE[way](first, second)
    arrived = cross(made)
    assert type(arrived) is type(made)
    assert arrived == made
    if way not in APPROXIMATE:
        assert list(arrived) == list(made)


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=200, unique=True), st.data())
def test_the_order_arrives_after_removals(numbers, data):
    made = set(numbers)
    for number in data.draw(st.lists(st.sampled_from(numbers), max_size=len(numbers) // 2)):
        made.discard(number)
    if sets._slots(made) > sets.MAX_SLOTS_EACH * len(made):
        return  # nearly empty tables are not worth their memory
    assert list(cross(made)) == list(made)


def test_removed_elements_leave_others_where_they_are():
    # 8 and 16 want the place of 0 in a table of eight, and stand elsewhere; without it, 8 would stand there.
    made = {0, 8, 16, 3}
    made.discard(0)
    fresh = set(made)
    assert list(fresh) != list(made) or fresh.__sizeof__() == made.__sizeof__()
    assert list(cross(made)) == list(made)


def test_sets_in_sets_and_dicts():
    inner = frozenset({"x", "yy", "zzz", "w", "v", "u"})
    made = {"k": {inner, "a", 5, (1, 2)}, "d": {1: {9, 1, 17, 33, 65}}}
    arrived = cross(made)
    assert [list(item) if type(item) is frozenset else item for item in arrived["k"]] == [
        list(item) if type(item) is frozenset else item for item in made["k"]
    ]
    assert list(arrived["d"][1]) == list(made["d"][1])


def test_elements_that_push_each_other_in_a_row():
    # In a table of eight, 5, 13 and 21 want one place, and 2 wants that of one of them: one waits for two others.
    for last in (2, 10, 3, 11, 0, 8):
        made = {5, 13, 21}
        made.add(last)
        assert list(cross(made)) == list(made)


def test_a_large_set_that_was_copied():
    made = set({f"name {number}" for number in range(5000)})
    assert list(cross(made)) == list(made)


@pytest.mark.parametrize(
    "body",
    [
        ["set", 16, [1, 2, 3]],
        ["list", 16, [1, 2, 3], []],
        ["set", 15, [1, 2, 3], []],
        ["set", 4, [1, 2, 3], []],
        ["set", 2**40, [1, 2, 3], []],
        ["set", -16, [1, 2, 3], []],
        ["set", "16", [1, 2, 3], []],
        ["set", 16, [], []],
        ["set", 16, [[1]], []],
        ["set", 16, [1, 2], [16]],
        ["set", 16, [1, 2], ["a"]],
        ["set", 16, [1, 2], list(range(16))],
    ],
    ids=str,
)
def test_no_layout(body):
    with pytest.raises(codec.BadValueError):
        codec.decode({"laid_out": body}, Handle)


@given(
    st.sampled_from(["set", "frozenset"]),
    st.integers(0, 6).map(lambda power: 8 << power),
    st.lists(st.integers(0, 100), max_size=30),
    st.lists(st.integers(0, 600), max_size=30),
)
def test_any_layout_is_a_set_of_its_elements_or_a_bad_value(kind, slots, items, blocked):
    try:
        arrived = codec.decode({"laid_out": [kind, slots, items, blocked]}, Handle)
    except codec.BadValueError:
        return
    assert type(arrived).__name__ == kind
    assert arrived == set(items)
