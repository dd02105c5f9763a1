"""The report: every table and chart of one benchmark's verdicts, and what a reader has to know of them."""

from dataclasses import dataclass

from .charts.chart import Chart
from .read.verdict_files import Source
from .table.table import Table


@dataclass(frozen=True, slots=True)
class Options:
    """What the reader chose: resamples of each bootstrap and test, their seed, the model to hold others against.

    `baseline` is the name of the unedited model that all others are held against, instead of each its own; `reference`
    adds the figures of the paper.
    """

    resamples: int = 2000
    seed: int = 0
    baseline: str | None = None
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What all outputs are written from; `notes` are sentences about the verdicts as a whole."""

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
