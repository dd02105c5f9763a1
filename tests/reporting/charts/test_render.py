import io
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edittool.reporting.charts.chart import Panel, Series
from edittool.reporting.charts.render import MAX_LABEL, categories_of, label, render_chart
from edittool.reporting.charts.style import colour, styles

from ..reports import HOSTILE, chart, hostile_chart, series

MARKS = ("lines", "bars", "stacked", "points")
SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ElementTree.fromstring(svg)


def check_svg(svg):
    """Fail where a picture has more than shapes, or refers to anything but its own parts."""
    root = parsed(svg)
    shapes = "svg title desc defs style g path use clipPath rect pattern text tspan".split()
    assert {element.tag for element in root.iter()} <= {SVG + name for name in shapes}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert not name.endswith("href") or value.startswith("#"), value
            assert all(place.startswith("#") for place in re.findall(r"url\((.*?)\)", value)), value
    assert b"<!DOCTYPE" not in svg
    assert b"metadata" not in svg
    assert set(re.findall(rb"https?://[^\"'<> ]*", svg)) <= {
        b"http://www.w3.org/2000/svg", b"http://www.w3.org/1999/xlink",
    }  # fmt: skip
    return root


@pytest.mark.parametrize("mark", MARKS)
class TestEveryMark:
    def test_is_drawn_as_svg_that_says_what_it_shows_and_as_png(self, mark):
        made = render_chart(chart(mark))
        root = check_svg(made.svg)
        assert [root.find(f"{SVG}{name}").text for name in ("title", "desc")] == ["Pass rates", "They fall."]
        image = Image.open(io.BytesIO(made.png))
        assert image.format == "PNG"
        assert len(image.convert("L").getcolors()) > 20
        assert not image.info.keys() - {"dpi"}

    def test_equal_charts_give_equal_bytes(self, mark):
        assert render_chart(chart(mark)) == render_chart(chart(mark))

    def test_hostile_names_are_text(self, mark):
        if mark != "lines":  # over numbers
            check_svg(render_chart(hostile_chart(mark)).svg)

    def test_a_chart_without_numbers_is_drawn_all_the_same(self, mark):
        for panels in ((), (Panel("x", ()),), (Panel("x", (Series("a", (1, 2), (None, None)),)),)):
            check_svg(render_chart(chart(mark, panels)).svg)

    def test_what_is_no_number_is_refused(self, mark):
        for bad in (math.nan, math.inf):
            panels = (Panel("x", (series(x=(1, 2, 4), y=(1.0, bad, 2.0)),)),)
            with pytest.raises(ValueError, match="is no number that can be reported"):
                render_chart(chart(mark, panels))

    def test_many_panels_and_series_are_drawn(self, mark):
        x = (0, 1, 2) if mark == "lines" else ("a", "b", "c")
        many = tuple(series(f"series {i}", x=x, y=(-float(i), None, 5.0), low=(), high=()) for i in range(14))
        check_svg(render_chart(chart(mark, (Panel("p", many),) * 6, log_x=mark == "lines")).svg)


def test_settings_of_matplotlib_change_nothing_and_are_kept():
    before = render_chart(chart("bars"))
    with mpl.rc_context({"font.size": 30, "text.usetex": True, "axes.facecolor": "red", "svg.fonttype": "none"}):
        assert render_chart(chart("bars")) == before
        assert mpl.rcParams["font.size"] == 30


def test_bytes_are_those_of_another_process_that_has_no_display_and_no_pyplot():
    code = (
        "import sys, hashlib\n"
        "from edittool.reporting.charts.chart import Chart, Panel, Series\n"
        "from edittool.reporting.charts.render import render_chart\n"
        "panel = Panel('p', (Series('a', ('b',), (1.0,)),))\n"
        "made = render_chart(Chart('c', 'rq1', 'T', 'bars', 'x', 'y', (panel,), 't', 'w'))\n"
        "print(hashlib.sha256(made.svg + made.png).hexdigest(), 'matplotlib.pyplot' in sys.modules)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(runs) == 1
    assert runs.pop().endswith(" False\n")


class TestStyles:
    def test_series_are_told_apart_without_their_colour(self):
        looks = list(styles(chart("bars", (Panel("p", tuple(series(f"s{i}") for i in range(12))),))).values())
        assert len({look.marker for look in looks}) == 12
        assert len({look.hatch for look in looks}) == 12
        assert len({str(look.dashes) for look in looks[:6]}) == 6

    def test_a_role_has_its_colour_in_every_chart(self):
        looks = styles(chart("bars", (Panel("p", (series("x", role="misuse"), series("y", role="ft"))),)))
        assert [look.colour for look in looks.values()] == [colour("misuse"), colour("ft")]

    def test_a_reference_is_grey_dashed_thin_and_without_marks(self):
        look = styles(chart("lines"))["unedited"]
        assert (look.colour, look.dashes, look.marker) == (colour("reference"), "--", "")
        assert look.width < styles(chart("lines"))["ft"].width


def test_categories_of_several_panels_stand_in_one_order():
    panels = tuple(
        Panel("", (Series("s", x, (1.0,) * len(x)),)) for x in (("a", "c"), ("a", "b", "c"), ("0", "a", "d"))
    )
    assert categories_of(chart("bars", panels)) == ["0", "a", "d", "b", "c"]


class TestLabel:
    def test_writes_out_what_the_font_lacks(self):
        assert label("a\n\u4e2d\U0001fae0é") == "a\\n\\u4e2d\\U0001fae0é"

    @given(st.text(st.characters()))
    def test_is_short_and_on_one_line(self, text):
        assert len(label(text)) <= MAX_LABEL
        assert label(text).isprintable()

    def test_hostile_text_can_be_drawn(self):
        panel = Panel("all", (Series("s", HOSTILE, tuple(range(len(HOSTILE)))),))
        check_svg(render_chart(chart("bars", (panel,))).svg)
