"""The report as JSON (report.schema.json), every number unrounded."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ..bounds import Outcome
from ..charts.chart import Chart, Panel, Series
from ..finding import Finding
from ..printable import finite
from ..read.verdict_files import Source
from ..report import Report
from ..table.table import Scalar, Table


def report_as_json(report: Report) -> dict[str, Any]:
    """Return the JSON object described in report.schema.json: all numbers unrounded, and what they were made of.

    Raises ValueError for NaN and infinity, which JSON lacks.
    """
    return {
        "schema_version": 4,
        "edittool": version("edittool"),
        "bench": {"name": report.bench_name, "sha256": report.bench_sha256},
        "verdicts": [_source(source) for source in report.sources],
        "journals": [_source(source) for source in report.journals],
        "counts": {
            "verdicts": report.verdicts,
            "duplicates": report.duplicates,
            "other_bench": report.other_bench,
        },
        "options": asdict(report.options) | {"references": list(report.options.references)},
        "findings": [_finding(finding) for finding in report.findings],
        "reading": report.reading,
        "bounds": [_outcome(outcome) for outcome in report.outcomes],
        "notes": list(report.notes),
        "tables": [_table(table) for table in report.tables],
        "charts": [_chart(chart) for chart in report.charts],
    }


def _source(source: Source) -> dict[str, Any]:
    return {"path": str(source.path), "sha256": source.sha256, "rows": source.rows}


def _finding(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if name != "edited"}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    about = {name: getattr(outcome, name) for name in ("model", "method", "regime", "world", "step")}
    found = {"value": _checked(outcome.value, str(outcome.bound)), "held": outcome.held, "reason": outcome.reason}
    return {**asdict(outcome.bound), **about, **found}


def _table(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "question": table.question,
        "title": table.title,
        "columns": [
            {"name": field.name, "header": field.header, "kind": field.kind, "description": field.description}
            for field in table.fields()
        ],
        "rows": [{name: _checked(value, name) for name, value in record.items()} for record in table.records()],
        "notes": list(table.notes),
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "question": chart.question,
        "title": chart.title,
        "mark": chart.mark,
        "x_label": chart.x_label,
        "y_label": chart.y_label,
        "log_x": chart.log_x,
        "table": chart.table,
        "alt": chart.alt,
        "panels": [_panel(panel) for panel in chart.panels],
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {"title": panel.title, "series": [_series(series) for series in panel.series]}


def _series(series: Series) -> dict[str, Any]:
    return {
        "name": series.name,
        "role": series.role,
        "reference": series.reference,
        "x": [_checked(value, series.name) for value in series.x],
        **{name: [_checked(value, series.name) for value in getattr(series, name)] for name in ("y", "low", "high")},
    }


def _checked(value: Scalar, where: str) -> Scalar:
    return value if value is None or isinstance(value, str) else finite(value, where)
