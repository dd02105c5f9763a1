"""A table of the report: columns that say what they hold, and unrounded cells. Every output is written from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "count", "percent", "points", "ratio", "p_value"]
"""How a column is shown: percent holds shares (0.5 is 50 %), points percentage points, ratio plain numbers."""

Question = Literal["overview", "rq1", "rq2", "rq3", "rq4", "reference"]

QUESTIONS: dict[Question, str] = {
    "overview": "Overview",
    "rq1": "RQ1: how robust are models after one edit?",
    "rq2": "RQ2: how do models fare as edits pile up?",
    "rq3": "RQ3: is the new API adopted, or worked around?",
    "rq4": "RQ4: where and why do edits fail?",
    "reference": "Beside the published figures",
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the bounds of its interval; all None where there is nothing to estimate."""

    value: float | None
    low: float | None = None
    high: float | None = None


Scalar = str | int | float | None
Cell = Scalar | Estimate


@dataclass(frozen=True, slots=True)
class Column:
    """What stands below one another. `detail` columns are in every file, but not where space is short."""

    name: str
    header: str
    kind: Kind
    description: str
    detail: bool = False
    interval: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table: `rows` hold one cell for each of `columns`, an Estimate where the column has an interval.

    `notes` say what a reader has to know of single cells: what is missing, and why. `brief` are the places of the
    rows that a terminal shows, all of them if None: files and page have every row.
    """

    name: str
    question: Question
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    brief: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.name}: a row of {len(row)} cells under {len(self.columns)} columns")

    def fields(self) -> tuple[Column, ...]:
        """Return the columns with each interval as three: the value, its low and its high bound."""
        return tuple(field for column in self.columns for field in _fields(column))

    def records(self) -> Iterator[dict[str, Scalar]]:
        """Yield each row as a flat record: a scalar for each of `fields`."""
        for row in self.rows:
            record: dict[str, Scalar] = {}
            for column, cell in zip(self.columns, row, strict=True):
                record |= _flat(column, cell)
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
