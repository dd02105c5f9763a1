"""The charts as SVG and PNG for a paper: equal charts, equal bytes, whatever settings matplotlib has been given."""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, ScalarFormatter

from ..printable import escaped, finite, visible
from .chart import Chart, Panel, Series
from .style import RC, Style, styles

Styles = Mapping[str, Style]
Label = Callable[[str], str]

MAX_TICKS = 8
_NAN = float("nan")  # what matplotlib takes for a gap
_APART = 0.008  # of the axis
_BAND = 0.8  # of the room of a category, for its bars


def categories_of(chart: Chart) -> list[str]:
    """Return the categories of all panels; one that the first panels lack stands behind what it follows elsewhere."""
    names: list[str] = []
    for series in (series for panel in chart.panels for series in panel.series):
        place = 0
        for name in map(str, series.x):
            if name not in names:
                names.insert(place, name)
            place = names.index(name) + 1
    return names


def has_numbers(panel: Panel) -> bool:
    """Tell whether there is anything to draw."""
    return any(value is not None for series in panel.series for value in series.y)


def draw_lines(axes: Axes, panel: Panel, chart: Chart, styles: Styles) -> None:
    """Draw `panel` as lines with their intervals; None is a gap. Raises ValueError for NaN and infinity.

    Lines stand a little apart sideways: those of equal height, and their intervals, would hide one another.
    """
    own = [series.name for series in panel.series if not series.reference]
    for series in panel.series:
        apart = 0.0 if series.reference else own.index(series.name) - (len(own) - 1) / 2
        style, x = styles[series.name], [_aside(float(value), apart, chart) for value in series.x]
        axes.plot(
            x, _gaps(series.y), color=style.colour, linestyle=style.dashes, marker=style.marker, linewidth=style.width,
            zorder=1.9 if series.reference else 2,
        )  # fmt: skip
        at, middles, ends = _known_intervals(x, series)
        axes.errorbar(at, middles, yerr=ends, fmt="none", ecolor=style.colour, elinewidth=0.7, alpha=0.7, zorder=1.8)
    axes.grid(axis="y")
    _scale_numbers(axes, chart)


def _aside(x: float, apart: float, chart: Chart) -> float:
    if chart.log_x:
        return x * (1 + 0.03 * apart)
    return x + apart * _APART * max(float(x) for panel in chart.panels for each in panel.series for x in each.x)


def _scale_numbers(axes: Axes, chart: Chart) -> None:
    numbers = sorted({float(x) for panel in chart.panels for series in panel.series for x in series.x})
    if chart.log_x:
        axes.set_xscale("log" if numbers[0] > 0 else "symlog")
    few = len(numbers) <= MAX_TICKS
    axes.xaxis.set_major_locator(FixedLocator(numbers) if few else MaxNLocator(MAX_TICKS, integer=True))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())


def draw_categories(axes: Axes, panel: Panel, chart: Chart, styles: Styles, label: Label) -> None:
    """Draw `panel` with its categories below one another. Raises ValueError for NaN and infinity."""
    names = categories_of(chart)
    rows = {name: row for row, name in enumerate(names)}
    draw = {"bars": _draw_bars, "stacked": _draw_stacked, "points": _draw_points}[chart.mark]
    draw(axes, panel, rows, styles)
    for row in range(1, len(names), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#f4f4f4", zorder=0, linewidth=0)
    if chart.mark == "points" or any((y or 0) < 0 for panel in chart.panels for each in panel.series for y in each.y):
        axes.axvline(0, color="#444444", linewidth=0.6, zorder=1)
    axes.grid(axis="x")
    axes.set_yticks(range(len(names)), [label(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)  # the first on top


def _draw_bars(axes: Axes, panel: Panel, rows: Mapping[str, int], styles: Styles) -> None:
    for series, shift, height in _side_by_side(panel.series):
        at = [rows[str(x)] + shift for x in series.x]
        _bars(axes, at, _gaps(series.y), height, styles[series.name])
        _intervals(axes, at, series, "#222222")


def _draw_points(axes: Axes, panel: Panel, rows: Mapping[str, int], styles: Styles) -> None:
    for series, shift, _ in _side_by_side(panel.series):
        at, style = [rows[str(x)] + shift for x in series.x], styles[series.name]
        _intervals(axes, at, series, style.colour)
        axes.plot(_gaps(series.y), at, color=style.colour, marker=style.marker or "|", linestyle="none")


def _draw_stacked(axes: Axes, panel: Panel, rows: Mapping[str, int], styles: Styles) -> None:
    """Stack what is above zero to the right of it, what is below to the left."""
    ends = {sign: dict.fromkeys(rows, 0.0) for sign in (True, False)}
    for series in panel.series:
        known = [(str(x), y) for x, y in zip(series.x, _finite(series.y), strict=True) if y is not None]
        starts = [ends[y >= 0][x] for x, y in known]
        _bars(axes, [rows[x] for x, _ in known], [y for _, y in known], 0.72, styles[series.name], starts)
        for x, y in known:
            ends[y >= 0][x] += y


def _bars(
    axes: Axes,
    at: Sequence[float],
    lengths: Sequence[float],
    height: float,
    style: Style,
    starts: Sequence[float] | float = 0.0,
) -> None:
    axes.barh(
        at, lengths, height, starts, color=style.colour, hatch=style.hatch, edgecolor="white", linewidth=0.4, zorder=2
    )


def _intervals(axes: Axes, at: Sequence[float], series: Series, colour: str) -> None:
    rows, middles, ends = _known_intervals(at, series)
    axes.errorbar(middles, rows, xerr=ends, fmt="none", ecolor=colour, elinewidth=0.8, zorder=3)


def _known_intervals(at: Sequence[float], series: Series) -> tuple[list[float], list[float], list[float]]:
    """Return where `series` has intervals, their middles, and how far they reach from there."""
    ends = zip(at, _finite(series.low), _finite(series.high), strict=False)
    known = [(place, low, high) for place, low, high in ends if low is not None and high is not None]
    return (
        [place for place, _, _ in known],
        [(low + high) / 2 for _, low, high in known],
        [(high - low) / 2 for _, low, high in known],
    )


def _side_by_side(several: Sequence[Series]) -> Iterator[tuple[Series, float, float]]:
    """Yield each series with its shift from the middle of a category, and the room that it has there."""
    room = _BAND / max(1, len(several))
    for number, series in enumerate(several):
        yield series, (number - (len(several) - 1) / 2) * room, room


def _gaps(values: Sequence[float | None]) -> list[float]:
    return [_NAN if value is None else value for value in _finite(values)]


def _finite(values: Sequence[float | None]) -> list[float | None]:
    return [value if value is None else finite(value, "a chart") for value in values]


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
