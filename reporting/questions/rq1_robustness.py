"""RQ1: pass rates of every setting, and their changes against the unedited model."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from ...schemas.bench import SUBSETS
from ..count.comparison import ALL, Named, Study, by_criterion, by_subset, rates
from ..count.pass_at_k import CRITERIA, KS, Floats, pass_at_k_each
from ..count.resampling import holm
from ..table.table import Cell, Column, Estimate, Row, Table
from .columns import IDENTITY, PROBLEMS, STEP_DETAIL, SUBSET, identify
from .notes import baseline_notes

_MEANS = {
    "compile": "compiles",
    "partial": "passes at least one test",
    "full": "passes all tests",
}


def rate_table(study: Study) -> Table:
    """Return pass@k of every setting that is no step of a sequence, for each criterion and k, by subset."""
    rows = [row for named in study.single for row in _rate_rows(study, named)]
    return Table(
        "rq1_rates",
        "rq1",
        "Pass rates: pass@k by the unbiased estimator, mean over problems",
        (*IDENTITY, STEP_DETAIL, SUBSET, *_COUNTS, *_RATES, *_TOO_FEW),
        tuple(rows),
        tuple(_rate_notes(rows)),
    )


_COUNTS = (
    PROBLEMS,
    Column("problems_in_bench", "in bench", "count", "Problems of this subset in the benchmark.", detail=True),
    Column("samples", "samples", "count", "Verdicts, each sample counted once.", detail=True),
    Column("unjudged", "unjudged", "count", "Verdicts that the sandbox failed on: in no rate.", detail=True),
)
_SHOWN = (("compile", 1), ("full", 1), ("full", 5))
_RATES = tuple(
    Column(
        f"{name}_at_{k}",
        f"{name}@{k}",
        "percent",
        f"pass@{k}: a program {_MEANS[name]} in at least one of {k} tries.",
        detail=(name, k) not in _SHOWN,
        interval=True,
    )
    for name in CRITERIA
    for k in KS
)
_TOO_FEW = tuple(
    Column(f"too_few_{k}", f"n < {k}", "count", f"Problems left out at k = {k}: fewer samples than that.", detail=True)
    for k in KS
)


def _rate_rows(study: Study, named: Named) -> Iterator[Row]:
    sizes = _bench_sizes(study)
    for subset, units in by_subset(study.units(named)):
        samples, judged = int(units["samples"].sum()), int(units["n"].sum())
        yield {
            **identify(named),
            "step": named.setting.step,
            "subset": subset,
            "problems": units["task"].n_unique(),
            "problems_in_bench": sizes[subset],
            "samples": samples,
            "unjudged": samples - judged,
            **study.means(units, _pass_rates(units)),
            **{f"too_few_{k}": int((units["n"] < k).sum()) for k in KS},
        }


def _pass_rates(units: pl.DataFrame) -> dict[str, Floats]:
    """Return pass@k of each unit for each criterion and k: "compile_at_1", ..."""
    n = units["n"].to_numpy()
    return {f"{name}_at_{k}": pass_at_k_each(n, units[name].to_numpy(), k) for name in CRITERIA for k in KS}


def _bench_sizes(study: Study) -> Mapping[str, int]:
    """Return the number of problems of each subset in the benchmark."""
    subsets: list[str] = [problem.subset for problem in study.bench.problems.values()]
    return {subset: subsets.count(subset) for subset in (*SUBSETS, *subsets)} | {ALL: len(subsets)}


def _rate_notes(rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield "All verdicts are of steps of sequences of edits: their rates stand in the curves (RQ2)."
    for subset in dict.fromkeys(row["subset"] for row in rows):
        if any(row["problems_in_bench"] == 0 for row in rows if row["subset"] == subset):
            yield f"{subset}: the benchmark has no such problems."
        elif any(row["samples"] == 0 for row in rows if row["subset"] == subset):
            yield f"{subset}: some settings have no verdicts; their cells are empty."
    for k in KS:
        short = [row for row in rows if row[f"too_few_{k}"]]
        if short:
            yield (
                f"pass@{k} needs {k} judged samples: problems with fewer are left out of it "
                f"in {len(short)} of {len(rows)} rows (column too_few_{k})."
            )
    if any(row["unjudged"] for row in rows):
        yield "unjudged: the sandbox failed. These samples are in no rate; judge them again to have them counted."
    cells = (cell for row in rows for cell in row.values())
    if any(isinstance(cell, Estimate) and cell.value is not None and cell.low is None for cell in cells):
        yield "A rate without an interval is of one problem alone in each subset: that says nothing about others."


def change_table(study: Study) -> Table:
    """Return the change of each pass rate against the unedited model in the same world, in percentage points."""
    rows, missing, stand_ins = [], 0, 0
    for named in study.single:
        if study.is_compared(named.setting):
            units = study.units(named).filter(pl.col("n") > 0)
            pairs = study.pairs(named, "same world")
            missing += len(units) - len(pairs)
            stand_ins += int(pairs["stand_in"].sum())
            rows += [_change_row(study, named, subset, part) for subset, part in by_subset(pairs)]
    _correct(rows)
    return Table(
        "rq1_change",
        "rq1",
        "Change against the unedited model in the same world, percentage points",
        (*IDENTITY, STEP_DETAIL, SUBSET, PROBLEMS, *_CHANGES),
        tuple(rows),
        tuple(baseline_notes(missing, stand_ins, bool(rows))),
    )


_CHANGES = tuple(
    column
    for name in CRITERIA
    for column in (
        Column(f"{name}_before", f"{name} before", "percent", f"{name}@1 of the unedited model.", detail=True),
        Column(f"{name}_after", f"{name} after", "percent", f"{name}@1 on the same problems.", detail=True),
        Column(
            f"{name}_change",
            name,
            "points",
            f"{name}_after less {name}_before, in points.",
            detail=name == "partial",
            interval=True,
        ),
        Column(f"{name}_p", f"{name} p", "p_value", "Sign-flip test over problems, two-sided.", detail=True),
        Column(
            f"{name}_p_corrected",
            f"{name} p (Holm)",
            "p_value",
            "p corrected for all tests of this table.",
            detail=name != "full",
        ),
    )
)


def _change_row(study: Study, named: Named, subset: str, pairs: pl.DataFrame) -> dict[str, Cell]:
    before, after = rates(pairs, "base_"), rates(pairs)
    _, differences = study.by_problem(pairs, after - before)
    p_values = study.resampler.p_values(differences)
    return {
        **identify(named),
        "step": named.setting.step,
        "subset": subset,
        "problems": pairs["task"].n_unique(),
        **{name: _mean(column) for name, column in by_criterion(before, "_before").items()},
        **{name: _mean(column) for name, column in by_criterion(after, "_after").items()},
        **study.means(pairs, by_criterion(100 * (after - before), "_change")),
        **{f"{name}_p": p_value for name, p_value in zip(CRITERIA, p_values, strict=True)},
        **{f"{name}_p_corrected": None for name in CRITERIA},  # see `_correct`
    }


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _correct(rows: Sequence[dict[str, Cell]]) -> None:
    """Fill in the corrected p-values. The family: each test of a subset; all together is no question of its own."""
    tests = [(row, name) for row in rows if row["subset"] != ALL for name in CRITERIA]
    values = [row[f"{name}_p"] for row, name in tests]
    corrected = holm([value if isinstance(value, float) else None for value in values])
    for (row, name), value in zip(tests, corrected, strict=True):
        row[f"{name}_p_corrected"] = value
