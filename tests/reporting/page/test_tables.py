from edittool.reporting.page.tables import fit
from edittool.reporting.table.table import Estimate

from ..reports import CHANGE as POINTS
from ..reports import FULL, METHOD, MODEL, STEP, table


def test_columns_of_one_value_are_folded_into_a_line():
    fitted = fit(table((MODEL, METHOD, STEP, FULL), (("a", "ft", 1, Estimate(0.1)), ("a", "rome", 1, Estimate(0.1)))))
    assert fitted.hidden == {"model", "step"}
    assert fitted.folded == "All rows: model a, edits 1."
    assert [column.name for column in fitted.leading] == ["method"]


def test_columns_without_any_number_are_named():
    fitted = fit(table((METHOD, FULL, POINTS), (("ft", Estimate(0.1), Estimate(None)), ("x", Estimate(0.2), None))))
    assert (fitted.hidden, fitted.folded) == ({"change"}, 'All rows: no value: "change".')


def test_a_row_is_named_by_what_tells_it_apart_and_cut():
    row = {"model": "m" * 100, "method": "ft\u202e", "step": 1, "full": Estimate(0.5)}
    fitted = fit(table((MODEL, METHOD, STEP, FULL), (tuple(row.values()), ("n", "ft", 2, Estimate(0.5)))))
    assert fitted.heading == "model, method"
    assert fitted.name_of(row) == "m" * 59 + "\u2026 \u00b7 ft[U+202E]"


def test_counts_give_way_to_what_a_table_is_read_for():
    rows = (("a", "ft", 1, Estimate(0.1)), ("a", "ft", 2, Estimate(0.1)), ("a", "rome", 1, Estimate(0.1)))
    fitted = fit(table((MODEL, METHOD, FULL, STEP), tuple((a, b, d, c) for a, b, c, d in rows)))
    assert fitted.minor == {"step"}
    assert fit(table((METHOD, STEP), (("ft", 1), ("ft", 1), ("rome", 2)))).minor == frozenset()
