"""The report: every table and chart of one benchmark's verdicts, and what a reader has to know of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from .bounds import Outcome
from .charts.chart import Chart
from .finding import Finding
from .options import Options
from .read.verdict_files import Source
from .research_questions import QUESTIONS, Question
from .table.table import Table


@dataclass(frozen=True, slots=True)
class Section:
    """The tables and charts that answer one question."""

    question: Question
    title: str
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report, for all outputs; `notes` are sentences about the verdicts as a whole.

    `findings` stand before all else, and `reading` says how they are to be read. `outcomes` are those of
    the bounds that were asked for. `sources` are the files of verdicts, `journals` those of edits.
    """

    bench_name: str
    bench_sha256: str
    sources: tuple[Source, ...]
    verdicts: int
    duplicates: int
    other_bench: int
    options: Options
    notes: tuple[str, ...]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...]
    findings: tuple[Finding, ...] = ()
    reading: str = ""
    outcomes: tuple[Outcome, ...] = ()
    journals: tuple[Source, ...] = ()

    def sections(self) -> Iterator[Section]:
        """Yield the section of each question, one without tables and charts too."""
        for question, title in QUESTIONS.items():
            tables = tuple(table for table in self.tables if table.question == question)
            charts = tuple(chart for chart in self.charts if chart.question == question)
            yield Section(question, title, tables, charts)
