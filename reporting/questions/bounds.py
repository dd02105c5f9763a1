"""Bounds for CI, held against the numbers that the tables have."""

from collections.abc import Iterator, Sequence

import polars as pl

from ..bounds import Bound, Outcome
from ..count.comparison import ALL, Named, Study, numbers
from ..count.pass_at_k import pass_at_k_each

_PASS_AT_K = {
    "compiles": ("compile", 1),
    "partial": ("partial", 1),
    "passed": ("full", 1),
    "pass@3": ("full", 3),
    "pass@5": ("full", 5),
}


def check_bounds(study: Study, bounds: Sequence[Bound]) -> tuple[Outcome, ...]:
    """Return the outcome of each of `bounds` for each setting it is for, of each sequence of edits its last step.

    Bounds are for what is held against a baseline, and where nothing is, for everything. Those of adoption are not for
    settings whose programs ran with no change active, where there are others. Without any verdict each bound has one
    outcome, of no setting.
    """
    return tuple(outcome for bound in bounds for outcome in _outcomes(study, bound))


def _outcomes(study: Study, bound: Bound) -> Iterator[Outcome]:
    if not study.ends:
        yield Outcome(bound, None, "any", None, "own", None, None, "there is no verdict")
    asked: Sequence[Named] = [n for n in study.ends if study.is_compared(n.setting)] or study.ends
    if bound.metric.startswith("adopted"):
        asked = [named for named in asked if named.setting.world != "none"] or asked
    for named in asked:
        value, reason = _value(study, named, bound)
        setting = named.setting
        yield Outcome(bound, setting.model, named.name, setting.regime, setting.world, setting.step, value, reason)


def _value(study: Study, named: Named, bound: Bound) -> tuple[float | None, str | None]:
    """Return the value of a bound's metric for a setting, as the tables have it, or why there is none."""
    units = study.units(named)
    if bound.subset != ALL:
        units = units.filter(pl.col("subset") == bound.subset)
    if not units["samples"].sum():
        return None, f"no verdict is about a problem in {bound.subset}"
    if not units["n"].sum():
        return None, "the sandbox could judge none of the samples"
    if bound.metric in _PASS_AT_K:
        criterion, k = _PASS_AT_K[bound.metric]
        values = pass_at_k_each(units["n"].to_numpy(), units[criterion].to_numpy(), k)
        mean = study.means(units, {"value": values})["value"].value
        return mean, f"no problem has {k} judged samples" if mean is None else None
    units = units.filter(pl.col("labelled") > 0)
    if units.is_empty():
        return None, "no sample has a label: none ran with its problem's change active"
    parts = {
        "adopted": (numbers(units, "correct_adoption"), numbers(units, "labelled")),
        "adopted_of_passing": (numbers(units, "passed_correct_adoption"), numbers(units, "passing")),
    }
    share = study.ratios(units, {"value": parts[bound.metric]})["value"].value
    return share, "no labelled sample passed" if share is None else None
