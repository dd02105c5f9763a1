import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.table.layout import compact, split, without_intervals
from edittool.reporting.table.table import Column, Estimate

from ..reports import FULL, METHOD, MODEL, STEP, table


def names(columns):
    return [column.name for column in columns]


class TestCompact:
    def test_leaves_out_details_and_lifts_what_is_the_same_in_all_rows(self):
        short = compact(table())
        assert names(short.columns) == ["method", "step", "full", "change", "p"]
        assert short.caption == "model tiny"

    def test_says_nothing_of_a_column_that_is_empty(self):
        short = compact(table((MODEL, STEP), ((None, 1), (None, 2))))
        assert (names(short.columns), short.caption) == (["step"], "")

    def test_keeps_numbers_that_are_the_same(self):
        assert names(compact(table((MODEL, STEP), (("a", 1), ("b", 1)))).columns) == ["model", "step"]

    def test_keeps_all_where_none_would_be_left(self):
        short = compact(table((MODEL, METHOD), (("a", "ft"),)))
        assert (names(short.columns), short.caption) == (["model", "method"], "")

    def test_of_no_rows_lifts_nothing(self):
        assert names(compact(table((MODEL, STEP), ())).columns) == ["model", "step"]


def lines(part):
    return [[" ".join(cell) for cell in row] for row in part.rows]


class TestSplit:
    def test_blanks_leading_cells_that_repeat_those_above(self):
        rows = (("a", "ft", 0.1), ("a", "rome", 0.1), ("b", "rome", 0.2), ("b", "rome", 0.2))
        (part,) = split(compact(table((MODEL, METHOD, FULL), rows)), 100, 2)
        assert lines(part) == [["a", "ft", "10.0"], ["", "rome", "10.0"], ["b", "rome", "20.0"], ["", "", "20.0"]]

    def test_repeats_what_says_what_a_row_is_in_each_part(self):
        several = tuple(Column(f"full_{i}", f"full {i}", "percent", "X.", interval=True) for i in range(4))
        rows = tuple((method, step, *[Estimate(0.5, 0.4, 0.6)] * 4) for method in ("ft", "rome") for step in (1, 2))
        parts = split(compact(table((METHOD, STEP, *several), rows)), 60, 2)
        assert [names(part.columns) for part in parts] == [
            ["method", "step", "full_0", "full_1"],
            ["method", "step", "full_2", "full_3"],
        ]
        assert all(part.width <= 60 for part in parts)

    def test_wraps_a_header_to_the_width_of_its_cells(self):
        column = Column("x", "no adoption at all", "percent", "X.")
        (part,) = split(compact(table((MODEL, column), (("a", 0.1), ("b", 0.2)))), 100, 2)
        assert part.headers[1] == ["no", "adoption", "at all %"]

    def test_indents_the_further_lines_of_a_long_name(self):
        (part,) = split(compact(table((MODEL, STEP), (("x" * 70, 1), ("y", 1)))), 100, 2)
        first, *rest = part.rows[0][0]
        assert rest
        assert all(line.startswith(" ") for line in rest)
        assert "".join([first, *(line.strip() for line in rest)]) == "x" * 70

    @given(st.lists(st.tuples(st.text(), st.text(), st.floats(0, 1)), max_size=5), st.integers(20, 120))
    def test_every_column_and_row_is_in_a_part(self, rows, width):
        short = compact(table((MODEL, METHOD, FULL), tuple(rows)))
        parts = split(short, width, 2)
        assert {column.name for part in parts for column in part.columns} == set(names(short.columns))
        assert all(len(part.rows) == len(rows) for part in parts)


@pytest.mark.parametrize(("kinds", "interval"), [(("percent",), False), (("points",), True)])
def test_intervals_are_left_out_by_kind(kinds, interval):
    short = without_intervals(compact(table()), kinds)
    assert isinstance(short.rows[0]["full"], Estimate) == interval
    assert len(short.rows) == 3
