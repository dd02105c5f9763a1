import math

import pytest

from edittool.reporting.table.format import MISSING, format_cell, header
from edittool.reporting.table.table import Column, Estimate


def column(kind, header="x"):
    return Column("x", header, kind, "X.")


@pytest.mark.parametrize(
    ("kind", "cell", "shown"),
    [
        ("percent", 0.1234, "12.3"),
        ("percent", 1, "100.0"),
        ("percent", -0.0001, "0.0"),
        ("points", -4.5, "-4.5"),
        ("points", 4.5, "+4.5"),
        ("points", 0.04, "0.0"),
        ("points", -0.04, "0.0"),
        ("ratio", 0.6666, "0.667"),
        ("ratio", 15.0, "15"),
        ("ratio", -0.0, "0"),
        ("ratio", 12345.6, "12346"),
        ("p_value", 0.0123, "0.012"),
        ("p_value", 0.0009, "<0.001"),
        ("p_value", 0, "<0.001"),
        ("p_value", 1.0, "1.000"),
        ("count", 1234, "1234"),
        ("count", 3.0, "3"),
        ("text", "a\nb", "a\nb"),
        ("text", 7, "7"),
        ("percent", None, MISSING),
        ("percent", Estimate(0.123, 0.101, 0.14), "12.3 [10.1, 14.0]"),
        ("points", Estimate(-4.5, -9.0, 0.5), "-4.5 [-9.0, +0.5]"),
        ("percent", Estimate(0.5), "50.0"),
        ("percent", Estimate(0.5, 0.4, None), "50.0"),
        ("percent", Estimate(None), MISSING),
    ],
)
def test_a_cell_is_shown_as_its_column_says(kind, cell, shown):
    assert format_cell(cell, column(kind)) == shown


@pytest.mark.parametrize("kind", ["percent", "points", "ratio", "p_value", "count"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(kind, number):
    for cell in (number, Estimate(number), Estimate(0.5, number, 0.6)):
        with pytest.raises(ValueError, match=r"x: (nan|inf|-inf) is no number that can be reported"):
            format_cell(cell, column(kind))


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [("percent", "full", "full %"), ("percent", "below 20 %", "below 20 %"), ("points", "change", "change pp")],
)
def test_a_header_has_its_unit_once(kind, text, shown):
    assert header(column(kind, text)) == shown
