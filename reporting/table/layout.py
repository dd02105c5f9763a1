"""Layout of tables where space is short: details left out, columns of one text lifted out, parts of a given width."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from ..printable import visible
from .format import format_cell, header
from .table import Cell, Column, Estimate, Kind, Row, Scalar, Table

MAX_TEXT = 80  # characters of a text before it is cut
MAX_COLUMN = 30  # characters of a line of text in a cell before it is wrapped

_NOTHING: frozenset[Cell] = frozenset((None, Estimate(None)))

Measure = Callable[[str], int]
"""Says how much room a text takes."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A table without its details: rows have more cells than there are columns left.

    `lifted` are the columns that hold one text in all rows, and that text; `empty` are columns of numbers with none.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    lifted: tuple[tuple[Column, str], ...]
    empty: tuple[Column, ...] = ()

    @property
    def caption(self) -> str:
        """Return what was lifted out of the table in words, "" if nothing was."""
        said = ", ".join(f"{column.header} {text}" for column, text in self.lifted)
        nothing = ", ".join(f'"{column.header}"' for column in self.empty)
        return "; ".join(part for part in (said, nothing and f"no value: {nothing}") if part)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table that fits: the header and the cells of each column, as lines of text."""

    columns: tuple[Column, ...]
    headers: tuple[list[str], ...]
    rows: tuple[tuple[list[str], ...], ...]
    width: int


def compact(table: Table, *, counts: bool = False) -> Compact:
    """Return `table` without details, and without text columns that are the same, or empty, in all of its rows.

    With `counts`, counts that are the same in two rows or more go too, unless no number would be left. Columns of
    numbers that hold none go always. All columns stay where none would be left.
    """
    shown = [column for column in table.columns if not column.detail]
    found = {column: {row[column.name] for row in table.rows} for column in shown}
    liftable = {"text", "count"} if counts and len(table.rows) > 1 else {"text"}
    same = [column for column in shown if len(found[column]) == 1 and column.kind in liftable]
    empty = [column for column in shown if column.kind != "text" and found[column] and found[column] <= _NOTHING]
    kept = [column for column in shown if column not in same and column not in empty]
    if counts and all(column.kind == "text" for column in kept):
        return compact(table)
    if not kept:
        return Compact(tuple(shown), table.rows, ())
    values = {column: table.rows[0][column.name] for column in same if column not in empty}
    lifted = ((column, format_cell(cell, column)) for column, cell in values.items() if cell is not None)
    return Compact(tuple(kept), table.rows, tuple(lifted), tuple(empty))


def without_intervals(table: Compact, kinds: Collection[Kind]) -> Compact:
    """Return `table` with the values alone in the columns of these `kinds`."""
    names = [column.name for column in table.columns if column.kind in kinds]
    rows = (row | {name: _value(row[name]) for name in names} for row in map(dict, table.rows))
    return replace(table, rows=tuple(rows))


def _value(cell: Cell) -> Scalar:
    return cell.value if isinstance(cell, Estimate) else cell


def split(table: Compact, width: int, gap: int, measure: Measure = len) -> list[Part]:
    """Return `table` in parts that are at most `width` wide, where columns stand `gap` apart.

    Each part begins with the columns that say what a row is; a column that is too wide by itself
    has a part of its own all the same. Leading cells that repeat those above them are blank. Raises ValueError for
    NaN and infinity.
    """
    leading = _leading(table)
    cells = [_lines(column, [row[column.name] for row in table.rows]) for column in table.columns]
    _blank_repeats(cells[:leading])
    widths = [_width(column, lines, measure) for column, lines in zip(table.columns, cells, strict=True)]
    return [
        Part(
            tuple(table.columns[i] for i in group),
            tuple(_header_lines(table.columns[i], cells[i], measure) for i in group),
            tuple(tuple(cells[i][row] for i in group) for row in range(len(table.rows))),
            _total(widths, group, gap),
        )
        for group in _groups(widths, leading, width, gap)
    ]


def leading(table: Compact) -> tuple[Column, ...]:
    """Return the columns of `table` that say what a row is."""
    return table.columns[: _leading(table)]


def _leading(table: Compact) -> int:
    """Return how many of the first columns say what a row is: those of text, and numbers that tell rows apart."""
    kinds = [column.kind for column in table.columns]
    texts = _run(kinds, {"text"})
    for count in range(texts, _run(kinds, {"text", "count"}) + 1):
        names = [column.name for column in table.columns[:count]]
        if len({tuple(row[name] for name in names) for row in table.rows}) == len(table.rows):
            return count
    return texts


def _run(kinds: Sequence[Kind], wanted: Collection[Kind]) -> int:
    return next((i for i, kind in enumerate(kinds) if kind not in wanted), len(kinds))


def _lines(column: Column, cells: Iterable[Cell]) -> list[list[str]]:
    # Further lines are indented: none can be taken for a row.
    return [_wrap(visible(format_cell(cell, column), MAX_TEXT), MAX_COLUMN, indent=" ") for cell in cells]


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of `text`, none of more than `width` characters; one empty line for no text."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


def _blank_repeats(columns: list[list[list[str]]]) -> None:
    for row in range(max(map(len, columns), default=0) - 1, 0, -1):
        for cells in columns:
            if cells[row] != cells[row - 1]:
                break
            cells[row] = [""]


def _header_lines(column: Column, cells: Sequence[list[str]], measure: Measure) -> list[str]:
    """Return the header in lines as wide as the cells, if its words allow that."""
    text = visible(header(column), MAX_TEXT)
    words = max(map(measure, text.split()), default=0)
    return _wrap(text, min(MAX_COLUMN, max(words, _widest(cells, measure), 1)))


def _width(column: Column, cells: Sequence[list[str]], measure: Measure) -> int:
    return max(_widest(cells, measure), *map(measure, _header_lines(column, cells, measure)))


def _widest(cells: Sequence[list[str]], measure: Measure) -> int:
    return max((measure(line) for lines in cells for line in lines), default=0)


def _total(widths: Sequence[int], group: Sequence[int], gap: int) -> int:
    return sum(widths[i] for i in group) + gap * (len(group) - 1)


def _groups(widths: Sequence[int], leading: int, width: int, gap: int) -> list[list[int]]:
    """Return the columns of each part, the leading ones first in each."""
    first = list(range(leading))
    groups = [[*first]]
    for i in range(leading, len(widths)):
        if len(groups[-1]) > leading and _total(widths, [*groups[-1], i], gap) > width:
            groups.append([*first])
        groups[-1].append(i)
    return groups
