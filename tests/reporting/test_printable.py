import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.printable import finite, visible


def test_a_finite_number_is_itself():
    assert finite(0.1, "x") == 0.1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_another_is_refused_by_its_place(number):
    with pytest.raises(ValueError, match=r"the cell: (nan|inf|-inf) is no number that can be reported"):
        finite(number, "the cell")


class TestVisible:
    def test_writes_out_what_cannot_be_printed(self):
        assert visible("a\n\x1b\u202e\ud800\u2028é") == "a\\n\\x1b\\u202e\\ud800\\u2028é"

    def test_cuts_at_the_limit(self):
        assert visible("abcdef", 4) == "abc…"
        assert visible("abcd", 4) == "abcd"
        assert visible("abc\x1b", 5) == "abc\\…"

    @given(st.text(st.characters()), st.integers(1, 20))
    def test_is_one_printable_line_within_the_limit(self, text, limit):
        assert visible(text).isprintable()
        assert len(visible(text, limit)) <= limit
        visible(text).encode("utf-8")
