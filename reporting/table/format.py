"""Formats of cells for every output that people read: numbers rounded by kind of column, intervals, units."""

from ..printable import finite
from .table import Cell, Column, Estimate, Kind, Scalar

MISSING = "-"
"""What stands where there is nothing to show: a cell left blank repeats the one above it."""

UNITS: dict[Kind, str] = {"percent": "%", "points": "pp"}


def format_cell(cell: Cell, column: Column) -> str:
    """Return `cell` as `column` shows it, an interval behind its value: "12.3 [10.1, 14.0]".

    Text is returned as it is: each output escapes it in its own way. Raises ValueError for NaN and infinity.
    """
    if not isinstance(cell, Estimate):
        return format_scalar(cell, column)
    value, low, high = (format_scalar(each, column) for each in (cell.value, cell.low, cell.high))
    bounded = None not in (cell.value, cell.low, cell.high)
    return f"{value} [{low}, {high}]" if bounded else value


def format_scalar(value: Scalar, column: Column) -> str:
    """Return `value` as `column` shows it. Raises ValueError for NaN and infinity."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    return _format_number(finite(value, column.name), column.kind)


def header(column: Column) -> str:
    """Return the header of `column` with its unit, if it has one and does not name it itself."""
    unit = UNITS.get(column.kind)
    return column.header if unit is None or unit in column.header else f"{column.header} {unit}"


def _format_number(value: float, kind: Kind) -> str:
    match kind:
        case "count":
            return _rounded(value, 0)
        case "percent":
            return _rounded(100 * value, 1)
        case "points":
            shown = _rounded(value, 1)
            return f"+{shown}" if float(shown) > 0 else shown
        case "ratio":  # numbers of any size
            return f"{value + 0:.3g}" if abs(value) < 999.5 else _rounded(value, 0)
        case "p_value":
            return "<0.001" if value < 0.001 else _rounded(value, 3)
        case "text":
            return str(value)


def _rounded(value: float, digits: int) -> str:
    shown = f"{value:.{digits}f}"
    return shown if float(shown) else f"{0:.{digits}f}"  # never -0.0
