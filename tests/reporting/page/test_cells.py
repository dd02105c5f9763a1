"""Cells are rounded as their column asks, with their interval, and keep the whole number to sort by."""

import pytest

from edittool.reporting.page.cells import show_cell, unit_of
from edittool.reporting.table.table import Column, Estimate


def column(kind, header="h"):
    return Column("c", header, kind, "", interval=True)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("percent", 0.1234, "12.3"),
        ("percent", 1, "100.0"),
        ("points", -3.14159, "\u22123.1"),
        ("points", 3.14159, "+3.1"),
        ("points", -0.04, "0.0"),
        ("p_value", 0.0004, "<0.001"),
        ("p_value", 0.0125, "0.013"),
        ("count", 1234567, "1,234,567"),
        ("count", 2.5, "2.5"),
        ("ratio", 2 / 3, "0.667"),
        ("text", "a\u202eb", "a[U+202E]b"),
        ("percent", None, "\u2013"),
    ],
)
def test_a_cell_is_rounded_as_its_column_asks(kind, value, text):
    assert show_cell(column(kind), value).text == text


def test_an_interval_stands_beside_its_value():
    shown = show_cell(column("percent"), Estimate(0.123, 0.101, 0.14))
    assert (shown.text, shown.interval, shown.order) == ("12.3", "[10.1, 14.0]", "0.123")


def test_half_an_interval_is_none():
    assert show_cell(column("percent"), Estimate(0.5, 0.1, None)).interval is None


def test_nothing_sorts_as_nothing():
    assert show_cell(column("count"), Estimate(None)).order == ""


def test_a_unit_stands_once():
    assert unit_of(column("percent", "full")) == "%"
    assert unit_of(column("percent", "full, %")) == ""
    assert unit_of(column("count")) == ""
