"""A chart of the report: panels of series, apart from their looks. Figures and the page's plots are made from it."""

from dataclasses import dataclass
from typing import Literal

from ..research_questions import Question

Mark = Literal["lines", "bars", "stacked", "points"]
"""lines over numbers; bars side by side, stacked, or points with intervals over categories."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the bars of one colour. A `y` of None is a gap; `low` and `high` are bounds of intervals, or empty.

    `reference` series (the unedited model) are drawn dashed and thin. `role` is what the colour stands for: series of
    one role have one colour in all charts.
    """

    name: str
    x: tuple[str | int, ...]
    y: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    role: str = ""
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes."""

    title: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels side by side with common axes. `table` names the table that holds its numbers; `alt` says it in words."""

    name: str
    question: Question
    title: str
    mark: Mark
    x_label: str
    y_label: str
    panels: tuple[Panel, ...]
    table: str
    alt: str
    log_x: bool = False
