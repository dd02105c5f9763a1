"""Charts become traces: gaps stay, intervals are seen, and names are shown as they are."""

import pytest

from edittool.reporting.charts.chart import Chart, Panel, Series
from edittool.reporting.charts.style import colour
from edittool.reporting.page.figures import figure_of, label


def chart(mark, *panels):
    return Chart("c", "rq1", "title", mark, "x", "y", tuple(Panel("p", series) for series in panels), "t", "alt")


def test_markup_in_names_is_text():
    assert label("<a href='http://x'>a & b</a>\u202e") == "&lt;a href='http://x'&gt;a &amp; b&lt;/a&gt;[U+202E]"


def test_a_series_has_one_colour_and_one_name_in_the_legend_of_all_panels():
    series = Series("full@1", ("a", "b"), (1.0, 2.0), role="full")
    figure = figure_of(chart("bars", (series,), (series,)))
    traces = [trace for panel in figure["panels"] for trace in panel["traces"]]
    assert [trace["showlegend"] for trace in traces] == [True, False]
    assert {trace["marker"]["color"] for trace in traces} == {colour("full")}


def test_two_series_of_one_role_differ_in_their_marks():
    first, second = (Series(name, (1, 2), (1.0, 2.0), role="ft") for name in ("a: ft", "b: ft"))
    one, other = figure_of(chart("lines", (first, second)))["panels"][0]["traces"]
    assert one["line"]["color"] == other["line"]["color"]
    assert one["line"]["dash"] != other["line"]["dash"]
    assert one["marker"]["symbol"] != other["marker"]["symbol"]


def test_a_reference_is_dashed_and_thin():
    series = Series("unedited", (1, 2), (1.0, 2.0), role="reference", reference=True)
    other = Series("ft", (1, 2), (1.0, 2.0), role="ft")
    thin, thick = figure_of(chart("lines", (series, other)))["panels"][0]["traces"]
    assert (thin["line"]["dash"], thick["line"]["dash"]) == ("dash", "solid")
    assert thin["line"]["width"] < thick["line"]["width"]


def test_bands_end_where_a_bound_is_missing():
    low, high = (0.0, 1.0, None, 3.0), (2.0, 3.0, None, 5.0)
    series = Series("ft", (1, 2, 3, 5), (1.0, 2.0, None, 4.0), low, high, role="ft")
    *bands, line = figure_of(chart("lines", (series,)))["panels"][0]["traces"]
    assert [band["x"] for band in bands] == [[1, 2, 2, 1], [5, 5]]
    assert [band["y"] for band in bands] == [[2.0, 3.0, 1.0, 0.0], [5.0, 3.0]]
    assert line["y"] == [1.0, 2.0, None, 4.0]


@pytest.mark.parametrize("mark", ["bars", "points"])
def test_whiskers_reach_from_bound_to_bound(mark):
    series = Series("ft", ("a", "b"), (5.0, None), (4.0, None), (7.0, None), role="ft")
    (trace,) = figure_of(chart(mark, (series,)))["panels"][0]["traces"]
    assert (trace["error_y"]["array"], trace["error_y"]["arrayminus"]) == ([2.0, None], [1.0, None])


def test_stacked_bars_have_no_whiskers_and_one_place():
    series = Series("misuse", ("a",), (5.0,), (4.0,), (7.0,), role="misuse")
    (trace,) = figure_of(chart("stacked", (series,)))["panels"][0]["traces"]
    assert not {"error_y", "offsetgroup"} & trace.keys()


def test_categories_that_only_some_series_have_keep_their_place():
    first, second = Series("a", ("x", "y"), (1.0, 2.0)), Series("b", ("y", "z"), (3.0, 4.0))
    (panel,) = figure_of(chart("bars", (first, second)))["panels"]
    assert panel["names"] == ["x", "y", "z"]
    assert [trace["x"] for trace in panel["traces"]] == [[0, 1], [1, 2]]
