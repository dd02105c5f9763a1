"""The report for a terminal: notes, then the tables of each question, at most 100 columns wide."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from ..finding import Finding
from ..printable import visible
from ..report import Report
from ..table.layout import Part, compact, split, without_intervals
from ..table.table import Column, Table

Show = Callable[[str], Text]
"""Makes text from a file harmless to show."""

MAX_WIDTH = 100
MAX_FINDINGS = 12
_GAP = 2
_RULE = box.Box("    \n    \n ── \n    \n    \n    \n    \n    \n")  # one rule, below the head


def render_report(report: Report, show: Show) -> Group:
    """Return `report` for rich; of long tables, the rows that `Table.brief` names.

    Every text that came from a file goes through `show`, and cannot start a line. Printing it raises ValueError for NaN
    and infinity.
    """
    return Group(*_render(report, _Harmless(show)))


def _render(report: Report, text: "_Harmless") -> Iterator[RenderableType]:
    yield _Paragraph(Text.assemble("benchmark ", text(report.bench_name, "bold"), f"  {report.bench_sha256[:12]}"))
    for finding in _shown_findings(report.findings):
        yield Text()
        yield _Paragraph(text(finding.text))
    if len(report.findings) > MAX_FINDINGS:
        rest = len(report.findings) - MAX_FINDINGS
        yield _Paragraph(Text(f"\nand {rest} more: --json and the files of -o have all.", style="dim"))
    if report.reading:
        yield Text()
        yield _Paragraph(text(report.reading, "dim"))
    for note in report.notes:
        yield _Paragraph(text(note, "yellow"))
    for section in report.sections():
        if section.tables:
            yield Text(f"\n{section.title}", style="bold")
        for table in section.tables:
            yield from _render_table(table, text)
        left_out = [
            f"{table.title.partition(':')[0]} ({len(table.rows)} rows)"
            for table in section.tables
            if table.brief == () and table.rows
        ]
        if left_out:
            yield _Paragraph(Text(f"\nOnly in the files and on the page of -o: {'; '.join(left_out)}.", style="dim"))


def _shown_findings(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return as many of `findings` as a terminal shows: those of edited models first, in the order of the report."""
    if len(findings) <= MAX_FINDINGS:
        return findings
    chosen = sorted(range(len(findings)), key=lambda place: not findings[place].edited)[:MAX_FINDINGS]
    return [findings[place] for place in sorted(chosen)]


def _render_table(table: Table, text: "_Harmless") -> Iterator[RenderableType]:
    whole = len(table.rows)
    if table.brief is not None:
        table = replace(table, rows=table.brief, brief=None)
        if whole and not table.rows:
            return
    yield Text()
    if not table.rows:
        yield _Paragraph(Text.assemble(text(table.title, "bold"), ": nothing to show"))
    else:
        caption = compact(table).caption
        yield _Paragraph(Text.assemble(text(table.title, "bold"), " · " if caption else "", text(caption)))
        yield _TableView(table, text)
    if len(table.rows) < whole:
        yield _Paragraph(
            Text(f"{len(table.rows)} of {whole} rows: the files and the page of -o have all.", style="dim")
        )
    for note in table.notes:
        yield _Paragraph(text(note, "dim"))


@dataclass(frozen=True, slots=True)
class _Harmless:
    """Shows text from a file on one line."""

    show: Show

    def __call__(self, text: str, style: str = "") -> Text:
        shown = self.show(visible(text))
        shown.stylize(style)
        return shown


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Text whose further lines are indented: they cannot be taken for lines of their own."""

    text: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        first, *rest = self.text.wrap(console, min(options.max_width, MAX_WIDTH) - _GAP)
        yield first
        yield from (Padding.indent(line, _GAP) for line in rest)


@dataclass(frozen=True, slots=True)
class _TableView:
    """A table that fits the console, and 100 columns at most: without the intervals of shares, if need be in parts."""

    table: Table
    text: _Harmless

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = min(options.max_width, MAX_WIDTH)
        short = compact(self.table)
        parts = split(short, width, _GAP, cell_len)
        plain = without_intervals(short, ("percent", "ratio"))
        if fitted := len(parts) > 1 and plain != short:
            parts = split(plain, width, _GAP, cell_len)
        for index, part in enumerate(parts):
            yield from [Text()] * bool(index)
            yield _grid(part, self.text)
        if fitted:
            yield Text("Intervals did not fit here: --json and the files of -o have them.", style="dim")


def _grid(part: Part, text: _Harmless) -> Grid:
    grid = Grid(box=_RULE, pad_edge=False, show_edge=False, padding=(0, 0, 0, _GAP - 1))
    for column, header in zip(part.columns, part.headers, strict=True):
        grid.add_column(_cell(header, text), justify=_justify(column), vertical="top", overflow="fold")
    for row in part.rows:
        grid.add_row(*(_cell(lines, text) for lines in row))
    return grid


def _cell(lines: list[str], text: _Harmless) -> Text:
    return Text("\n").join(text(line) for line in lines)


def _justify(column: Column) -> Literal["left", "right"]:
    return "left" if column.kind == "text" else "right"
