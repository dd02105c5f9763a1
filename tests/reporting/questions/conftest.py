from collections.abc import Callable
from pathlib import Path

import pytest

from edittool.reporting.bounds import Bound
from edittool.reporting.build import build_report
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe
from edittool.reporting.report import Report
from edittool.schemas.bench import Bench
from edittool.schemas.jsonl import write_rows


@pytest.fixture
def report(bench: Bench, tmp_path: Path) -> Callable[..., Report]:
    """Make the report of verdicts, as the command does."""

    def make(verdicts: list[dict], bench: Bench = bench, bounds: tuple[Bound, ...] = (), **options: object) -> Report:
        path = tmp_path / "verdicts.jsonl"
        write_rows(path, verdicts)
        if not verdicts:  # a file without any row is refused; one whose only row was cut short is not
            path.write_text('{"sample_id":')
        reader = VerdictReader(bench, [path])
        return build_report(observe(bench, reader), reader, Options(100, **options), bounds)

    return make
