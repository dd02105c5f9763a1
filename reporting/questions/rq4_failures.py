"""RQ4: failures by category, instability of problems, regressions on specificity, the two parts of a loss."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from ...schemas.verdicts import FAILURES
from ..count.comparison import ALL, BASELINES, Against, Named, Study, by_subset, numbers, rates
from ..count.pass_at_k import Floats, split_loss
from ..count.resampling import Resampler, most_in_a_stratum
from ..table.table import Cell, Column, Estimate, Row, Table
from .columns import AGAINST, IDENTITY, PROBLEMS, STEP, STEP_DETAIL, SUBSET, identify
from .notes import baseline_notes


def failure_table(study: Study) -> Table:
    """Return how often each category of failure is the reason that a sample did not pass, by subset."""
    rows = [row for named in study.ends for row in _failure_rows(study, named)]
    return Table(
        "rq4_failures",
        "rq4",
        "Failures: why samples did not pass, the first reason that applies",
        (*IDENTITY, STEP_DETAIL, SUBSET, *_FAILURES),
        tuple(rows),
        () if rows else ("Every judged sample passed all tests.",),
        brief=tuple(row for row in rows if row["subset"] == ALL),
    )


_FAILURES = (
    Column("failure", "failure", "text", "The category: " + "; ".join(f"{k}: {v}" for k, v in FAILURES.items()) + "."),
    Column("samples", "samples", "count", "Samples that failed so."),
    Column("share_of_failing", "of failing", "percent", "Of the judged samples that did not pass."),
    Column("share_of_judged", "of judged", "percent", "Of all judged samples."),
)


def _failure_rows(study: Study, named: Named) -> Iterator[Row]:
    for subset, rows in by_subset(study.rows(named).filter(pl.col("judged"))):
        counts = Counter(rows["failure"].drop_nulls().to_list())
        for failure in FAILURES:
            if count := counts[failure]:
                yield {
                    **identify(named),
                    "step": named.setting.step,
                    "subset": subset,
                    "failure": failure,
                    "samples": count,
                    "share_of_failing": count / counts.total(),
                    "share_of_judged": count / len(rows),
                }


def instability_table(study: Study) -> Table:
    """Return the share of problems that some of their samples pass and some do not, by subset."""
    rows = [row for named in study.ends for row in _instability_rows(study, named)]
    return Table(
        "rq4_instability",
        "rq4",
        "Instability: problems that pass in some of their samples and fail in others",
        (*IDENTITY, STEP_DETAIL, SUBSET, *_INSTABILITY),
        tuple(rows),
        () if rows else ("No problem has two judged samples: one cannot differ from itself.",),
        brief=tuple(row for row in rows if row["subset"] == ALL),
    )


_INSTABILITY = (
    Column("problems", "problems", "count", "Problems with two judged samples or more."),
    Column("unstable", "unstable", "count", "Of them (each under each edit): passed in some samples, not in all."),
    Column("share", "share", "percent", "unstable of all.", interval=True),
    Column("always", "always pass", "percent", "Passed in every sample.", interval=True),
    Column("never", "never pass", "percent", "Passed in none.", interval=True),
)


def _instability_rows(study: Study, named: Named) -> Iterator[Row]:
    for subset, units in by_subset(study.units(named).filter(pl.col("n") >= 2)):
        if len(units):
            n, full = units["n"].to_numpy(), units["full"].to_numpy()
            kinds = {"share": (full > 0) & (full < n), "always": full == n, "never": full == 0}
            yield {
                **identify(named),
                "step": named.setting.step,
                "subset": subset,
                "problems": units["task"].n_unique(),
                "unstable": int(kinds["share"].sum()),
                **study.means(units, {name: of_kind.astype(np.float64) for name, of_kind in kinds.items()}),
            }


def regression_table(study: Study) -> Table:
    """Return what edits broke: specificity problems that the unedited model passes and the edited one fails.

    A model passes a problem where at least half of its judged samples do. An edit is successful where some sample of
    a reliability problem of its changes adopted correctly: it did teach the API to somebody who was asked.
    """
    rows: list[Row] = []
    missing, stand_ins = 0, 0
    for named in study.settings:
        if study.is_compared(named.setting):
            pairs = study.pairs(named, "same world").filter(pl.col("subset") == "specificity")
            units = study.units(named).filter(pl.col("subset") == "specificity", pl.col("n") > 0)
            missing += len(units) - len(pairs)
            stand_ins += int(pairs["stand_in"].sum())
            rows.append({**identify(named), "step": named.setting.step, **_regressions(study, named, pairs)})
    notes = [*baseline_notes(missing, stand_ins, bool(rows)), PASSES, SUCCESSFUL]
    return Table(
        "rq4_regressions",
        "rq4",
        "Regressions on specificity: the unedited model passes, the edited one fails",
        (*IDENTITY, STEP, *_REGRESSIONS),
        tuple(rows),
        tuple(notes),
        brief=tuple(row for row in rows if row["regime"] != "sequential"),
    )


PASSES = "A model passes a problem where at least half of its judged samples pass all tests."
SUCCESSFUL = (
    "An edit is successful where some sample of a reliability problem of its changes adopted correctly. Only edits "
    "with specificity problems that the unedited model passes count."
)
_REGRESSIONS = (
    Column("passed_before", "passing pairs", "count", "Pairs of edit and problem that the unedited model passes."),
    Column("regressions", "regressions", "count", "Those of them that the edited model fails."),
    Column("share", "share", "percent", "regressions of passed_before.", interval=True),
    Column("edits", "edited models", "count", "Edited models with such pairs."),
    Column("edits_with_regression", "models with regr.", "count", "Those with a regression.", detail=True),
    Column("share_of_edits", "of edits", "percent", "edits_with_regression of edits."),
    Column("successful_edits", "successful", "count", "Those of the edits that are successful."),
    Column("successful_with_regression", "succ. with regr.", "count", "Those of them with a regression.", detail=True),
    Column("share_of_successful", "of successful", "percent", "successful_with_regression of successful_edits."),
)


def _regressions(study: Study, named: Named, pairs: pl.DataFrame) -> dict[str, Cell]:
    passed = pairs.filter(2 * pl.col("base_full") >= pl.col("base_n"))
    passed = passed.with_columns(lost=2 * pl.col("full") < pl.col("n"))
    edits = passed.group_by("edited").agg(pl.col("lost").any())
    good = edits.filter(pl.col("edited").is_in(sorted(_successful(study, named))))
    broken, good_broken = int(edits["lost"].sum()), int(good["lost"].sum())
    return {
        "passed_before": len(passed),
        "regressions": int(passed["lost"].sum()),
        **study.ratios(passed, {"share": (numbers(passed, "lost"), np.ones(len(passed)))}),
        "edits": len(edits),
        "edits_with_regression": broken,
        "share_of_edits": broken / len(edits) if len(edits) else None,
        "successful_edits": len(good),
        "successful_with_regression": good_broken,
        "share_of_successful": good_broken / len(good) if len(good) else None,
    }


def _successful(study: Study, named: Named) -> set[int]:
    units = study.units(named).filter(pl.col("subset") == "reliability", pl.col("correct_adoption") > 0)
    return set(units["edited"].to_list())


def loss_table(study: Study) -> Table:
    """Return how the loss in full pass divides between compilation and what comes after, by Shapley's value."""
    rows: list[Row] = []
    missing: Counter[Against] = Counter()
    for named in study.ends:
        if study.is_compared(named.setting):
            for against in BASELINES:
                pairs = study.pairs(named, against)
                missing[against] += int((study.units(named)["n"] > 0).sum()) - len(pairs)
                for subset, part in by_subset(pairs):
                    if len(part):
                        where = {"step": named.setting.step, "against": against, "subset": subset}
                        rows.append({**identify(named), **where, **_loss(study, part)})
    return Table(
        "rq4_shapley",
        "rq4",
        "Where the loss in full pass lies: compilation, or after it (two-factor Shapley split)",
        (*IDENTITY, STEP_DETAIL, AGAINST, SUBSET, PROBLEMS, *_LOSS),
        tuple(rows),
        tuple(_loss_notes(missing, bool(rows))),
        brief=tuple(row for row in rows if row["subset"] == ALL),
    )


def _loss_notes(missing: Mapping[Against, int], compared: bool) -> Iterator[str]:
    if not compared:
        yield "No edited model has a baseline: there is no loss to split."
        return
    yield (
        "The parts sum to the loss; a negative loss is a gain. Where nothing compiles on one side, all of the loss "
        "is compilation's: nothing is known of what would have come after."
    )
    ways = {"same world": "`--worlds-of SAMPLES`", "no change": "`--world none`"}
    for against, count in missing.items():
        if count:
            yield (
                f"Against {against}: {count} edited problems have no baseline and are left out. Judge the unedited "
                f"model's samples with {ways[against]}."
            )


_LOSS = (
    Column("compile_before", "compile before", "percent", "compile@1 of the unedited model.", detail=True),
    Column("compile_after", "compile after", "percent", "compile@1 on the same problems.", detail=True),
    Column("full_before", "full before", "percent", "full@1 of the unedited model."),
    Column("full_after", "full after", "percent", "full@1 on the same problems."),
    Column("loss", "loss", "points", "full_before less full_after, in points.", interval=True),
    Column("compilation_part", "compilation", "points", "The part of the loss that is compilation's.", interval=True),
    Column("after_part", "after", "points", "The part that lies after compilation.", interval=True),
)


def _loss(study: Study, pairs: pl.DataFrame) -> dict[str, Cell]:
    """Return the cells of PROBLEMS and _LOSS."""
    both = np.hstack([rates(pairs, "base_")[:, [0, 2]], rates(pairs)[:, [0, 2]], np.ones((len(pairs), 1))])
    strata, sums = study.by_problem(pairs, both)
    totals = sums.sum(axis=0)
    compile_before, full_before, compile_after, full_after = (float(x) for x in totals[:4] / totals[4])
    losses = _split(totals[None, :])[0]
    estimates = _loss_estimates(study.resampler, strata, sums, losses)
    return {
        "problems": pairs["task"].n_unique(),
        "compile_before": compile_before,
        "compile_after": compile_after,
        "full_before": full_before,
        "full_after": full_after,
        **dict(zip(("loss", "compilation_part", "after_part"), estimates, strict=True)),
    }


def _split(sums: Floats) -> Floats:
    """Return loss, compilation part and after part in points, [..., 3], of sums of rates and their number, [..., 5]."""
    compile_before, full_before, compile_after, full_after = np.moveaxis(sums[..., :4] / sums[..., 4:], -1, 0)
    parts = split_loss(compile_before, full_before, compile_after, full_after)
    return 100 * np.concatenate([(full_before - full_after)[..., None], parts], axis=-1)


def _loss_estimates(resampler: Resampler, strata: Sequence[str], sums: Floats, losses: Floats) -> list[Estimate]:
    """Return the estimates of `losses` [3] with intervals over problems: each resample is split anew."""
    draws = _split(resampler.weights(strata) @ sums)
    return resampler.estimates(losses, draws, most_in_a_stratum(strata, np.ones((len(sums), 3), dtype=np.bool_)))
