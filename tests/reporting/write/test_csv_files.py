import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.printable import visible
from edittool.reporting.table.table import Estimate
from edittool.reporting.write.csv_files import table_as_csv

from ..reports import FULL, HOSTILE, METHOD, MODEL, STEP, hostile_table, table

FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def read(text):
    return list(csv.reader(io.StringIO(text), strict=True))


def test_has_every_column_and_unrounded_numbers():
    head, first, second, third = read(table_as_csv(table()))
    assert head == "model method step hparams full full_low full_high change change_low change_high p".split()
    assert first == ["tiny", "", "0", "ab", "0.123", "0.101", "0.14", "", "", "", ""]
    assert second == ["tiny", "ft", "1", "ab", "1.0", "1.0", "1.0", "-4.51", "-9.0", "0.04", "0.0004"]
    assert third == ["tiny", "ft", "2", "", "", "", "", "4.5", "", "", "0.0123"]


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_numbers_are_read_back_as_they_were(share, step):
    _, row = read(table_as_csv(table((STEP, FULL), ((step, Estimate(share)),))))
    assert (int(row[0]), float(row[1])) == (step, share)


@given(st.text(st.characters()), st.text(st.characters()))
def test_text_is_read_back_as_it_is_shown_and_is_never_a_formula(model, method):
    _, row = read(table_as_csv(table((MODEL, METHOD), ((model, method),))))
    assert [field.removeprefix("'") for field in row] == [visible(text).removeprefix("'") for text in (model, method)]
    assert not any(field.lstrip(" ").startswith(FORMULA) for field in row)


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\uff1d1"])
def test_a_formula_begins_with_an_apostrophe(text):
    _, row = read(table_as_csv(table((MODEL,), ((text,),))))
    assert row == [f"'{visible(text)}"]


def test_each_row_of_hostile_text_is_one_line():
    text = table_as_csv(hostile_table())
    assert len(text.splitlines()) == len(HOSTILE) + 1
    assert all(len(row) == 11 for row in read(text))
    assert all(character.isprintable() or character == "\n" for character in text)


def test_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="full_low: nan"):
        table_as_csv(table((FULL,), ((Estimate(0.5, math.nan, 1.0),),)))
