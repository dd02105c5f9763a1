"""The charts as SVG and PNG for a paper: equal charts, equal bytes, whatever settings matplotlib has been given."""

import io
import re
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape as escape_xml

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from .charts import Chart, Panel
from .drawing import Styles, categories_of, draw_categories, draw_lines, has_numbers
from .formatting import escaped, visible
from .styles import RC, Style, styles

PAGE = 6.9  # inches across the text of a page
HALF = 3.4  # inches across a column of a page that has two
MAX_PANELS = 4  # side by side
MAX_BESIDE = 6  # series in a figure of half the width
MAX_LABEL = 36  # characters
MAX_TITLE = 24
_PER_INCH = 14
MAX_HEIGHT = 9.0

_COMMENT = re.compile(r" *<!--.*?-->\n", re.DOTALL)
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A figure in both formats."""

    svg: bytes
    png: bytes


def render_chart(chart: Chart) -> Rendered:
    """Return `chart` as SVG and PNG; the SVG says what it shows in words, has no scripts and refers to nothing else.

    Raises ValueError for NaN and infinity.
    """
    svg, png = io.StringIO(), io.BytesIO()
    with matplotlib.style.context(["default", RC]):
        figure = _figure(chart)
        figure.savefig(png, format="png", metadata={"Software": None})
        figure.set_layout_engine("none")  # what was laid out for the one is right for the other, and takes as long
        figure.savefig(svg, format="svg", metadata=_NO_METADATA)
    return Rendered(_describe(svg.getvalue(), chart).encode("utf-8"), png.getvalue())


def _describe(svg: str, chart: Chart) -> str:
    """Return `svg` with its texts for those who do not see it, without comments and the address of a DTD."""
    words = f"<title>{escape_xml(visible(chart.title))}</title>\n<desc>{escape_xml(visible(chart.alt))}</desc>\n"
    svg = _COMMENT.sub("", svg)
    start = svg.index("<svg")
    end = svg.index(">", start)
    declaration = '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
    return f'{declaration}{svg[start:end]} role="img">\n{words}{svg[end + 1 :].lstrip()}'


def _figure(chart: Chart) -> Figure:
    looks, panels = styles(chart), chart.panels or (Panel("", ()),)
    rows = -(-len(panels) // MAX_PANELS)
    columns = -(-len(panels) // rows)
    figure = Figure(
        figsize=(_width(chart), _height(chart, rows, len(looks))), layout=ConstrainedLayoutEngine(wspace=0.05)
    )
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place < len(panels):
            _draw_panel(axes, panels[place], chart, looks)
            axes.tick_params(labelleft=place % columns == 0, labelbottom=place + columns >= len(panels))
        else:
            axes.set_axis_off()
    _name_axes(figure, chart)
    _limit(grid[0, 0], chart)
    _add_legend(figure, chart, looks)
    return figure


def _draw_panel(axes: Axes, panel: Panel, chart: Chart, looks: Styles) -> None:
    axes.set_title(label(panel.title, MAX_TITLE))
    if not has_numbers(panel):
        axes.text(0.5, 0.5, "no data", ha="center", va="center", color="#666666", transform=axes.transAxes)
    if chart.mark == "lines":
        draw_lines(axes, panel, chart, looks)
    else:
        draw_categories(axes, panel, chart, looks, label)


def _width(chart: Chart) -> float:
    crowded = any(len(panel.series) > MAX_BESIDE for panel in chart.panels)
    return PAGE if crowded or len(chart.panels) > 1 else HALF


def _height(chart: Chart, rows: int, styles_used: int) -> float:
    """Return the height of the figure in inches: a category has room for its bars, and the legend for its lines."""
    legend = 0.35 + 0.17 * (styles_used // 4)
    if chart.mark == "lines":
        return min(MAX_HEIGHT, 2.0 * rows + legend)
    beside = 1 if chart.mark == "stacked" else max((len(panel.series) for panel in chart.panels), default=1)
    return min(MAX_HEIGHT, rows * (0.55 + len(categories_of(chart)) * max(0.18, 0.1 * beside)) + legend)


def _name_axes(figure: Figure, chart: Chart) -> None:
    """Label the axes once for all panels; categories stand on the vertical one."""
    across, up = (chart.x_label, chart.y_label) if chart.mark == "lines" else (chart.y_label, chart.x_label)
    figure.supxlabel(label(across))
    figure.supylabel(label(up, int(figure.get_figheight() * _PER_INCH)))


def _limit(axes: Axes, chart: Chart) -> None:
    """Begin at zero where there is nothing below it, and end at 100 % where there is nothing above that."""
    get, set_ = (axes.get_ylim, axes.set_ylim) if chart.mark == "lines" else (axes.get_xlim, axes.set_xlim)
    values = [value for panel in chart.panels for each in panel.series for value in (*each.y, *each.low, *each.high)]
    known = [value for value in values if value is not None]
    if not known or chart.mark == "points":
        return
    low, high = get()
    share = "%" in chart.y_label and max(known) <= 100
    margin = 2 if chart.mark == "lines" else 0  # for markers
    set_(low if min(known) < 0 else -margin if share else 0, min(high, 100 + margin) if share else high)


def _add_legend(figure: Figure, chart: Chart, looks: Styles) -> None:
    """Add one legend for all panels; a single series needs none."""
    if len(looks) < 2:
        return
    handles = [_handle(chart, look) for look in looks.values()]
    names = [label(name) for name in looks]
    columns = max(1, min(len(names), int(_width(chart) / (0.5 + 0.06 * max(map(len, names))))))
    # A name that begins with an underscore would be left out: names are set afterwards.
    legend = figure.legend(handles, map(str, range(len(names))), loc="outside upper center", ncols=columns)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def _handle(chart: Chart, look: Style) -> Line2D | Patch:
    if chart.mark == "lines":
        return Line2D([], [], color=look.colour, linestyle=look.dashes, marker=look.marker, linewidth=look.width)
    if chart.mark == "points":
        return Line2D([], [], color=look.colour, linestyle="none", marker=look.marker or "|")
    return Patch(facecolor=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0.4)


def label(text: str, limit: int = MAX_LABEL) -> str:
    """Return `text` for a label: on one line, cut, and with the characters that the font lacks written out."""
    shown = "".join(c if ord(c) in _characters() else escaped(c) for c in visible(text))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


@cache
def _characters() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
