"""What of a table the page shows at first: columns of one value are folded into a line, and a row has a name."""

from dataclasses import dataclass, replace

from ..table.layout import compact, leading
from ..table.table import Column, Row, Table
from .cells import show_cell

NAME_CHARACTERS = 60
FEW = 3  # columns, which would stand far apart in the whole width


@dataclass(frozen=True, slots=True)
class Fitted:
    """The names of the columns that are hidden at first, and the line that says what is folded, "" if nothing is.

    `minor` are counts that a narrow screen hides too, for the numbers that a table is read for to come first.
    `leading` are the columns that say what a row is: a narrow screen shows them as one, which stays in sight.
    """

    hidden: frozenset[str]
    folded: str
    few: bool
    minor: frozenset[str]
    leading: tuple[Column, ...]

    @property
    def heading(self) -> str:
        """Return the header of the one column that stands for `leading`."""
        return ", ".join(column.header for column in self.leading)

    def name_of(self, row: Row) -> str:
        """Return what the one column that stands for `leading` says of `row`."""
        return " \u00b7 ".join(_cut(show_cell(column, row[column.name]).text) for column in self.leading)


def _cut(text: str) -> str:
    return text if len(text) <= NAME_CHARACTERS else f"{text[: NAME_CHARACTERS - 1]}\u2026"


def fit(table: Table) -> Fitted:
    """Return what the page shows of `table` at first."""
    short = compact(table, counts=True)
    kept = {column.name for column in short.columns}
    hidden = frozenset(column.name for column in table.columns if column.name not in kept)
    first = leading(short) if table.rows else ()
    rest = [column for column in short.columns if column not in first and column.kind != "text"]
    counts = frozenset(column.name for column in rest if column.kind == "count")
    minor = counts if len(counts) < len(rest) else frozenset()
    caption = replace(short, lifted=tuple((column, _cut(text)) for column, text in short.lifted)).caption
    folded = f"All rows: {caption}." if caption else ""
    return Fitted(hidden, folded, len(kept) <= FEW, minor, first)
