"""Overview: a table of all settings, each on one line."""

from ..count.comparison import Named, Study, by_criterion, numbers, rates
from ..table.table import Column, Estimate, Row, Table
from .columns import IDENTITY, identify


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


def _row(study: Study, named: Named) -> Row:
    units = study.units(named)
    samples, judged = int(units["samples"].sum()), int(units["n"].sum())
    means = study.means(units, by_criterion(rates(units), "_at_1"))
    adopted = (numbers(units, "passed_correct_adoption"), numbers(units, "passing"))
    return {
        **identify(named),
        "step": named.setting.step,
        "problems": units["task"].n_unique(),
        "samples": samples,
        "unjudged": samples - judged,
        "compile_at_1": means["compile_at_1"],
        "full_at_1": means["full_at_1"],
        "full_change": _change(study, named),
        **study.ratios(units, {"adoption_in_passing": adopted}),
    }


def _change(study: Study, named: Named) -> Estimate:
    if not study.is_compared(named.setting):
        return Estimate(None)
    pairs = study.pairs(named, "same world")
    changes = by_criterion(100 * (rates(pairs) - rates(pairs, "base_")), "_change")
    return study.means(pairs, {"full_change": changes["full_change"]})["full_change"]
