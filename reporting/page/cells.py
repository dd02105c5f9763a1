"""Cells of tables as the page shows them: rounded, with their interval, and with the number to sort by."""

from dataclasses import dataclass

from ..table.format import UNITS
from ..table.table import Cell, Column, Estimate, Kind, Scalar
from .shown import shown

MINUS, DASH = "\u2212", "\u2013"
NAME_CHARACTERS = 300
SHORT_CHARACTERS = 24


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell: its text, the bounds of its interval as text or None, and what its column is sorted by, "" if nothing."""

    text: str
    interval: str | None
    order: str
    numeric: bool

    @property
    def is_short(self) -> bool:
        """Tell whether the text is never to be broken into lines."""
        return len(self.text) <= SHORT_CHARACTERS


def show_cell(column: Column, cell: Cell) -> ShownCell:
    """Return `cell` of `column` as it is shown."""
    value = cell.value if isinstance(cell, Estimate) else cell
    interval = None
    if isinstance(cell, Estimate) and cell.low is not None and cell.high is not None:
        interval = f"[{_text(column.kind, cell.low)}, {_text(column.kind, cell.high)}]"
    order = "" if value is None else value if isinstance(value, str) else repr(value)
    return ShownCell(_text(column.kind, value), interval, shown(order, NAME_CHARACTERS), column.kind != "text")


def unit_of(column: Column) -> str:
    """Return the unit to stand beside a column's header; nothing where the header says it."""
    unit = UNITS.get(column.kind, "")
    return "" if unit in column.header else unit


def _text(kind: Kind, value: Scalar) -> str:
    if value is None:
        return DASH
    if isinstance(value, str):
        return shown(value, NAME_CHARACTERS)
    return _number(kind, value).replace("-", MINUS)


def _number(kind: Kind, value: float) -> str:
    if kind == "percent":
        return _rounded(100 * value, "")
    if kind == "points":
        return _rounded(value, "+")
    if kind == "p_value":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    if isinstance(value, int) or kind == "count":
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return f"{value:.3g}"


def _rounded(value: float, sign: str) -> str:
    text = f"{value:{sign}.1f}"
    return text if float(text) else "0.0"  # no sign on nothing
