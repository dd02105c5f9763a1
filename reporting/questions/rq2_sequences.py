"""RQ2: models as edits pile up: curves, the step of collapse, retention of earlier edits."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from ..count.comparison import ALL, BASELINES, Against, Named, Study, by_criterion, by_subset, numbers, rates
from ..count.pass_at_k import CRITERIA, Floats
from ..table.table import Cell, Column, Row, Table
from .columns import AGAINST, IDENTITY, PROBLEMS, STEP, SUBSET, identify
from .notes import baseline_notes

HALF, FLOOR = 0.5, 0.2  # a model has collapsed below this share of its baseline, and below this rate


def curve_table(study: Study) -> Table:
    """Return pass@1 after each sampled step of each sequence, beside the unedited model's on the same problems."""
    rows, missing, stand_ins = [], 0, 0
    for steps in study.sequences.values():
        for named in steps:
            pairs = study.pairs(named, "same world")
            missing += int((study.units(named)["n"] > 0).sum()) - len(pairs)
            stand_ins += int(pairs["stand_in"].sum())
            rows += list(_curve_rows(study, named))
    return Table(
        "rq2_curve",
        "rq2",
        "Pass rates over the number of edits; before: the unedited model on the same problems, in the same world",
        (*IDENTITY, STEP, SUBSET, PROBLEMS, *_CURVE),
        tuple(rows),
        _no_sequence(study) or tuple(baseline_notes(missing, stand_ins, compared=True)),
        brief=tuple(row for row in rows if row["subset"] == ALL),
    )


_CURVE = (
    *(
        column
        for name in CRITERIA
        for column in (
            Column(f"{name}_at_1", f"{name}@1", "percent", f"{name}@1 after that many edits.", interval=True),
            Column(
                f"{name}_before",
                f"{name} before",
                "percent",
                f"{name}@1 of the unedited model, on the problems that it was judged on in the same world.",
                detail=True,
            ),
            Column(
                f"{name}_change",
                f"{name} change",
                "points",
                f"{name}@1 less {name}_before, in points, both on the problems of {name}_before.",
                detail=True,
                interval=True,
            ),
        )
    ),
    Column("adoption", "adopted", "percent", "Samples that adopted correctly, of those with a label.", interval=True),
)


def _curve_rows(study: Study, named: Named) -> Iterator[Row]:
    compared = dict(by_subset(study.pairs(named, "same world")))
    for subset, units in by_subset(study.units(named)):
        pairs = compared[subset]
        before = rates(pairs, "base_")
        means = before.mean(axis=0) if len(pairs) else None
        yield {
            **identify(named),
            "step": named.setting.step,
            "subset": subset,
            "problems": units["task"].n_unique(),
            **study.means(units, by_criterion(rates(units), "_at_1")),
            **{f"{c}_before": None if means is None else float(means[i]) for i, c in enumerate(CRITERIA)},
            **study.means(pairs, by_criterion(100 * (rates(pairs) - before), "_change")),
            **study.ratios(units, {"adoption": (numbers(units, "correct_adoption"), numbers(units, "labelled"))}),
        }


def collapse_table(study: Study) -> Table:
    """Return the first steps at which each sequence fell below half its baseline and below 20 %, and areas."""
    rows = [
        row
        for steps in study.sequences.values()
        for against in BASELINES
        for row in _collapse_rows(study, steps, against)
    ]
    return Table(
        "rq2_collapse",
        "rq2",
        "Collapse: the first number of edits with a rate below half the baseline, and below 20 %",
        (*IDENTITY, AGAINST, SUBSET, *_COLLAPSE),
        tuple(rows),
        _no_sequence(study) or tuple(_collapse_notes(rows)),
        brief=tuple(row for row in rows if row["criterion"] == "full" and row["subset"] in ("specificity", ALL)),
    )


_COLLAPSE = (
    Column("criterion", "criterion", "text", "compile, partial or full: the rate in question, at k = 1."),
    Column("steps", "steps", "count", "Steps that were sampled and have a baseline."),
    Column("last_step", "last", "count", "Number of edits at the last of them."),
    Column("below_half", "below half", "count", "First sampled step below half the baseline; empty: none."),
    Column("below_20", "below 20 %", "count", "First sampled step with a rate below 20 %; empty: none."),
    Column("area", "area", "percent", "Mean height of the curve: area under it by the trapezoid rule / its width."),
    Column("area_before", "area before", "percent", "The same of the unedited model on the same problems."),
    Column("area_ratio", "kept", "percent", "area / area_before.", detail=True),
    Column("first_drop", "first drop", "points", "Points lost at the first sampled step; negative: won.", detail=True),
    Column("largest_drop", "largest drop", "points", "Points lost at the worst step; negative: won.", detail=True),
)


def _collapse_rows(study: Study, steps: Sequence[Named], against: Against) -> Iterator[Row]:
    curves: dict[str, list[tuple[int, Floats, Floats]]] = {}
    for named in steps:
        for subset, pairs in by_subset(study.pairs(named, against)):
            if len(pairs):
                point = (named.setting.step or 0, rates(pairs, "base_").mean(axis=0), rates(pairs).mean(axis=0))
                curves.setdefault(subset, []).append(point)
    for subset, points in curves.items():
        for place, criterion in enumerate(CRITERIA):
            curve = [(step, float(before[place]), float(after[place])) for step, before, after in points]
            yield {
                **identify(steps[-1]),
                "against": against,
                "subset": subset,
                "criterion": criterion,
                **_collapse(curve),
            }


def _collapse(curve: Sequence[tuple[int, float, float]]) -> dict[str, Cell]:
    """Return the cells of a curve of (step, rate before, rate after)."""
    steps = [step for step, _, _ in curve]
    before, after = [b for _, b, _ in curve], [a for _, _, a in curve]
    area, area_before = mean_height(steps, after), mean_height(steps, before)
    drops = [100 * (b - a) for _, b, a in curve]
    return {
        "steps": len(curve),
        "last_step": steps[-1],
        "below_half": next((step for step, b, a in curve if a < HALF * b), None),
        "below_20": next((step for step, _, a in curve if a < FLOOR), None),
        "area": area,
        "area_before": area_before,
        "area_ratio": area / area_before if area is not None and area_before else None,
        "first_drop": drops[0],
        "largest_drop": max(drops),
    }


def mean_height(steps: Sequence[int], heights: Sequence[float]) -> float | None:
    """Return the area under a curve by the trapezoid rule, divided by its width; None for fewer than two steps.

    >>> mean_height([1, 2, 4], [1.0, 0.5, 0.0])  # (0.75 * 1 + 0.25 * 2) / 3
    0.4166666666666667
    """
    if len(steps) < 2:
        return None
    return float(np.trapezoid(heights, steps)) / (steps[-1] - steps[0])


def _collapse_notes(rows: Sequence[Row]) -> Iterator[str]:
    if any(row["area"] is None for row in rows):
        yield "A sequence that was sampled at one step has no area."
    if any(row["area_before"] == 0.0 for row in rows):
        yield "A baseline of 0 % has no half: the unedited model passes nothing in that world, and nothing can be lost."
    if not rows:
        yield "No step has a baseline: sample the unedited model (`edittool edit --method none`), and judge it."


def retention_table(study: Study) -> Table:
    """Return how changes that were taught earlier fare at each step, beside how they fared when first sampled."""
    rows = [row for steps in study.sequences.values() for row in _retention_rows(study, steps)]
    return Table(
        "rq2_retention",
        "rq2",
        "Retention: problems of earlier changes, now and when they were first sampled after their edit",
        (*IDENTITY, STEP, SUBSET, *_RETENTION),
        tuple(rows),
        _no_sequence(study) or (() if rows else ("No sequence was sampled at two steps: nothing can be forgotten.",)),
        brief=tuple(row for row in rows if row["subset"] == "reliability"),
    )


_RETENTION = (
    Column("changes", "changes", "count", "Changes sampled at an earlier step too."),
    Column("problems", "problems", "count", "Their problems."),
    Column("full_first", "full then", "percent", "full@1 at the first sampled step with that change.", interval=True),
    Column("full_now", "full now", "percent", "full@1 at this step.", interval=True),
    Column("full_kept", "kept", "percent", "full_now / full_first; empty where nothing passed then.", interval=True),
    Column(
        "adoption_first", "adopted then", "percent", "Samples that adopted correctly then.", detail=True, interval=True
    ),
    Column("adoption_now", "adopted now", "percent", "Samples that adopt correctly now.", interval=True),
    Column("adoption_kept", "adoption kept", "percent", "adoption_now / adoption_first.", detail=True, interval=True),
)
_TAUGHT = ("reliability", "generalization")


def _retention_rows(study: Study, steps: Sequence[Named]) -> Iterator[Row]:
    first = pl.DataFrame()
    for named in steps:
        units = study.units(named).filter(pl.col("change").is_not_null(), pl.col("n") > 0)
        if len(first):
            earlier = units.join(first, on="task", how="inner", maintain_order="left")
            for subset in (*_TAUGHT, ALL):
                part = earlier if subset == ALL else earlier.filter(pl.col("subset") == subset)
                if len(part):
                    yield {
                        **identify(named),
                        "step": named.setting.step,
                        "subset": subset,
                        "changes": part["change"].n_unique(),
                        "problems": part["task"].n_unique(),
                        **study.ratios(part, _retention(part)),
                    }
        unseen = units.join(first, on="task", how="anti") if len(first) else units
        new = unseen.select(
            "task", *(pl.col(name).alias(f"first_{name}") for name in ("n", "full", "labelled", "correct_adoption"))
        )
        first = pl.concat([first, new]) if len(first) else new


def _retention(units: pl.DataFrame) -> dict[str, tuple[Floats, Floats]]:
    """Return what each ratio of a row is of: the sum of the first over the sum of the second."""
    now = numbers(units, "full") / numbers(units, "n")
    then = numbers(units, "first_full") / numbers(units, "first_n")
    adopted, adopted_then = numbers(units, "correct_adoption"), numbers(units, "first_correct_adoption")
    return {
        "full_first": (then, np.ones_like(then)),
        "full_now": (now, np.ones_like(now)),
        "full_kept": (now, then),
        "adoption_first": (adopted_then, numbers(units, "first_labelled")),
        "adoption_now": (adopted, numbers(units, "labelled")),
        "adoption_kept": (adopted, adopted_then),
    }


def _no_sequence(study: Study) -> tuple[str, ...]:
    return () if study.sequences else ("No sequence of edits is among the verdicts.",)
