"""A table of the report: columns that say what they hold, and unrounded cells. Every output is written from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..research_questions import Question

Kind = Literal["text", "count", "percent", "points", "ratio", "p_value"]
"""How a column is shown: percent holds shares (0.5 is 50 %), points percentage points, ratio plain numbers."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the bounds of its interval; all None where there is nothing to estimate."""

    value: float | None
    low: float | None = None
    high: float | None = None


Scalar = str | int | float | None
Cell = Scalar | Estimate
Row = Mapping[str, Cell]
"""A row of a table: its cells by the names of their columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in files, its header, and how its cells are shown.

    `detail` columns are in every file, but not where space is short.
    """

    name: str
    header: str
    kind: Kind
    description: str
    detail: bool = False
    interval: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: each row has a cell for each of `columns`, an Estimate where the column has an interval.

    `notes` say what a reader has to know of single cells: what is missing, and why. `brief` are the rows that a
    terminal shows, all of them if None: files and page have every row. Raises ValueError for two columns of one name
    or header, and for a row that lacks a column or has a cell of none.
    """

    name: str
    question: Question
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    brief: tuple[Row, ...] | None = None

    def __post_init__(self) -> None:
        names = {column.name for column in self.columns}
        if len(names) < len(self.columns):
            raise ValueError(f"{self.name}: two columns have one name")
        if len({column.header for column in self.columns}) < len(self.columns):
            raise ValueError(f"{self.name}: two columns have one header")
        for row in self.rows:
            if row.keys() != names:
                differ = ", ".join(sorted(row.keys() ^ names))
                raise ValueError(f"{self.name}: a row and the columns differ in {differ}")

    def fields(self) -> tuple[Column, ...]:
        """Return the columns with each interval as three: the value, its low and its high bound."""
        return tuple(field for column in self.columns for field in _fields(column))

    def records(self) -> Iterator[dict[str, Scalar]]:
        """Yield each row as a flat record: a scalar for each of `fields`.

        Raises ValueError for an Estimate in a column without interval.
        """
        for row in self.rows:
            record: dict[str, Scalar] = {}
            for column in self.columns:
                record |= _flat(column, row[column.name])
            yield record


def _fields(column: Column) -> Iterator[Column]:
    yield column
    if column.interval:
        for end, word in (("low", "Lower"), ("high", "Upper")):
            text = f"{word} bound of the 95 % interval of {column.name}."
            yield Column(f"{column.name}_{end}", f"{column.header} {end}", column.kind, text, detail=True)


def _flat(column: Column, cell: Cell) -> dict[str, Scalar]:
    if not column.interval:
        if isinstance(cell, Estimate):
            raise ValueError(f"{column.name} has no interval")
        return {column.name: cell}
    estimate = cell if isinstance(cell, Estimate) else Estimate(None)
    return {column.name: estimate.value, f"{column.name}_low": estimate.low, f"{column.name}_high": estimate.high}
