import json
import math

import pytest

from edittool.reporting.table.table import Estimate
from edittool.reporting.write.json_file import report_as_json
from edittool.schemas.validation import find_fault

from ..reports import FULL, HOSTILE, chart, hostile_chart, hostile_table, report, series, table


def whole_report():
    tables = (table(), table(rows=(), name="empty"), hostile_table())
    charts = (chart("lines"), chart("bars"), chart("stacked"), chart("points"), hostile_chart("bars"), chart(panels=()))
    return report(tables, charts, name=HOSTILE[0], notes=HOSTILE)


def test_is_what_its_schema_says_before_and_after_it_was_written():
    data = report_as_json(whole_report())
    assert find_fault(data, "report") is None
    again = json.loads(json.dumps(data, allow_nan=False))
    assert find_fault(again, "report") is None
    assert again == data


def test_every_row_has_exactly_the_columns_of_its_table():
    for made in report_as_json(whole_report())["tables"]:
        names = [column["name"] for column in made["columns"]]
        assert len(names) == len(set(names))
        assert all(list(row) == names for row in made["rows"])


def test_numbers_are_unrounded_and_intervals_are_three_columns():
    (made,) = report_as_json(report())["tables"]
    row = made["rows"][1]
    assert (row["full"], row["full_low"], row["full_high"]) == (1.0, 1.0, 1.0)
    assert (row["change"], row["change_high"], row["p"], row["hparams"]) == (-4.51, 0.04, 0.0004, "ab")
    assert made["rows"][0]["change_low"] is None


def test_says_what_it_was_made_of():
    data = report_as_json(report())
    assert data["bench"] == {"name": "small", "sha256": "0" * 64}
    assert data["verdicts"] == [{"path": "v.jsonl", "sha256": "1" * 64, "rows": 4}]
    assert data["counts"] == {"verdicts": 3, "duplicates": 1, "other_bench": 0}
    assert data["options"] == {
        "resamples": 2000,
        "seed": 0,
        "baseline": None,
        "references": [],
        "only_taken": False,
        "solved_by_baseline": False,
    }


def test_a_chart_keeps_its_gaps_and_its_intervals():
    (made,) = report_as_json(report(charts=(chart("lines"),)))["charts"]
    first = made["panels"][0]["series"][0]
    assert (first["x"], first["y"], first["low"]) == ([1, 2, 4], [90.0, None, 40.0], [80.0, None, 30.0])
    assert made["panels"][0]["series"][2]["reference"] is True


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(number):
    bad_table = table((FULL,), ((Estimate(0.5, 0.4, number),),))
    bad_series = series(y=(1.0, number, 2.0))
    bad_chart = chart(panels=(chart().panels[0].__class__("x", (bad_series,)),))
    for made in (report((bad_table,)), report(charts=(bad_chart,))):
        with pytest.raises(ValueError, match="is no number that can be reported"):
            report_as_json(made)
