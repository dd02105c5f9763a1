"""The first table: each setting on one line."""

import polars as pl

from ..count.comparison import Named, Study, matrix, rates
from ..count.pass_at_k import Floats
from ..table.table import Cell, Column, Estimate, Table
from .columns import IDENTITY, identify

_FULL = 2  # the place of "full" among CRITERIA


def overview_table(study: Study) -> Table:
    """Return what a reader wants to know of every setting first; a sequence is shown by its last sampled step."""
    rows = tuple(_row(study, named) for named in study.ends)
    notes = ("Of each sequence of edits, the last sampled step is shown.",) if study.sequences else ()
    return Table("overview", "overview", "Every setting at a glance", (*IDENTITY, *_COLUMNS), rows, notes)


_COLUMNS = (
    Column("step", "edits", "count", "How many changes the model was edited with."),
    Column("problems", "problems", "count", "Problems with a verdict."),
    Column("samples", "samples", "count", "Verdicts, each sample counted once.", detail=True),
    Column("unjudged", "unjudged", "count", "Verdicts that the sandbox failed on: in no rate.", detail=True),
    Column(
        "compile_at_1", "compile@1", "percent", "pass@1 for compiling, over all subsets.", detail=True, interval=True
    ),
    Column("full_at_1", "full@1", "percent", "pass@1 for passing all tests, over all subsets.", interval=True),
    Column(
        "full_change", "change", "points", "full@1 less that of the unedited model in the same world.", interval=True
    ),
    Column(
        "adoption_in_passing",
        "adopted",
        "percent",
        "Correct adoption among passing samples with a label.",
        interval=True,
    ),
)


def _row(study: Study, named: Named) -> tuple[Cell, ...]:
    units = study.units(named)
    samples, judged = int(units["samples"].sum()), int(units["n"].sum())
    means = study.means(units, rates(units))
    adopted = study.ratios(units, matrix(units, ["passed_correct_adoption"]), matrix(units, ["passing"]))[0]
    counts = (named.setting.step, units["task"].n_unique(), samples, samples - judged)
    return (*identify(named), *counts, means[0], means[_FULL], _change(study, named), adopted)


def _change(study: Study, named: Named) -> Estimate:
    if not study.is_compared(named.setting):
        return Estimate(None)
    pairs: pl.DataFrame = study.pairs(named, "same world")
    difference: Floats = 100 * (rates(pairs) - rates(pairs, "base_"))
    return study.means(pairs, difference[:, [_FULL]])[0]
