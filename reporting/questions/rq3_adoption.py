"""RQ3: adoption: shares of programs that adopt the new API, misuse it, work around it, or do not know it."""

from collections.abc import Callable, Iterator, Sequence

import polars as pl

from ...schemas.changes import Change
from ...schemas.verdicts import CALLED, CALLED_IN_WORDS, LABELS, Called
from ..count.comparison import ALL, Named, Study, by_subset, numbers
from ..table.table import Cell, Column, Row, Table
from .columns import IDENTITY, PROBLEMS, STEP_DETAIL, SUBSET, identify

UNKNOWN_KIND = "unknown"
_OF_PASSING = ("correct_adoption", "workaround")

_CALLED_HEADERS: dict[Called, str] = {"right": "called right", "ill_called": "ill-called", "not_called": "not called"}

_SHARES = (
    Column("labelled", "labelled", "count", "Judged samples that have a label."),
    *(
        Column(
            label, label.replace("_", " "), "percent", f"Samples labelled {label}, of those labelled.", interval=True
        )
        for label in LABELS
    ),
    Column("passing", "passing", "count", "Labelled samples that passed all tests."),
    *(
        Column(
            f"{label}_in_passing",
            f"{label.replace('_', ' ')} in passing",
            "percent",
            f"Samples labelled {label}, of those that passed.",
            detail=label != "correct_adoption",
            interval=True,
        )
        for label in _OF_PASSING
    ),
    Column(
        "called_known",
        "calls known",
        "count",
        "Labelled samples of which is known how they called the replacement, whether they pass or not.",
        detail=True,
    ),
    *(
        Column(
            called,
            _CALLED_HEADERS[called],
            "percent",
            f"Samples that {CALLED_IN_WORDS[called]}; of those of which it is known, passing or not.",
            interval=True,
        )
        for called in CALLED
    ),
)


def label_table(study: Study) -> Table:
    """Return the shares of the four labels, among all labelled samples and among those that passed, by subset."""
    rows = [row for named in study.ends for row in _label_rows(study, named, study.units(named))]
    return Table(
        "rq3_labels",
        "rq3",
        "Adoption: shares of the labels, among all and among passing samples",
        (*IDENTITY, STEP_DETAIL, SUBSET, PROBLEMS, *_SHARES),
        tuple(rows),
        tuple(_notes(study, rows)),
        brief=tuple(row for row in rows if row["subset"] != ALL),
    )


def solved_label_table(study: Study) -> Table:
    """Return the same on the problems that the unedited model passes with no change active: competence taken out."""
    rows: list[Row] = []
    silent = 0
    for named in study.ends:
        solved = study.solved(named.setting)
        if solved is None:
            silent += 1
        else:
            units = study.units(named).filter(pl.col("task").is_in(sorted(solved)))
            rows += _label_rows(study, named, units)
    return Table(
        "rq3_labels_solved",
        "rq3",
        "The same, on the problems that the unedited model solves with no change active",
        (*IDENTITY, STEP_DETAIL, SUBSET, PROBLEMS, *_SHARES),
        tuple(rows),
        tuple(_solved_notes(rows, silent)),
        brief=tuple(row for row in rows if row["subset"] != ALL and row["labelled"]),
    )


def _solved_notes(rows: Sequence[Row], silent: int) -> Iterator[str]:
    if rows:
        yield (
            "Solved: at least half of the unedited model's samples pass where every old API still is. What fails here "
            "fails for the change, or for the edit, and seldom because the problem is too hard."
        )
    if not rows and not silent:
        yield "There is no verdict."
    if silent:
        yield (
            f"{silent} settings are left out: there is no verdict of their unedited model with no change active. Judge "
            "its samples so: `edittool judge BENCH UNEDITED -o FILE --world none`."
        )


def _label_rows(study: Study, named: Named, units: pl.DataFrame) -> Iterator[Row]:
    for subset, part in by_subset(units):
        if subset != "specificity":
            yield {**identify(named), "step": named.setting.step, "subset": subset, **_shares(study, part)}


def called_table(study: Study) -> Table:
    """Return how the replacement was called, by label: what `misuse` alone does not tell."""
    rows = [row for named in study.ends for row in _called_rows(study, named)]
    return Table(
        "rq3_called",
        "rq3",
        "How the replacement was called, by label",
        (*IDENTITY, STEP_DETAIL, *_CALLED),
        tuple(rows),
        () if rows else ("No verdict says how the replacement was called: judge the samples with this version.",),
        brief=tuple(row for row in rows if row["label"] == "misuse"),
    )


_CALLED = (
    Column("label", "label", "text", "The label."),
    Column("samples", "samples", "count", "Samples with that label of which it is known."),
    *(Column(name, _CALLED_HEADERS[name], "count", f"Samples that {CALLED_IN_WORDS[name]}.") for name in CALLED),
    *(
        Column(f"{name}_share", f"{_CALLED_HEADERS[name]}, share", "percent", f"{name} of the samples.")
        for name in CALLED
    ),
)


def _called_rows(study: Study, named: Named) -> Iterator[Row]:
    rows = study.rows(named).filter(pl.col("label").is_not_null(), pl.col("called").is_not_null())
    counts = {(label, called): count for label, called, count in rows.group_by("label", "called").len().rows()}
    for label in LABELS:
        found: dict[str, int] = {name: counts.get((label, name), 0) for name in CALLED}
        if samples := sum(found.values()):
            shares = {f"{name}_share": count / samples for name, count in found.items()}
            yield {**identify(named), "step": named.setting.step, "label": label, "samples": samples, **found, **shares}


def kind_table(study: Study) -> Table:
    """Return the shares of the labels by the kind of API that changed."""
    column = Column("kind", "kind of API", "text", "What the deprecated API is: builtin_function, module_class, ...")
    return _by_change(study, "rq3_by_kind", "Adoption by kind of API", column, lambda c: c.kind or UNKNOWN_KIND)


def usage_table(study: Study) -> Table:
    """Return the shares of the labels by how the usage of the API changed."""
    column = Column("usage", "usage change", "text", "renamed, reordered, keyword_only, packed, function.")
    return _by_change(study, "rq3_by_usage", "Adoption by usage change", column, lambda change: change.usage)


def change_label_table(study: Study) -> Table:
    """Return the shares of the labels for each change."""
    column = Column("change", "change", "text", "The change: the deprecated API's qualified name.")
    return _by_change(study, "rq3_by_change", "Adoption by change", column, lambda change: change.change_id)


def _by_change(study: Study, name: str, title: str, column: Column, group: Callable[[Change], str]) -> Table:
    groups = {change_id: group(change) for change_id, change in study.bench.changes.items()}
    rows: list[Row] = []
    for named in study.ends:
        units = study.units(named).filter(pl.col("change").is_not_null(), pl.col("labelled") > 0)
        units = units.with_columns(group=pl.col("change").replace_strict(groups, return_dtype=pl.String))
        for value in sorted(units["group"].unique()):
            cells = _shares(study, units.filter(pl.col("group") == value))
            rows.append({**identify(named), "step": named.setting.step, column.name: value, **cells})
    columns = (*IDENTITY, STEP_DETAIL, column, PROBLEMS, *_SHARES)
    return Table(name, "rq3", title, columns, tuple(rows), () if rows else (NO_LABELS,), brief=())


def _shares(study: Study, units: pl.DataFrame) -> dict[str, Cell]:
    """Return the cells of PROBLEMS and _SHARES."""
    units = units.filter(pl.col("labelled") > 0)
    labelled, passing = numbers(units, "labelled"), numbers(units, "passing")
    shares = {label: (numbers(units, label), labelled) for label in LABELS}
    known = numbers(units, "called")
    called = {name: (numbers(units, name), known) for name in CALLED}
    of_passing = {f"{label}_in_passing": (numbers(units, f"passed_{label}"), passing) for label in _OF_PASSING}
    return {
        "problems": units["task"].n_unique(),
        "labelled": int(labelled.sum()),
        "passing": int(passing.sum()),
        "called_known": int(known.sum()),
        **study.ratios(units, shares | of_passing | called),
    }


CALLED_RULE = (
    "Called right, ill-called, not called: of all programs, whether they pass or not. A program that calls the new API "
    "rightly and fails for another reason is a misuse by its label, and called right."
)
NO_LABELS = "No sample has a label: none ran with its problem's change active."


def _notes(study: Study, rows: Sequence[Row]) -> Iterator[str]:
    if any(row["labelled"] == 0 for row in rows):
        yield "A sample has a label where its problem's change was active; other rows are empty."
    if study.sequences:
        yield "Of each sequence of edits, the last sampled step is shown."
    yield "Intervals are over problems; where no sample passed, its shares are empty."
    labelled, known = (
        sum(int(study.units(named)[name].sum()) for named in study.ends) for name in ("labelled", "called")
    )
    if known:
        yield CALLED_RULE
    if known < labelled:
        yield (
            f"How the replacement was called is not known of {labelled - known} of {labelled} labelled samples: they "
            "were judged by an earlier version, or stopped before their calls were counted."
        )


def detail_table(study: Study) -> Table:
    """Return how often each finer reading of a label was given: the kinds of workaround among them."""
    rows = [row for named in study.ends for row in _detail_rows(study, named)]
    return Table(
        "rq3_details",
        "rq3",
        "Finer labels: in what way samples worked around, misused, or did not adopt",
        (*IDENTITY, STEP_DETAIL, *_DETAILS),
        tuple(rows),
        () if rows else (NO_LABELS,),
        brief=tuple(row for row in rows if row["label"] == "workaround"),
    )


_DETAILS = (
    Column("label", "label", "text", "The label."),
    Column("detail", "detail", "text", "Its finer reading; docs/formats.md has them all."),
    Column("samples", "samples", "count", "Samples with both."),
    Column("share_of_label", "of label", "percent", "Of the samples with that label."),
    Column("share_of_labelled", "of all", "percent", "Of all labelled samples."),
)


def _detail_rows(study: Study, named: Named) -> Iterator[Row]:
    labelled = study.rows(named).filter(pl.col("label").is_not_null())
    totals = dict(labelled.group_by("label").len().rows())
    counts = labelled.group_by("label", pl.col("detail").fill_null("none given")).len().rows()
    for label, detail, count in sorted(counts, key=lambda row: (LABELS.index(row[0]), -row[2], row[1])):
        yield {
            **identify(named),
            "step": named.setting.step,
            "label": label,
            "detail": detail,
            "samples": count,
            "share_of_label": count / totals[label],
            "share_of_labelled": count / len(labelled),
        }
