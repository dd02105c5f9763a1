"""Draws the panels of a chart on axes: lines over numbers, or bars and points beside their categories."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, ScalarFormatter

from .charts import Chart, Panel, Series
from .formatting import finite
from .styles import Style

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
