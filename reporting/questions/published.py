"""Published figures and findings beside ours: of arXiv 2511.03182 in both versions, EDAPIBench, CodeUpdateArena.

Facts only: what each paper states of its own benchmark, models and methods; where it gives no number, its word.
Sources: the first version of arXiv 2511.03182 (5 November 2025); the abstract of its second (8 May 2026); the abstract
of EDAPIBench (arXiv 2511.21022); the abstract of CodeUpdateArena (arXiv 2407.06249), and for its number of updates a
summary (emergentmind.com). Ours come from the tables of this report.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ...schemas.bench import SUBSETS, Bench
from ..count.comparison import ALL, BASELINES
from ..options import Reference
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


_TITLES: dict[Reference, str] = {
    "paper": "Beside the paper (arXiv 2511.03182)",
    "paper-v2": "Beside the paper's second version (arXiv 2511.03182v2)",
    "edapibench": "Context: EDAPIBench (arXiv 2511.21022)",
    "codeupdatearena": "Context: CodeUpdateArena (arXiv 2407.06249)",
}


def reference_tables(references: Sequence[Reference], bench: Bench, tables: Sequence[Table]) -> tuple[Table, ...]:
    """Return a table for each of `references`, beside the figures of `tables`, which were made for `bench`."""
    records = {table.name: list(table.records()) for table in tables} if references else {}
    made = []
    for reference in references:
        rows, notes = _MAKERS[reference](bench, records)
        name = f"reference_{reference.replace('-', '_')}"
        made.append(Table(name, "reference", _TITLES[reference], _COLUMNS, tuple(rows), notes))
    return tuple(made)


def _paper(bench: Bench, records: Mapping[str, Records]) -> tuple[list[Row], tuple[str, ...]]:
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
    return rows, notes


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


_WORDS = "Where the abstract gives no number its words stand here; ours are of other models, changes and settings."
_EMPTY = "Empty: no verdicts of that kind among ours."
_LOCATING = ("rome", "memit", "pmet")


def _paper_v2(bench: Bench, records: Mapping[str, Records]) -> tuple[list[Row], tuple[str, ...]]:
    losses = [r for r in records["rq4_shapley"] if r["against"] == "same world" and r["world"] == "own"]

    def share(regime: str, subset: str) -> list[Scalar]:
        chosen = [r for r in losses if r["regime"] == regime and r["subset"] == subset]
        return [_percent(_divided(r["compilation_part"], r["loss"])) for r in chosen]

    instant = [r for r in records["overview"] if r["regime"] == "instant" and r["world"] == "own"]
    locating = [r for r in instant if str(r["method"]).startswith(_LOCATING)]
    others = [r for r in instant if str(r["method"]).startswith(("grace", "ft"))]
    labels = [r for r in records["rq3_labels"] if r["regime"] == "instant" and r["world"] == "own"]
    rows = [
        _row("changed APIs", "140", "APIs", [len(bench.changes)]),
        _row("problems", "2,040, of HumanEval, MBPP and APPS", "problems", [len(bench.problems)]),
        _row(
            "one edit, generalization: workarounds among passing programs",
            "many",
            "%",
            [_percent(r["workaround_in_passing"]) for r in labels if r["subset"] == "generalization"],
        ),
        _row(
            "one edit, specificity: change by fine-tuning and GRACE",
            "preserve it better",
            "points",
            [r["specificity_change"] for r in others],
        ),
        _row(
            "one edit, specificity: change by ROME, MEMIT, PMET",
            "degrades",
            "points",
            [r["specificity_change"] for r in locating],
        ),
        _row(
            "one edit, generalization: compilation's part of the loss",
            "substantial",
            "%",
            share("instant", "generalization"),
        ),
        _row(
            "one edit, specificity: compilation's part of the loss",
            "more often after compilation",
            "%",
            share("instant", "specificity"),
        ),
        _row("edits in sequence: compilation's part of the loss", "predominant", "%", share("sequential", ALL)),
        *(
            _row(
                f"edits in sequence, {subset}: full@1 at the last step",
                "near zero for most methods and models",
                "%",
                [_percent(value) for value in _last_full(records["rq2_curve"], subset)],
            )
            for subset in ("generalization", "specificity")
        ),
    ]
    return rows, (_WORDS, "A part of a loss is empty, or of no use, where next to nothing was lost.", _EMPTY)


def _edapibench(bench: Bench, records: Mapping[str, Records]) -> tuple[list[Row], tuple[str, ...]]:
    edited = _edited(records["overview"])
    adalora = [r for r in edited if str(r["method"]).startswith("adalora")]
    rest = [r for r in edited if r not in adalora]
    methods, models = {str(r["method"]).split()[0] for r in edited}, {r["model"] for r in edited}
    spoilt = [r["specificity_change"] for r in adalora]
    rows = [
        _row("changed APIs", "over 70, deprecated ones of 8 libraries", "APIs", [len(bench.changes)]),
        _row("editing methods", "10", "methods", [len(methods)] if edited else []),
        _row(
            "models",
            "3 (Qwen2.5-Coder, StarCoder2, DeepSeek-Coder)",
            "models",
            [len(models)] if edited else [],
        ),
        _row("new API written, by AdaLoRA", "best of the ten", "%", [_percent(r["adopted"]) for r in adalora]),
        _row("new API written, by other methods", "below AdaLoRA", "%", [_percent(r["adopted"]) for r in rest]),
        _row("change on what is not edited, by AdaLoRA", "falls short", "points", spoilt),
    ]
    notes = (
        "It completes lines that use real deprecated APIs and compares the API that is written; here programs run. Its "
        "variant AdaLoRA-L leaves out the layers that matter to all APIs, and spoils less of what is not edited.",
        _WORDS,
        _EMPTY,
    )
    return rows, notes


def _codeupdatearena(bench: Bench, records: Mapping[str, Records]) -> tuple[list[Row], tuple[str, ...]]:
    told = [r for r in records["overview"] if str(r["method"]).startswith("documentation") and r["world"] == "own"]
    edited = _edited(records["overview"])
    rows = [
        _row("changed APIs", "161 updates to 54 functions of 7 packages", "APIs", [len(bench.changes)]),
        _row("problems", "670", "problems", [len(bench.problems)]),
        _row(
            "documentation in the prompt: correct adoption",
            "does not let DeepSeek, CodeLlama use the update",
            "%",
            [_percent(r["adopted"]) for r in told],
        ),
        _row(
            "editing: correct adoption in generalization",
            "substantial room for improvement",
            "%",
            [_percent(r["adopted_generalization"]) for r in edited],
        ),
    ]
    notes = (
        "Its updates are invented by a language model, add to functions of libraries, and are solved without their "
        "documentation; ours take an API away.",
        _WORDS,
        _EMPTY,
    )
    return rows, notes


def _edited(overview: Records) -> Records:
    """Return the rows of edited models, in the worlds of their changes."""
    baselines = ("unedited", "documentation")
    return [r for r in overview if r["world"] == "own" and not str(r["method"]).startswith(baselines)]


def _last_full(curve: Records, subset: str) -> list[Scalar]:
    last: dict[tuple[Scalar, ...], Scalar] = {}
    for record in curve:
        if record["subset"] == subset and record["world"] == "own":
            last[record["model"], record["method"]] = record["full_at_1"]  # steps stand in their order
    return list(last.values())


def _divided(part: Scalar, whole: Scalar) -> float | None:
    if not isinstance(part, int | float) or not isinstance(whole, int | float) or whole <= 0:
        return None
    return part / whole


_MAKERS: Mapping[Reference, Callable[[Bench, Mapping[str, Records]], tuple[list[Row], tuple[str, ...]]]] = {
    "paper": _paper,
    "paper-v2": _paper_v2,
    "edapibench": _edapibench,
    "codeupdatearena": _codeupdatearena,
}
