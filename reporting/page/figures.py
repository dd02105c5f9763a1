"""Charts as data for Plotly: traces with their colours. Axes, fonts and sizes are set by the page, for its theme."""

from collections.abc import Iterator
from typing import Any

from ..charts.chart import Chart, Panel, Series
from ..charts.style import colour
from .shown import shown

NAME_CHARACTERS = 48
BAND_OPACITY = 0.16

# What tells series of one colour apart.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
DASHES = ("solid", "dot", "longdash", "dashdot", "longdashdot")
HATCHES = ("", "/", "x", ".", "-", "+", "|")

Trace = dict[str, Any]


def figure_of(chart: Chart) -> dict[str, Any]:
    """Return what the page's script draws: the traces of each panel, and what stands beside the axes."""
    variants = _variants(chart)
    drawn: set[str] = set()
    panels = []
    for panel in chart.panels:
        traces = _traces(chart, panel, variants, drawn)
        panels.append({"title": label(panel.title), "names": _categories(chart, panel), "traces": traces})
    head = {"mark": chart.mark, "x": label(chart.x_label), "y": label(chart.y_label), "logX": chart.log_x}
    return head | {"panels": panels}


def _variants(chart: Chart) -> dict[str, int]:
    """Return for the name of each series how many other names before it have its colour."""
    names: dict[str, list[str]] = {}
    for panel in chart.panels:
        for series in panel.series:
            same = names.setdefault(_shade(series), [])
            same += [] if series.name in same else [series.name]
    return {name: place for same in names.values() for place, name in enumerate(same)}


def _shade(series: Series) -> str:
    return colour("reference" if series.reference else series.role or series.name)


def label(text: str) -> str:
    """Return `text` as Plotly shows it as it is: it would take tags and entities in it for markup."""
    safe = shown(text, NAME_CHARACTERS)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _categories(chart: Chart, panel: Panel) -> list[str] | None:
    """Return the names under the x axis in their order, or None where numbers stand there."""
    values = dict.fromkeys(x for series in panel.series for x in series.x)
    if chart.mark == "lines" and all(isinstance(x, int) for x in values):
        return None
    return [label(str(x)) for x in values]


def _traces(chart: Chart, panel: Panel, variants: dict[str, int], drawn: set[str]) -> list[Trace]:
    """Return the traces of `panel`; `drawn` are the names that the legend has by now, and gets those of the panel."""
    places = {str(x): place for place, x in enumerate(dict.fromkeys(x for s in panel.series for x in s.x))}
    named = _categories(chart, panel) is not None
    traces: list[Trace] = []
    for series in panel.series:
        common = {
            "name": label(series.name),
            "legendgroup": label(series.name),
            "showlegend": series.name not in drawn,
            "x": [places[str(x)] if named else int(x) for x in series.x],
            "y": list(series.y),
        }
        traces += _draw(chart, series, common, variants[series.name])
        drawn.add(series.name)
    return traces


def _draw(chart: Chart, series: Series, common: Trace, variant: int) -> Iterator[Trace]:
    shade = _shade(series)
    if chart.mark == "lines":
        yield from _bands(series, common["x"], shade)
        yield common | _line(series, shade, variant)
    elif chart.mark == "points":
        marker = {"color": shade, "size": 9, "symbol": SYMBOLS[variant % len(SYMBOLS)]}
        trace = {"type": "scatter", "mode": "markers", "marker": marker, "offsetgroup": common["name"]}
        yield common | trace | _whiskers(series, shade)
    else:
        hatch = "/" if series.reference else HATCHES[variant % len(HATCHES)]
        bar = common | {"type": "bar", "marker": {"color": shade, "pattern": {"shape": hatch, "size": 6}}}
        if chart.mark == "stacked":  # an interval of a share would seem to be one of the sum below it
            yield bar
        else:
            yield bar | {"offsetgroup": common["name"]} | _whiskers(series, None)


def _line(series: Series, shade: str, variant: int) -> Trace:
    dash = "dash" if series.reference else DASHES[variant % len(DASHES)]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "line": {"color": shade, "dash": dash, "width": 1.5 if series.reference else 2.25},
        "marker": {"color": shade, "size": 6, "symbol": SYMBOLS[variant % len(SYMBOLS)]},
    }


def _whiskers(series: Series, shade: str | None) -> Trace:
    """Return error bars, one-sided lengths in the units of y; in the colour of text where `shade` is None."""
    if not series.low or not series.high:
        return {}
    rows = list(zip(series.y, series.low, series.high, strict=True))
    up = [None if y is None or high is None else max(0.0, high - y) for y, _low, high in rows]
    down = [None if y is None or low is None else max(0.0, y - low) for y, low, _high in rows]
    bars: Trace = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 4}
    return {"error_y": bars | ({"color": shade} if shade else {})}


def _bands(series: Series, xs: list[int], shade: str) -> Iterator[Trace]:
    """Yield an area between the bounds for each stretch of neighbouring points that have them."""
    if not series.low or not series.high:
        return
    stretch: list[tuple[int, float, float]] = []
    for x, low, high in [*zip(xs, series.low, series.high, strict=True), (0, None, None)]:
        if low is not None and high is not None:
            stretch.append((x, low, high))
        elif stretch:
            yield _band(series, stretch, shade)
            stretch = []


def _band(series: Series, stretch: list[tuple[int, float, float]], shade: str) -> Trace:
    there, back = stretch, stretch[::-1]
    trace: Trace = {
        "x": [x for x, _low, _high in there + back],
        "y": [high for _x, _low, high in there] + [low for _x, low, _high in back],
        "legendgroup": label(series.name),
        "showlegend": False,
        "hoverinfo": "skip",
        "type": "scatter",
        "mode": "lines",
        "line": {"width": 0, "color": shade},
    }
    if len(stretch) == 1:  # an area without width cannot be seen
        return trace | {"line": {"width": 1.5, "color": shade}}
    return trace | {"fill": "toself", "fillcolor": _translucent(shade)}


def _translucent(shade: str) -> str:
    red, green, blue = (int(shade[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_OPACITY})"
