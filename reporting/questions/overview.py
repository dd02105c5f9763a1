"""Overview: a table of all settings, each on one line."""

from collections.abc import Iterator, Sequence

import polars as pl

from ..count.comparison import Named, Study, by_criterion, numbers, rates
from ..table.table import Cell, Column, Estimate, Row, Table
from .columns import IDENTITY, identify

TAUGHT = ("reliability", "generalization")
"""The subsets whose problems belong to changes."""


def overview_table(study: Study) -> Table:
    """Return what a reader wants to know of every setting first; a sequence is shown by its last sampled step."""
    rows = tuple(_row(study, named) for named in study.ends)
    columns = (*IDENTITY, *_COLUMNS)
    return Table("overview", "overview", "Every setting at a glance", columns, rows, tuple(_notes(study, rows)))


_COLUMNS = (
    Column("step", "edits", "count", "How many changes the model was edited with."),
    Column("problems", "problems", "count", "Problems with a verdict.", detail=True),
    Column("samples", "samples", "count", "Verdicts, each sample counted once.", detail=True),
    Column("unjudged", "unjudged", "count", "Verdicts that the sandbox failed on: in no rate.", detail=True),
    Column("undone", "undone", "count", "Samples of a model from which an edit had been taken out again.", detail=True),
    Column("labelled", "labelled", "count", "Judged samples that have a label.", detail=True),
    Column("passing", "passing", "count", "Labelled samples that passed all tests.", detail=True),
    Column("adopted", "adopted of all", "percent", "Correct adoption, of the labelled samples.", interval=True),
    Column(
        "adopted_of_passing",
        "adopted of passing",
        "percent",
        "Correct adoption, of the labelled samples that passed.",
        interval=True,
    ),
    *(
        Column(f"adopted_{name}", f"adopted in {name}", "percent", f"adopted, of {name} alone.", interval=True)
        for name in TAUGHT
    ),
    Column(
        "called_right",
        "called right",
        "percent",
        "Labelled samples that called the replacement rightly, passing or not, of those of which it is known.",
        interval=True,
    ),
    Column(
        "adopted_change",
        "adopted, change",
        "points",
        "adopted less that of the unedited model, on the problems that both have labelled samples of in one world.",
        interval=True,
    ),
    Column(
        "adopted_compared",
        "problems compared",
        "count",
        "Problems that adopted_change is of.",
        detail=True,
    ),
    Column(
        "compile_at_1", "compile@1", "percent", "pass@1 for compiling, over all subsets.", detail=True, interval=True
    ),
    Column("full_at_1", "full@1", "percent", "pass@1 for passing all tests, over all subsets.", interval=True),
    Column(
        "full_change", "full@1, change", "points", "full@1 less the unedited model's in the same world.", interval=True
    ),
    Column(
        "specificity_change",
        "specificity, change",
        "points",
        "full@1 less the unedited model's, on specificity problems alone.",
        interval=True,
    ),
)


def _row(study: Study, named: Named) -> Row:
    units = study.units(named)
    samples, judged = int(units["samples"].sum()), int(units["n"].sum())
    means = study.means(units, by_criterion(rates(units), "_at_1"))
    return {
        **identify(named),
        "step": named.setting.step,
        "problems": units["task"].n_unique(),
        "samples": samples,
        "unjudged": samples - judged,
        "undone": int(study.rows(named)["undone"].sum()),
        **_adoption(study, units.filter(pl.col("labelled") > 0)),
        "compile_at_1": means["compile_at_1"],
        "full_at_1": means["full_at_1"],
        **_changes(study, named),
    }


def _adoption(study: Study, units: pl.DataFrame) -> dict[str, Cell]:
    """Return the shares of correct adoption of `units`, which have labelled samples."""
    adopted, labelled = numbers(units, "correct_adoption"), numbers(units, "labelled")
    of_passing = (numbers(units, "passed_correct_adoption"), numbers(units, "passing"))
    shares: dict[str, Cell] = {
        "labelled": int(labelled.sum()),
        "passing": int(units["passing"].sum()),
        **study.ratios(
            units,
            {
                "adopted": (adopted, labelled),
                "adopted_of_passing": of_passing,
                "called_right": (numbers(units, "right"), numbers(units, "called")),
            },
        ),
    }
    for name in TAUGHT:
        part = units.filter(pl.col("subset") == name)
        share = (numbers(part, "correct_adoption"), numbers(part, "labelled"))
        shares |= study.ratios(part, {f"adopted_{name}": share})
    return shares


def _changes(study: Study, named: Named) -> dict[str, Cell]:
    if not study.is_compared(named.setting):
        names = ("adopted_change", "full_change", "specificity_change")
        return {**{name: Estimate(None) for name in names}, "adopted_compared": None}
    pairs = study.pairs(named, "same world")
    both = pairs.filter(pl.col("labelled") > 0, pl.col("base_labelled") > 0)
    return {
        "adopted_change": study.adoption_change(pairs),
        "adopted_compared": both["task"].n_unique(),
        "full_change": _change(study, pairs),
        "specificity_change": _change(study, pairs.filter(pl.col("subset") == "specificity")),
    }


def _change(study: Study, pairs: pl.DataFrame) -> Estimate:
    changes = by_criterion(100 * (rates(pairs) - rates(pairs, "base_")), "_change")
    return study.means(pairs, {"full": changes["full_change"]})["full"]


def _notes(study: Study, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield "There is no verdict."
        return
    if study.sequences:
        yield "Of each sequence of edits, the last sampled step is shown."
    if any(row["undone"] for row in rows):
        yield (
            "undone: some edits had losses, changes or codebooks that were NaN or infinite, and were taken out again "
            "at once. Samples of that model count as those of the edit, which taught nothing."
        )
    if any(row["labelled"] == 0 for row in rows):
        yield (
            "Adoption is empty where no sample has a label: one has a label where it was judged with its problem's "
            "change active."
        )
    if any(row["labelled"] and not row["passing"] for row in rows):
        yield "adopted of passing is empty where no labelled sample passed."
    if any(row["labelled"] and _is_missing(row, f"adopted_{name}") for row in rows for name in TAUGHT):
        yield "Adoption in reliability or in generalization is empty where no sample of that subset has a label."
    if any(_is_missing(row, "full_change") for row in rows):
        yield "Changes are empty for what is held against nothing: unedited models, and those without a baseline."
    elif any(_is_missing(row, name) for row in rows for name in ("adopted_change", "specificity_change")):
        yield "A change is empty where the two models have no problem in common that it could be seen on."


def _is_missing(row: Row, name: str) -> bool:
    cell = row[name]
    return isinstance(cell, Estimate) and cell.value is None
