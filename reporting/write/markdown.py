"""The report as Markdown: notes, tables as pipe tables, figures as links."""

import re
from collections.abc import Iterator

from ..charts.chart import Chart
from ..printable import visible
from ..report import Report
from ..table.format import format_cell, header
from ..table.layout import MAX_TEXT, Compact, compact
from ..table.table import Cell, Column, Table

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&!$]|^[-+=]|^\d+(?=[.)](?: |$))")
# Renderers make links of these words even where their characters are escaped; code they leave alone.
_LINK = re.compile(r"[^ ]*(?:@[^ ]*\.|:/|www\.)[^ ]*", re.IGNORECASE)


def report_as_markdown(report: Report) -> str:
    """Return `report` in GitHub's Markdown; figures are linked as figures/NAME.svg, tables as tables/NAME.csv.

    Text from files is shown as it is: nothing in it is markup. Raises ValueError for NaN and infinity.
    """
    return "\n\n".join(_blocks(report)) + "\n"


def escape(text: str) -> str:
    """Return Markdown that shows `text`, on one line, as it is."""
    line = visible(text).strip()
    if not _LINK.search(line):
        return _escape_specials(line)
    return " ".join(_code(word) if _LINK.fullmatch(word) else _escape_specials(word) for word in line.split())


def _escape_specials(text: str) -> str:
    # A backslash before a digit is no escape: there it is the dot behind the number that makes a list.
    return _SPECIAL.sub(lambda match: f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}", text)


def _code(word: str) -> str:
    """Return `word` as code, its pipes outside of it: in code they are escaped in tables alone."""
    return "\\|".join(_code_span(part) for part in word.split("|"))


def _code_span(part: str) -> str:
    fence = "`" * (max(map(len, re.findall("`+", part)), default=0) + 1)
    pad = " " if part.startswith("`") or part.endswith("`") else ""
    return f"{fence}{pad}{part}{pad}{fence}" if part else ""


def _blocks(report: Report) -> Iterator[str]:
    yield f"# {escape(report.bench_name)}"
    if report.findings:
        yield "\n".join(f"- {escape(finding.text)}" for finding in report.findings)
        yield escape(report.reading)
    yield "\n".join(_facts(report))
    for section in report.sections():
        if section.tables or section.charts:
            yield f"## {section.title}"
        for table in section.tables:
            yield from _table_blocks(table)
        for chart in section.charts:
            yield _figure(chart)


def _facts(report: Report) -> Iterator[str]:
    yield f"- benchmark: {escape(report.bench_name)}, SHA-256 {report.bench_sha256}"
    for source in report.sources:
        yield f"- verdicts: {escape(str(source.path))}, {source.rows} rows, SHA-256 {source.sha256}"
    for source in report.journals:
        yield f"- edits: {escape(str(source.path))}, {source.rows} rows, SHA-256 {source.sha256}"
    for note in report.notes:
        yield f"- {escape(note)}"


def _table_blocks(table: Table) -> Iterator[str]:
    yield f"### {escape(table.title)}"
    if table.rows:
        short = compact(table)
        if short.caption:
            yield escape(short.caption)
        yield "\n".join(_pipe_table(short))
    for note in table.notes:
        yield escape(note)
    yield f"Every column, unrounded: [tables/{table.name}.csv](tables/{table.name}.csv)"


def _pipe_table(table: Compact) -> Iterator[str]:
    yield _row(escape(header(column)) for column in table.columns)
    yield _row("---" if column.kind == "text" else "---:" for column in table.columns)
    for row in table.rows:
        yield _row(_cell(row[column.name], column) for column in table.columns)


def _cell(cell: Cell, column: Column) -> str:
    shown = format_cell(cell, column)
    return escape(visible(shown, MAX_TEXT)) if isinstance(cell, str) else shown.replace("<", "&lt;")


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(chart: Chart) -> str:
    return f"![{escape(chart.alt)}](figures/{chart.name}.svg)\n\n*{escape(chart.title)}*"
