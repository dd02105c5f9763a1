"""Every cell of every table against figures that were worked out without the code under test.

`expected/` has them as whole numbers and fractions, with the samples that each is of beside it, to be checked on paper.
They were found in exact fractions by `slow_reference.py`, but for `reference_paper.txt`, which was written by hand.
"""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from edittool.reporting.build import build_report
from edittool.reporting.count.resampling import Resampler
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe
from edittool.reporting.report import Report
from edittool.reporting.table.table import Estimate, Scalar, Table
from edittool.schemas.verdicts import FAILURES

from .known_truth import write_truth
from .slow_reference import TABLES, Quotient

EXPECTED = Path(__file__).parent / "expected"
OPTIONS = Options(resamples=150, seed=3, references=("paper",))
CLOSE = 1e-12  # of a share; of points, 100 times as much

_UNEDITED = {"method": "unedited", "regime": "none", "subject": None, "target": None, "hparams_sha256": None}
_FT = {"method": "ft", "regime": "instant", "subject": None, "target": None, "hparams_sha256": "f" * 64}
_ROME = {"method": "rome", "subject": "call", "target": "call", "hparams_sha256": "e" * 64}
_SEQUENCE = {"model": "alpha", "world": "own", **_ROME, "regime": "sequential"}
_NOT_SAID: dict[str, Scalar] = {"requests": None, "style": None}
IDENTITIES: dict[str, dict[str, Scalar]] = {
    "alpha own": {"model": "alpha", "world": "own", **_UNEDITED},
    "alpha none": {"model": "alpha", "world": "none", **_UNEDITED},
    "alpha ft": {"model": "alpha", "world": "own", **_FT},
    "alpha rome 1": _SEQUENCE,
    "alpha rome 2": _SEQUENCE,
    "alpha rome 3": _SEQUENCE,
    "alpha batch": {"model": "alpha", "world": "own", **_ROME, "regime": "batch"},
    "beta own": {"model": "beta", "world": "own", **_UNEDITED},
    "beta ft": {"model": "beta", "world": "own", **_FT},
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    bench, paths = write_truth(tmp_path_factory.mktemp("truth"))
    reader = VerdictReader(bench, paths)
    return build_report(observe(bench, reader), reader, OPTIONS)


@pytest.fixture(scope="module")
def tables(report: Report) -> Mapping[str, Table]:
    return {table.name: table for table in report.tables}


def expected_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of `expected/NAME.txt`: fields between bars under a first line of names; # begins a remark."""
    lines = [line for line in (EXPECTED / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
    names, *rows = [[field.strip() for field in line.split("|")] for line in lines]
    for row in rows:
        yield dict(zip(names, row, strict=True))


def assert_is(cell: Scalar, written: str, where: object) -> None:
    if isinstance(cell, str):
        assert cell == written, where
    elif cell is None:
        assert written == "-", where
    elif isinstance(cell, int):
        assert str(cell) == written, where
    else:
        value = Fraction(written)
        assert cell == pytest.approx(float(value), rel=CLOSE, abs=100 * CLOSE), where


@pytest.mark.parametrize("name", [*TABLES, "reference_paper"])
def test_every_figure_is_the_one_written_down(tables: Mapping[str, Table], name: str) -> None:
    """No cell is left out: the identity of the setting, the fields of `expected/`, and the bounds of intervals."""
    records = list(tables[name].records())
    bounds = {f"{c.name}_{end}" for c in tables[name].columns if c.interval for end in ("low", "high")}
    for record, row in zip(records, expected_rows(name), strict=True):
        identity = IDENTITIES[row.pop("setting")] | _NOT_SAID if name != "reference_paper" else {}
        if name in ("edits", "edits_by_change"):  # an edit is the same in every world
            identity = {field: cell for field, cell in identity.items() if field != "world"}
        assert {field: record[field] for field in identity} == identity
        assert record.keys() == identity.keys() | row.keys() | bounds
        for field, written in row.items():
            assert_is(record[field], written, (name, row, field))


@pytest.mark.parametrize("name", TABLES)
def test_every_figure_is_that_of_slow_loops_over_fractions(name: str) -> None:
    """What is written in `expected/` and what `slow_reference` finds are held against each other, to the last digit."""
    for (key, cells), row in zip(TABLES[name](), expected_rows(name), strict=True):
        values = [cell.value if isinstance(cell, Quotient) else cell for cell in (*key, *cells.values())]
        assert ["-" if value is None else str(value) for value in values] == list(row.values())


@pytest.mark.parametrize("name", TABLES)
def test_every_interval_is_that_of_a_bootstrap_in_loops(tables: Mapping[str, Table], name: str) -> None:
    resampler = Resampler(OPTIONS.resamples, OPTIONS.seed)
    for row, (key, cells) in zip(tables[name].rows, TABLES[name](), strict=True):
        for field, cell in cells.items():
            if isinstance(cell, Quotient):
                found = row[field]
                assert isinstance(found, Estimate)
                bounds = cell.interval(resampler)
                wanted = (
                    (None, None) if bounds is None else pytest.approx(tuple(map(float, bounds)), rel=1e-9, abs=1e-9)
                )
                assert (found.low, found.high) == wanted, (name, key, field)


def test_every_figure_lies_within_its_interval(tables: Mapping[str, Table]) -> None:
    rows = [row for table in tables.values() for row in table.rows]
    cells = [cell for row in rows for cell in row.values() if isinstance(cell, Estimate)]
    known = [cell for cell in cells if cell.low is not None]
    assert len(known) > 100
    assert [cell for cell in known if not cell.low - 1e-12 <= cell.value <= cell.high + 1e-12] == []


def test_the_set_has_every_category_of_failure(tables: Mapping[str, Table]) -> None:
    assert {row["failure"] for row in tables["rq4_failures"].records()} == FAILURES.keys()


def test_the_parts_of_every_loss_sum_to_it(tables: Mapping[str, Table]) -> None:
    for row in tables["rq4_shapley"].records():
        parts, loss = (row["compilation_part"], row["after_part"]), row["loss"]
        assert math.fsum(map(float, parts)) / 100 == pytest.approx(float(loss) / 100, abs=1e-12)


def test_the_report_says_what_is_missing(report: Report, tables: Mapping[str, Table]) -> None:
    assert report.notes == ("3 samples could not be judged (sandbox_error): they are in no rate. Judge them again.",)
    assert (report.verdicts, report.duplicates, report.other_bench) == (133, 0, 0)
    change, loss = tables["rq1_change"].notes, tables["rq4_shapley"].notes
    assert change[0].startswith("2 edited problems have no baseline in the same world and are left out.")
    assert change[1].startswith("4 specificity problems are held against the unedited model with no change active")
    assert loss[1].startswith("Against same world: 3 edited problems have no baseline and are left out.")
    assert loss[2].startswith("Against no change: 2 edited problems have no baseline and are left out.")
