"""The charts of the report, made from its tables: the columns that each is drawn from."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ...schemas.bench import SUBSETS
from ...schemas.verdicts import CALLED, FAILURES, LABELS
from ..count.comparison import ALL
from ..count.pass_at_k import CRITERIA
from ..table.table import Estimate, Scalar, Table
from .chart import Chart, Panel, Series

Record = Mapping[str, Scalar]

_WORLDS = {"own": "", "none": "no change", "all": "all changes", "edited": "edited changes", "other": "other changes"}


def make_charts(tables: Mapping[str, Table]) -> tuple[Chart, ...]:
    """Return every chart that the tables, by name, have numbers for."""
    makers = (_edits, _kept, _rates, _changes, _curves, _labels, _kinds, _failures, _losses, _regressions)
    charts = [chart for make in makers for chart in make(tables)]
    return tuple(chart for chart in charts if any(panel.series for panel in chart.panels))


def _records(table: Table) -> list[Record]:
    return list(table.records())


def _names(records: Sequence[Record]) -> Callable[[Record], str]:
    """Return what names a setting in a chart: its method, and model, regime and world where they differ.

    A regime that goes without saying is said where two settings would have one name.
    """
    several = {field for field in ("model", "regime") if len({record[field] for record in records}) > 1}

    def name(record: Record) -> str:
        model = [str(record["model"] or "?")] if "model" in several else []
        extra = (
            [str(record["regime"])] if "regime" in several and record["regime"] not in (None, "none", "instant") else []
        )
        world = _WORLDS[str(record["world"])]
        words = (
            f"{record['method']} ({', '.join([*extra, world] if world else extra)})"
            if extra or world
            else record["method"]
        )
        return " · ".join([*model, str(words)])

    regimes: dict[str, set[Scalar]] = {}
    for record in records:
        regimes.setdefault(name(record), set()).add(record["regime"])

    def unique_name(record: Record) -> str:
        known = name(record)
        return known if len(regimes[known]) == 1 else f"{known} [{record['regime'] or 'no regime'}]"

    return unique_name


def _by_category(
    records: Sequence[Record],
    name: Callable[[Record], str],
    column: str,
    role: str,
    title: str = "",
    scale: float = 100,
) -> Series:
    """Return a series over settings: `column` of each record, times `scale`."""
    ends = [f"{column}_low", f"{column}_high"]
    bounded = bool(records) and ends[0] in records[0]
    low, high = (tuple(_scaled(record, end, scale) for record in records) if bounded else () for end in ends)
    return Series(
        title or role.replace("_", " "),
        tuple(name(record) for record in records),
        tuple(_scaled(record, column, scale) for record in records),
        low,
        high,
        role,
    )


def _scaled(record: Record, column: str, scale: float) -> float | None:
    value = record[column]
    return scale * value if isinstance(value, int | float) else None


def _panels(
    records: Sequence[Record], subsets: Iterable[str], make: Callable[[list[Record]], list[Series]]
) -> tuple[Panel, ...]:
    parts = ((subset, [record for record in records if record["subset"] == subset]) for subset in subsets)
    return tuple(Panel(subset, tuple(make(part))) for subset, part in parts if part)


def _edits(tables: Mapping[str, Table]) -> Iterator[Chart]:
    rows = tables["edits"].brief or () if "edits" in tables else ()
    brief = [{**row, "world": "own"} for row in rows if row["edits"]]
    records: list[Record] = [
        {name: cell for name, cell in row.items() if not isinstance(cell, Estimate)} for row in brief
    ]
    name = _names(records)
    took = {"took_wholly": "wholly", "took_in_part": "in part", "took_not": "not"}
    series = tuple(_by_category(records, name, f"{column}_share", column, word) for column, word in took.items())
    yield Chart(
        "edits_took", "edits", "Did the edits take?", "stacked", "", "edits, %",
        (Panel("", series),) if records else (), "edits",
        "Stacked bars: for each edited model, the edits that took wholly, in part and not.",
    )  # fmt: skip
    times = [
        when for when in ("before", "after", "now") if any(record[f"nll_{when}"] is not None for record in records)
    ]
    series = tuple(_by_category(records, name, f"nll_{when}", f"nll_{when}", when, scale=1) for when in times)
    yield Chart(
        "edits_nll", "edits", "What the edits did to their targets", "points", "", "NLL per target token, nats",
        (Panel("", series),) if series else (), "edits",
        "Points: for each edited model, the targets' negative log-likelihood before the edit, after it, and now.",
    )  # fmt: skip


def _kept(tables: Mapping[str, Table]) -> Iterator[Chart]:
    known = _records(tables["edits"]) if "edits" in tables else []
    records: list[Record] = [{**record, "world": "own"} for record in known if record["kept_share"] is not None]
    name = _names(records)
    yield Chart(
        "edits_kept", "edits", "Targets still learned as edits pile up", "lines", "edits", "targets, %",
        (Panel("", tuple(_lines(records, name, "kept_share"))),) if records else (), "edits",
        "Lines: for each sequence of edits, the share of all targets until then that the model still writes.",
    )  # fmt: skip


def _rates(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = _records(tables["rq1_rates"])
    name = _names(records)
    panels = _panels(
        records, SUBSETS, lambda part: [_by_category(part, name, f"{c}_at_1", c, f"{c}@1") for c in CRITERIA]
    )
    yield Chart(
        "rq1_rates", "rq1", "Pass rates", "bars", "", "pass@1, %", panels, "rq1_rates",
        "Bars: for each setting and subset, the share of programs that compile, pass a test, pass all, with intervals.",
    )  # fmt: skip


def _changes(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = _records(tables["rq1_change"])
    name = _names(records)
    panels = _panels(
        records, SUBSETS, lambda part: [_by_category(part, name, f"{c}_change", c, scale=1) for c in CRITERIA]
    )
    yield Chart(
        "rq1_change", "rq1", "Change against the unedited model in the same world", "points",
        "", "change in pass@1, points", panels, "rq1_change",
        "Points with intervals: for each edited setting and subset, the change of each pass rate; 0 is no change.",
    )  # fmt: skip


def _curves(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = _records(tables["rq2_curve"])
    name = _names(records)
    for criterion in ("full", "compile"):

        def lines(part: list[Record], criterion: str = criterion) -> list[Series]:
            return [*_lines(part, name, f"{criterion}_at_1"), *_baselines(part, name, f"{criterion}_before")]

        panels = _panels(records, SUBSETS, lines)
        yield Chart(
            f"rq2_{criterion}", "rq2", f"{criterion}@1 as edits pile up", "lines", "edits", f"{criterion}@1, %",
            panels, "rq2_curve",
            f"Lines: {criterion}@1 over the number of edits for each method; dashed: the unedited model.",
        )  # fmt: skip


def _lines(records: Sequence[Record], name: Callable[[Record], str], column: str) -> list[Series]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(name(record), []).append(record)
    return [_line(part, title, str(part[0]["method"]), column) for title, part in groups.items()]


def _line(records: Sequence[Record], title: str, role: str, column: str) -> Series:
    steps = tuple(int(record["step"] or 0) for record in records)
    values = tuple(_scaled(record, column, 100) for record in records)
    if f"{column}_low" not in records[0]:
        return Series(title, steps, values, role=role)
    low, high = (tuple(_scaled(record, f"{column}_{end}", 100) for record in records) for end in ("low", "high"))
    return Series(title, steps, values, low, high, role)


def _baselines(records: Sequence[Record], name: Callable[[Record], str], column: str) -> list[Series]:
    """Return the baselines of the lines: one where all are the same."""
    found: dict[tuple[object, ...], tuple[str, Series]] = {}
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(name(record), []).append(record)
    for title, part in groups.items():
        steps = tuple(int(record["step"] or 0) for record in part)
        values = tuple(_scaled(record, column, 100) for record in part)
        series = Series(f"unedited ({title})", steps, values, role="reference", reference=True)
        if any(value is not None for value in values):
            found.setdefault((steps, values), (title, series))
    if len(found) == 1:
        ((_, only),) = found.values()
        return [Series("unedited", only.x, only.y, role="reference", reference=True)]
    return [series for _, series in found.values()]


def _labels(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = [r for r in _records(tables["rq3_labels"]) if r["labelled"]]
    name = _names(records)
    panels = _panels(records, (*SUBSETS[:2], ALL), lambda part: [_by_category(part, name, x, x) for x in LABELS])
    yield Chart(
        "rq3_labels", "rq3", "Is the new API adopted?", "stacked", "", "labelled samples, %", panels, "rq3_labels",
        "Stacked bars: for each setting the shares of correct adoption, misuse, workaround and no adoption.",
    )  # fmt: skip
    known = [r for r in records if r["called_known"]]
    panels = _panels(known, (*SUBSETS[:2], ALL), lambda part: [_by_category(part, name, x, x) for x in CALLED])
    yield Chart(
        "rq3_called", "rq3", "How is the new API called, whether programs pass or not?", "stacked", "",
        "labelled samples, %", panels, "rq3_labels",
        "Stacked bars: for each setting the shares of programs that called the new API rightly, ill, and not at all.",
    )  # fmt: skip
    passing = [r for r in records if r["passing"]]
    shares = ("correct_adoption", "workaround")
    panels = _panels(
        passing, (*SUBSETS[:2], ALL), lambda part: [_by_category(part, name, f"{x}_in_passing", x) for x in shares]
    )
    yield Chart(
        "rq3_passing", "rq3", "Programs that pass: adopted, or worked around?", "stacked", "", "passing samples, %",
        panels, "rq3_labels", "Stacked bars: of programs that pass, the shares that adopted and worked around.",
    )  # fmt: skip


def _kinds(tables: Mapping[str, Table]) -> Iterator[Chart]:
    for field, words in (("kind", "kind of API"), ("usage", "usage change")):
        records = [record for record in _records(tables[f"rq3_by_{field}"]) if record["world"] == "own"]
        records = [record for record in records if record["regime"] not in (None, "none")] or records
        regimes = {regime: [r for r in records if r["regime"] == regime] for regime in (r["regime"] for r in records)}
        panels = tuple(Panel(str(regime or ""), _by_group(part, field)) for regime, part in regimes.items())
        yield Chart(
            f"rq3_by_{field}", "rq3", f"Correct adoption by {words}", "bars", words, "labelled samples, %",
            panels, f"rq3_by_{field}", f"Bars: correct adoption by {words}, for each setting, a panel for each regime.",
        )  # fmt: skip


def _by_group(records: Sequence[Record], field: str) -> tuple[Series, ...]:
    name = _names(records)
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(name(record), []).append(record)
    return tuple(
        _by_category(part, _value(field), "correct_adoption", str(part[0]["method"]), title)
        for title, part in groups.items()
    )


def _value(field: str) -> Callable[[Record], str]:
    return lambda record: str(record[field]).replace("_", " ")


def _failures(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = _records(tables["rq4_failures"])
    name = _names(records)

    def stack(part: list[Record]) -> list[Series]:
        settings = list(dict.fromkeys(name(record) for record in part))
        shares = {(name(record), record["failure"]): _scaled(record, "share_of_judged", 100) for record in part}
        present = [failure for failure in FAILURES if any((setting, failure) in shares for setting in settings)]
        return [
            Series(f.replace("_", " "), tuple(settings), tuple(shares.get((s, f), 0.0) for s in settings), role=f)
            for f in present
        ]

    yield Chart(
        "rq4_failures", "rq4", "Why programs fail", "stacked", "", "judged samples, %",
        _panels(records, SUBSETS, stack), "rq4_failures",
        "Stacked bars: for each setting and subset, the shares of samples that failed for each reason.",
    )  # fmt: skip


def _losses(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = [record for record in _records(tables["rq4_shapley"]) if record["against"] == "same world"]
    name = _names(records)
    parts = ("compilation_part", "after_part")
    titles = {"compilation_part": "compilation", "after_part": "after compilation"}
    panels = _panels(records, SUBSETS, lambda part: [_by_category(part, name, p, p, titles[p], scale=1) for p in parts])
    yield Chart(
        "rq4_shapley", "rq4", "Where the loss in full pass lies", "stacked", "", "loss, points", panels,
        "rq4_shapley",
        "Stacked bars: the loss in full pass of each edited setting, split into compilation and what comes after.",
    )  # fmt: skip


def _regressions(tables: Mapping[str, Table]) -> Iterator[Chart]:
    records = [r for r in _records(tables["rq4_regressions"]) if r["regime"] != "sequential" and r["edits"]]
    name = _names(records)
    columns = {"share": "problems passed before", "share_of_edits": "edits", "share_of_successful": "successful edits"}
    series = tuple(_by_category(records, name, column, column, title) for column, title in columns.items())
    yield Chart(
        "rq4_regressions", "rq4", "Regressions on specificity", "bars", "", "with a regression, %",
        (Panel("", series),) if records else (), "rq4_regressions",
        "Bars: the shares of problems, of edits and of successful edits with a regression, for each setting.",
    )  # fmt: skip
