"""Small reports made by hand: the outputs are held against what goes in, not against what makes reports."""

from pathlib import Path

from edittool.reporting.charts.chart import Chart, Mark, Panel, Series
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_files import Source
from edittool.reporting.report import Report
from edittool.reporting.table.table import Cell, Column, Estimate, Table

# Text that breaks out of one output or another, where it is not escaped.
HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "two\nlines\r\nof it",
    "\ttab",
    "=HYPERLINK(1)",
    "@SUM(A1)",
    "-1+1",
    'a,b;\'c"d"',
    "| --- |",
    "`code` and ``more``",
    "<script>alert(1)</script>",
    "[link](javascript:alert(1)) ![image](x)",
    "https://example.org/x|y www.example.org me@example.org",
    "# head",
    "1. item",
    "\\input{x} \\\\ & % _ # ^ ~ $x^2$",
    "}{",
    "[4pt]",
    "*",
    "[bold]markup[/bold]",
    "--'',,?`!`",
    "\u4e2d\u6587 \U0001f600 \u202egnp.exe",
    "\ud800 lone",
    "long" * 100,
    "",
)

MODEL = Column("model", "model", "text", "Name of the model.")
METHOD = Column("method", "method", "text", "Editing method.")
STEP = Column("step", "edits", "count", "Edits in the model.")
HPARAMS = Column("hparams", "hparams", "text", "SHA-256 of the hyperparameters.", detail=True)
FULL = Column("full", "full@1", "percent", "Programs that pass all tests.", interval=True)
CHANGE = Column("change", "change", "points", "Change against the unedited model.", interval=True)
P = Column("p", "p", "p_value", "p of the test.")

ROWS: tuple[tuple[Cell, ...], ...] = (
    ("tiny", None, 0, "ab", Estimate(0.123, 0.101, 0.14), Estimate(None), None),
    ("tiny", "ft", 1, "ab", Estimate(1.0, 1.0, 1.0), Estimate(-4.51, -9.0, 0.04), 0.0004),
    ("tiny", "ft", 2, None, Estimate(None), Estimate(4.5), 0.0123),
)


def table(
    columns: tuple[Column, ...] = (MODEL, METHOD, STEP, HPARAMS, FULL, CHANGE, P),
    rows: tuple[tuple[Cell, ...], ...] = ROWS,
    *,
    name: str = "rates",
    title: str = "Pass rates",
    notes: tuple[str, ...] = ("A note.",),
) -> Table:
    """Return a table of `rows`, each with its cells in the order of `columns`."""
    names = [column.name for column in columns]
    return Table(name, "rq1", title, columns, tuple(dict(zip(names, row, strict=True)) for row in rows), notes)


def hostile_table() -> Table:
    """Return a table with each hostile text as a name, in a column that is kept and in one that is lifted out."""
    rows = tuple((HOSTILE[0], text, 1, None, Estimate(0.5, 0.4, 0.6), Estimate(1.0), 0.5) for text in HOSTILE)
    return table(rows=rows, name="hostile", title=HOSTILE[1], notes=HOSTILE)


def series(name: str = "ft", *, x: tuple[str | int, ...] = (1, 2, 4), **fields: object) -> Series:
    made = {"y": (90.0, None, 40.0), "low": (80.0, None, 30.0), "high": (95.0, None, 50.0), "role": name}
    return Series(name, x, **(made | fields))


def chart(mark: Mark = "lines", panels: tuple[Panel, ...] | None = None, **fields: object) -> Chart:
    x: tuple[str | int, ...] = (1, 2, 4) if mark == "lines" else ("ft", "rome", "memit")
    reference = series("unedited", x=x, y=(85.0, 85.0, 85.0), low=(), high=(), role="reference", reference=True)
    both = (series("ft", x=x), series("rome", x=x), reference)
    made = {
        "name": f"the_{mark}",
        "title": "Pass rates",
        "x_label": "edits",
        "y_label": "full@1, %",
        "alt": "They fall.",
    }
    made |= {"question": "rq1", "table": "rates", "panels": panels if panels is not None else (Panel("all", both),) * 2}
    return Chart(mark=mark, **(made | fields))


def hostile_chart(mark: Mark) -> Chart:
    panels = tuple(
        Panel(text, tuple(Series(name, ("a", text, "_b"), (1.0, 2.0, 3.0)) for name in (text, "_hidden")))
        for text in (HOSTILE[0], HOSTILE[9], HOSTILE[14], HOSTILE[-1])
    )
    return chart(mark, panels, title=HOSTILE[0], x_label=HOSTILE[14], y_label=HOSTILE[-2], alt=HOSTILE[9])


def report(
    tables: tuple[Table, ...] | None = None,
    charts: tuple[Chart, ...] | None = None,
    *,
    name: str = "small",
    notes: tuple[str, ...] = ("One note.",),
) -> Report:
    return Report(
        bench_name=name,
        bench_sha256="0" * 64,
        sources=(Source(Path("v.jsonl"), "1" * 64, 4),),
        verdicts=3,
        duplicates=1,
        other_bench=0,
        options=Options(),
        notes=notes,
        tables=(table(),) if tables is None else tables,
        charts=(chart("bars", (Panel("all", (series(x=("ft", "rome", "memit")),)),)),) if charts is None else charts,
    )
