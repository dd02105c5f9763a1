"""What is drawn are the figures of the tables."""

import pytest

from edittool.reporting.build import build_report
from edittool.reporting.charts.from_tables import _by_category
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe

from ..known_truth import write_truth


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    bench, paths = write_truth(tmp_path_factory.mktemp("truth"))
    reader = VerdictReader(bench, paths)
    return build_report(observe(bench, reader), reader, Options(100))


@pytest.fixture(scope="module")
def charts(report):
    return {chart.name: chart for chart in report.charts}


def panel(chart, title):
    (found,) = [panel for panel in chart.panels if panel.title == title]
    return {series.name: series for series in found.series}


def column(report, table, name, scale=100, **fields):
    """Return a column of those rows of a table that have `fields`, in percent or points."""
    (found,) = [one for one in report.tables if one.name == table]
    rows = [row for row in found.records() if all(row[field] == value for field, value in fields.items())]
    return tuple(None if row[name] is None else scale * row[name] for row in rows)


SETTINGS = (
    "alpha · unedited",
    "alpha · unedited (no change)",
    "alpha · ft",
    "alpha · rome (batch)",
    "beta · unedited",
    "beta · ft",
)


def test_every_chart_of_a_complete_set_is_there(charts):
    assert list(charts) == [
        "edits_took",
        "edits_nll",
        "edits_kept",
        "rq1_rates",
        "rq1_change",
        "rq2_full",
        "rq2_compile",
        "rq3_labels",
        "rq3_called",
        "rq3_passing",
        "rq3_by_kind",
        "rq3_by_usage",
        "rq4_failures",
        "rq4_shapley",
        "rq4_regressions",
    ]


def test_every_chart_names_a_table_that_is_there(report, charts):
    assert {chart.table for chart in charts.values()} <= {table.name for table in report.tables}


@pytest.mark.parametrize("subset", ["reliability", "generalization", "specificity"])
def test_rates_are_those_of_the_table_in_percent(report, charts, subset):
    series = panel(charts["rq1_rates"], subset)
    assert list(series) == ["compile@1", "partial@1", "full@1"]
    for name, drawn in series.items():
        field = name.replace("@", "_at_")
        assert drawn.x == SETTINGS
        for values, end in ((drawn.y, ""), (drawn.low, "_low"), (drawn.high, "_high")):
            assert values == column(report, "rq1_rates", field + end, subset=subset)


def test_changes_are_those_of_the_table_in_points(report, charts):
    drawn = panel(charts["rq1_change"], "specificity")["full"]
    assert drawn.x == ("alpha · ft", "alpha · rome (batch)", "beta · ft")
    assert drawn.y == column(report, "rq1_change", "full_change", 1, subset="specificity")


def test_curves_run_over_the_number_of_edits_beside_the_unedited_model(report, charts):
    drawn = panel(charts["rq2_full"], "reliability")
    assert list(drawn) == ["rome", "unedited"]
    assert (drawn["rome"].x, drawn["unedited"].x) == ((1, 2, 3), (1, 2, 3))
    assert drawn["rome"].y == (100.0, 75.0, 50.0)
    assert drawn["unedited"].y == pytest.approx((20.0, 100 * 4 / 15, 100 * 4 / 15))
    assert drawn["unedited"].reference


def test_labels_of_each_setting_fill_its_bar(charts):
    series = panel(charts["rq3_labels"], "all").values()
    assert [sum(values) for values in zip(*(drawn.y for drawn in series), strict=True)] == pytest.approx([100.0] * 6)


def test_kinds_are_in_words(charts):
    series = panel(charts["rq3_by_kind"], "instant")
    assert series["alpha · ft"].x == ("builtin function", "module function", "unknown")
    assert series["alpha · ft"].y == pytest.approx((100 * 4 / 7, 0.0, 50.0))


def test_failures_that_a_setting_does_not_have_are_nothing(charts):
    series = panel(charts["rq4_failures"], "reliability")
    settings = next(iter(series.values())).x
    drawn = dict(zip(settings, series["timeout"].y, strict=True))
    assert (drawn["alpha · ft"], drawn["alpha · rome (sequential)"]) == (10.0, 0.0)


def test_the_parts_of_a_loss_are_those_in_the_same_world(report, charts):
    series = panel(charts["rq4_shapley"], "specificity")
    fields = {"compilation": "compilation_part", "after compilation": "after_part"}
    for name, field in fields.items():
        assert series[name].y == column(report, "rq4_shapley", field, 1, subset="specificity", against="same world")


def test_regressions_are_of_single_edits(charts):
    series = panel(charts["rq4_regressions"], "")
    assert series["successful edits"].x == ("alpha · ft", "alpha · rome (batch)", "beta · ft")
    assert series["problems passed before"].y == (40.0, 0.0, 100.0)


def test_each_end_of_an_interval_is_its_own():
    records = [{"method": "ft", "full": 0.5, "full_low": 0.4, "full_high": 0.6}]
    series = _by_category(records, lambda record: str(record["method"]), "full", "full")
    assert (series.x, series.y, series.low, series.high) == (("ft",), (50.0,), (40.0,), (60.0,))


def test_a_column_without_an_interval_has_none():
    series = _by_category([{"method": "ft", "full": None}], lambda record: "ft", "full", "full")
    assert (series.y, series.low, series.high) == ((None,), (), ())
