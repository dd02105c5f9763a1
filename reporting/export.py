"""The report as JSON."""

from importlib.metadata import version
from typing import Any

from .reading import VerdictReader
from .tables import Report


def report_as_json(report: Report, reader: VerdictReader) -> dict[str, Any]:
    """Return the JSON object described in report.schema.json: all numbers unrounded, and what they were made of."""
    return {
        "schema_version": 1,
        "edittool": version("edittool"),
        "bench": {"name": report.bench_name, "sha256": report.bench_sha256},
        "verdicts": [
            {"path": str(source.path), "sha256": source.sha256, "rows": source.rows} for source in reader.sources
        ],
        "duplicates": reader.duplicates.count,
        "other_bench": reader.other_bench.count,
        "rows": report.rows(),
    }
