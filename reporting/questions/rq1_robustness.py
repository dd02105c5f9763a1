"""RQ1: pass rates of every setting, and what an edit changed against the unedited model."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from ..count.comparison import ALL, Named, Study, by_subset, rates
from ..count.pass_at_k import CRITERIA, KS, Floats, pass_at_k_each
from ..count.resampling import holm
from ..table.table import Cell, Column, Estimate, Table
from .columns import IDENTITY, PROBLEMS, STEP, SUBSET, identify

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
        tuple(_rate_notes(study, rows)),
    )


STEP_DETAIL = Column(STEP.name, STEP.header, STEP.kind, STEP.description, detail=True)
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


def _rate_rows(study: Study, named: Named) -> Iterator[tuple[Cell, ...]]:
    sizes = bench_sizes(study)
    for subset, units in by_subset(study.units(named)):
        values = _estimates(units)
        samples, judged = int(units["samples"].sum()), int(units["n"].sum())
        counts = (units["task"].n_unique(), sizes[subset], samples, samples - judged)
        too_few = (int((units["n"] < k).sum()) for k in KS)
        yield (*identify(named), named.setting.step, subset, *counts, *study.means(units, values), *too_few)


def _estimates(units: pl.DataFrame) -> Floats:
    """Return pass@k of each unit for each criterion and k, shape [units, 9]."""
    n = units["n"].to_numpy()
    columns = [pass_at_k_each(n, units[name].to_numpy(), k) for name in CRITERIA for k in KS]
    return np.stack(columns, axis=1)


def bench_sizes(study: Study) -> Mapping[str, int]:
    """Return the number of problems of each subset in the benchmark."""
    subsets = [problem.subset for problem in study.bench.problems.values()]
    return (
        {subset: subsets.count(subset) for subset in dict.fromkeys(subsets)}
        | {ALL: len(subsets)}
        | {subset: 0 for subset in ("reliability", "generalization", "specificity") if subset not in subsets}
    )


def _rate_notes(study: Study, rows: list[tuple[Cell, ...]]) -> Iterator[str]:
    if not rows:
        yield "All verdicts are of steps of sequences of edits: their rates stand in the curves (RQ2)."
    first = len(IDENTITY) + 1
    by_name = [
        dict(zip(("subset", "problems", "in_bench", "samples", "unjudged"), row[first:], strict=False)) for row in rows
    ]
    for subset in dict.fromkeys(row["subset"] for row in by_name):
        if any(row["in_bench"] == 0 for row in by_name if row["subset"] == subset):
            yield f"{subset}: the benchmark has no such problems."
        elif any(row["samples"] == 0 for row in by_name if row["subset"] == subset):
            yield f"{subset}: some settings have no verdicts; their cells are empty."
    for k, place in zip(KS, range(-len(KS), 0), strict=True):
        short = [row for row in rows if row[place]]
        if short:
            yield (
                f"pass@{k} needs {k} judged samples: problems with fewer are left out of it "
                f"in {len(short)} of {len(rows)} rows (column too_few_{k})."
            )
    if any(row["unjudged"] for row in by_name):
        yield "unjudged: the sandbox failed. These samples are in no rate; judge them again to have them counted."
    if any(isinstance(cell, Estimate) and cell.value is not None and cell.low is None for row in rows for cell in row):
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
    return Table(
        "rq1_change",
        "rq1",
        "Change against the unedited model in the same world, percentage points",
        (*IDENTITY, STEP_DETAIL, SUBSET, PROBLEMS, *_CHANGES),
        _corrected(rows),
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
_P_PLACES = [place for place, column in enumerate(_CHANGES) if column.name.endswith("_p")]


def _change_row(study: Study, named: Named, subset: str, pairs: pl.DataFrame) -> tuple[Cell, ...]:
    before, after = rates(pairs, "base_"), rates(pairs)
    changes = study.means(pairs, 100 * (after - before))
    _, differences = study.by_problem(pairs, after - before)
    tests = study.resampler.p_values(differences)
    cells: list[Cell] = []
    for place, change in enumerate(changes):
        sides = (_mean(before[:, place]), _mean(after[:, place]))
        cells += [*sides, change, tests[place], None]
    return (*identify(named), named.setting.step, subset, pairs["task"].n_unique(), *cells)


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _corrected(rows: list[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """Fill in the corrected p-values. The family: each test of a subset; all together is no question of its own."""
    first = len(IDENTITY) + 3
    places = [first + place for place in _P_PLACES]
    tests = [(i, place) for i, row in enumerate(rows) for place in places if row[first - 2] != ALL]
    values = [rows[i][place] for i, place in tests]
    filled = [list(row) for row in rows]
    corrected = holm([value if isinstance(value, float) else None for value in values])
    for (i, place), value in zip(tests, corrected, strict=True):
        filled[i][place + 1] = value
    return tuple(tuple(row) for row in filled)


def baseline_notes(missing: int, stand_ins: int, compared: bool) -> Iterator[str]:
    """Yield what a table of comparisons has to say of the baseline."""
    if not compared:
        yield "No edited model is among the verdicts: there is nothing to compare."
    if missing:
        yield (
            f"{missing} edited problems have no baseline in the same world and are left out. Judge the unedited "
            "model's samples there: `edittool judge BENCH UNEDITED -o FILE --worlds-of SAMPLES`."
        )
    if stand_ins:
        yield (
            f"{stand_ins} specificity problems are held against the unedited model with no change active: it was not "
            "judged in the worlds of the edits, which `--worlds-of` does."
        )
