"""A table as CSV: every column, every number unrounded, and no text that a spreadsheet would compute."""

import csv
import io

from ..printable import finite, visible
from ..table.table import Scalar, Table

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula; the last four are the wide forms of the first four."""


def table_as_csv(table: Table) -> str:
    """Return `table` as CSV with a head of column names; intervals are three columns, an empty field is no value.

    Text that would be a formula begins with an apostrophe, and what cannot be printed is written out. Raises
    ValueError for NaN and infinity.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for column in table.fields()])
    for record in table.records():
        writer.writerow([_field(value, name) for name, value in record.items()])
    return file.getvalue()


def _field(value: Scalar, name: str) -> str:
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else repr(finite(value, name))


def _text(text: str) -> str:
    return ("'" if text.lstrip(" ").startswith(_FORMULA) else "") + visible(text)
