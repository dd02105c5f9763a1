"""The published figures of arXiv 2511.03182 beside ours, where both measure the same thing.

Facts only: what the paper states of its own benchmark, models and methods. Ours come from the tables of this report.
"""

from collections.abc import Iterable, Mapping, Sequence

from ...schemas.bench import SUBSETS, Bench
from ..count.comparison import ALL, BASELINES
from ..table.table import Column, Row, Scalar, Table

FEW_EDITS = 5  # "within few updates"

_COLUMNS = (
    Column("measure", "measure", "text", "What is measured."),
    Column("published", "published", "text", "What the paper states."),
    Column("ours_low", "ours, least", "ratio", "The smallest of our figures, in the unit of the row."),
    Column("ours_high", "ours, most", "ratio", "The largest of our figures, in the unit of the row."),
    Column("unit", "unit", "text", "Unit of both."),
    Column("figures", "figures", "count", "How many figures of ours there are: one for each setting, subset or step."),
)

Records = Sequence[Mapping[str, Scalar]]


def reference_table(bench: Bench, tables: Iterable[Table]) -> Table:
    """Return the published figures beside those of `tables`, which `build_report` made for `bench`."""
    records = {table.name: list(table.records()) for table in tables}
    rows = [
        *_benchmark(bench),
        *_instant(records["rq4_shapley"]),
        *_sequential(records["rq2_curve"], records["rq2_collapse"]),
        *_adoption(records["rq3_labels"], records["rq4_regressions"]),
    ]
    notes = (
        "The paper edits 7B models; ours are those of the verdicts. Figures stand side by side where regime and "
        "measure are the same, not model or method.",
        "The paper does not say in which world its unedited models ran: drops are given against both of ours.",
        "Empty: no verdicts of that regime, no baseline for them, or no sequence that collapsed.",
    )
    return Table("reference_paper", "reference", "Beside the paper (arXiv 2511.03182)", _COLUMNS, tuple(rows), notes)


def _row(measure: str, published: str, unit: str, ours: Iterable[Scalar]) -> Row:
    known = [float(value) for value in ours if isinstance(value, int | float)]
    return {
        "measure": measure,
        "published": published,
        "ours_low": min(known, default=None),
        "ours_high": max(known, default=None),
        "unit": unit,
        "figures": len(known),
    }


def _benchmark(bench: Bench) -> list[Row]:
    published = dict(zip(SUBSETS, (259, 328, 210), strict=True))
    subsets: list[str] = [problem.subset for problem in bench.problems.values()]
    rows = [_row("changed APIs", "65", "APIs", [len(bench.changes)])]
    return rows + [_row(f"problems in {s}", str(published[s]), "problems", [subsets.count(s)]) for s in SUBSETS]


def _instant(losses: Records) -> list[Row]:
    rows = []
    for against in BASELINES:
        chosen = [r for r in losses if r["regime"] == "instant" and r["against"] == against and r["world"] == "own"]
        compiles = [_drop(r, "compile_before", "compile_after") for r in chosen if r["subset"] != ALL]
        full = [r["loss"] for r in chosen if r["subset"] == ALL]
        rows += [
            _row(f"one edit: drop in compile, against {against}", "up to 86", "points", compiles),
            _row(f"one edit: drop in full, against {against}", "45 in the best setting", "points", full),
        ]
    return rows


def _drop(record: Mapping[str, Scalar], before: str, after: str) -> Scalar:
    first, last = record[before], record[after]
    return 100 * (first - last) if isinstance(first, float) and isinstance(last, float) else None


def _sequential(curve: Records, collapse: Records) -> list[Row]:
    early = [
        0.0 - record["full_change"]  # not -0.0
        for record in curve
        if record["subset"] == ALL and record["world"] == "own"
        if isinstance(record["step"], int) and record["step"] <= FEW_EDITS
        if isinstance(record["full_change"], float)
    ]
    whole = [r for r in collapse if r["subset"] == ALL and r["criterion"] == "full" and r["world"] == "own"]
    chosen = [record for record in whole if record["against"] == "same world"]
    steps = [record["below_half"] for record in chosen]
    return [
        _row(f"edits in sequence: drop in full within {FEW_EDITS}", "60 to 80", "points", early),
        _row("edits in sequence: collapse below half the baseline", "in the first 10 to 20", "edits", steps),
    ]


def _adoption(labels: Records, regressions: Records) -> list[Row]:
    adopted = [
        _percent(record["correct_adoption_in_passing"])
        for record in labels
        if record["regime"] == "instant" and record["subset"] == ALL and record["world"] == "own"
    ]
    regressed = [_percent(r["share_of_successful"]) for r in regressions if r["regime"] == "instant"]
    return [
        _row("one edit: correct adoption among passing programs", "about 6", "%", adopted),
        _row("one edit: successful edits with a regression", "nearly 30", "%", regressed),
    ]


def _percent(share: Scalar) -> Scalar:
    return 100 * share if isinstance(share, int | float) else None
