"""Building a report: its tables are counted from observations, its charts are made from the tables."""

from collections.abc import Iterator, Sequence

import polars as pl

from ..schemas.bench import SUBSETS
from .bounds import Bound
from .charts.from_tables import make_charts
from .count.comparison import Study
from .count.restriction import restricted
from .options import Options
from .questions.answers import answer_table
from .questions.bounds import check_bounds
from .questions.edits import change_edit_table, edit_rows, edit_table, edits_made
from .questions.extraction import extraction_table
from .questions.findings import findings, reading_of
from .questions.overview import overview_table
from .questions.published import reference_tables
from .questions.rq1_robustness import change_table, rate_table
from .questions.rq2_sequences import collapse_table, curve_table, retention_table
from .questions.rq3_adoption import (
    called_table,
    change_label_table,
    detail_table,
    kind_table,
    label_table,
    solved_label_table,
    usage_table,
)
from .questions.rq4_failures import failure_table, instability_table, loss_table, regression_table
from .read.edit_journals import EditCosts
from .read.verdict_files import VerdictReader
from .read.verdict_frame import Observations
from .report import Report

_TABLES = (
    answer_table,
    overview_table,
    extraction_table,
    rate_table,
    change_table,
    curve_table,
    collapse_table,
    retention_table,
    label_table,
    solved_label_table,
    called_table,
    kind_table,
    usage_table,
    change_label_table,
    detail_table,
    failure_table,
    instability_table,
    regression_table,
    loss_table,
)


_IF_ANY = ("answers", "extraction", "rq3_called")
"""Tables that are left out where the benchmark has no changes, or no verdict says what they count."""


def build_report(
    observations: Observations,
    reader: VerdictReader,
    options: Options,
    bounds: Sequence[Bound] = (),
    costs: EditCosts | None = None,
) -> Report:
    """Return the report of `observations`, which were read by `reader`; equal input and options, equal report.

    `costs` are those of the edits, where journals have them. Raises InputError where no verdict tells what the options
    restrict the tables to.
    """
    whole, costs = Study(observations, options), costs or EditCosts()
    made = edits_made(whole)
    edit_cells = edit_rows(made, costs)
    edits = (edit_table(whole, made, edit_cells, costs), change_edit_table(whole, made, costs)) if made else ()
    observations, restrictions = restricted(observations, options)
    study = Study(observations, options)
    every = {table.name: table for table in (make(study) for make in _TABLES)}
    idle = {name for name in _IF_ANY if not every[name].rows and not (name == "answers" and study.bench.changes)}
    tables = (*edits, *(table for name, table in every.items() if name not in idle))
    tables = (*tables, *reference_tables(options.references, study.bench, tables))
    return Report(
        bench_name=study.bench.name,
        bench_sha256=study.bench.digest(),
        sources=tuple(reader.sources),
        verdicts=whole.frame["verdict"].n_unique(),
        duplicates=reader.duplicates.count,
        other_bench=reader.other_bench.count,
        options=options,
        notes=(*reader.notes(), *restrictions, *_notes(study)),
        findings=findings(study, every["overview"], every["answers"], edit_cells),
        reading=reading_of(every["overview"]),
        outcomes=check_bounds(study, bounds),
        journals=tuple(costs.sources),
        tables=tables,
        charts=make_charts({table.name: table for table in tables}),
    )


def _notes(study: Study) -> Iterator[str]:
    """Yield what is to be known of the verdicts as a whole, beside what their reading has shown."""
    compared = [named.setting for named in study.settings if study.is_compared(named.setting)]
    missing = dict.fromkeys((study.baseline_model(s), s.style) for s in compared if not study.has_baseline(s))
    for model, style in missing:
        asked = f" asked in the style {style!r}" if style else ""
        yield (
            f"No verdicts of the unedited model {model or 'without a name'!r}{asked}: what edits changed cannot "
            "be told. Sample it with `edittool edit --method none`, judge it, and give that file too; or name another "
            "unedited model with --baseline."
        )
    lost = [named for named in study.settings if named.setting.regime == "sequential" and not named.setting.in_sequence]
    if lost:
        yield (
            f"{sum(len(study.rows(named)) for named in lost)} verdicts of sequences of edits say neither `step` nor "
            "`edited`: they stand beside the single edits, and in no curve."
        )
    pooled = _pooled(study)
    if pooled:
        yield (
            f"{pooled} samples have the setting, problem and sample_index of another: several runs count as one here, "
            "with all their samples."
        )
    sizes = {problem.subset for problem in study.bench.problems.values()}
    seen = set(study.frame["subset"].unique())
    for subset in SUBSETS:
        if subset in sizes and subset not in seen:  # what the benchmark lacks, its tables say
            yield f"No verdict is about a problem in {subset}: its rows are empty."
    unjudged = study.frame.filter(~pl.col("judged"))["verdict"].n_unique()
    if unjudged:
        yield f"{unjudged} samples could not be judged (sandbox_error): they are in no rate. Judge them again."


def _pooled(study: Study) -> int:
    rows = study.frame.filter(pl.col("index").is_not_null()).unique("verdict", keep="first", maintain_order=True)
    keys = ["setting", "task", "active", "edited", "index"]
    return len(rows) - len(rows.unique(keys))
