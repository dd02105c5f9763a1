import pytest

from edittool.reporting.table.table import Column, Estimate, Table

from ..reports import FULL, METHOD, STEP


def made(columns, *rows):
    return Table("rates", "rq1", "Pass rates", columns, rows)


class TestRows:
    def test_may_have_their_cells_in_any_order(self):
        table = made((METHOD, STEP), {"step": 1, "method": "ft"})
        assert list(table.records()) == [{"method": "ft", "step": 1}]
        assert list(next(table.records())) == ["method", "step"]

    @pytest.mark.parametrize(
        ("row", "named"),
        [
            ({"method": "ft"}, "step"),
            ({"method": "ft", "step": 1, "extra": 2}, "extra"),
            ({"method": "ft", "stpe": 1}, "step, stpe"),
            ({}, "method, step"),
        ],
    )
    def test_with_a_wrong_name_are_refused(self, row, named):
        with pytest.raises(ValueError, match=f"^rates: a row and the columns differ in {named}$"):
            made((METHOD, STEP), {"method": "rome", "step": 2}, row)

    def test_cannot_stand_under_two_columns_of_one_name(self):
        with pytest.raises(ValueError, match="rates: two columns have one name"):
            made((STEP, Column("step", "again", "count", "X.")), {"step": 1})


def test_an_interval_is_three_fields_of_a_record():
    table = made((METHOD, FULL), {"method": "ft", "full": Estimate(0.5, 0.4, 0.6)}, {"method": "rome", "full": None})
    assert [field.name for field in table.fields()] == ["method", "full", "full_low", "full_high"]
    assert list(table.records()) == [
        {"method": "ft", "full": 0.5, "full_low": 0.4, "full_high": 0.6},
        {"method": "rome", "full": None, "full_low": None, "full_high": None},
    ]


def test_an_interval_under_a_column_without_one_is_refused():
    with pytest.raises(ValueError, match="step has no interval"):
        list(made((STEP,), {"step": Estimate(1.0)}).records())
