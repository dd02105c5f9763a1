"""Styles of the series of a figure: a colour for each role, and dashes, markers and hatches for those who see none."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .chart import Chart, Series

OKABE_ITO: tuple[str, ...] = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
"""The palette of Okabe and Ito (2008): black, orange, sky blue, green, yellow, blue, vermilion, purple."""

_BLACK, _ORANGE, _SKY, _GREEN, _YELLOW, _BLUE, _VERMILION, _PURPLE = OKABE_ITO
_GREY = "#7F7F7F"
_FREE = (_ORANGE, _SKY, _GREEN, _BLUE, _VERMILION, _PURPLE)  # black and yellow are lost on a black or a white page

_ROLES = {
    "correct_adoption": _GREEN,
    "workaround": _SKY,
    "misuse": _ORANGE,
    "no_adoption": _VERMILION,
    "compile": _SKY,
    "partial": _ORANGE,
    "full": _GREEN,
    "reliability": _BLUE,
    "generalization": _ORANGE,
    "specificity": _PURPLE,
    "compilation_part": _SKY,
    "after_part": _VERMILION,
    "reference": _GREY,
    "share": _SKY,
    "share_of_edits": _BLUE,
    "share_of_successful": _ORANGE,
    # Kinds of failure are more than the palette has colours: the rare ones borrow from Paul Tol's muted scheme.
    "missing_api": _VERMILION,
    "ill_called_api": _ORANGE,
    "wrong_result": _SKY,
    "exception": _BLUE,
    "syntax": _PURPLE,
    "load": _GREEN,
    "timeout": _YELLOW,
    "missing_entry_point": "#882255",
    "out_of_memory": "#999933",
    "output_limit": "#DDCC77",
    "crashed": "#44AA99",
    "no_program": "#332288",
    "unknown": _GREY,
    "took_wholly": _GREEN,
    "took_in_part": _ORANGE,
    "took_not": _VERMILION,
    "nll_before": _GREY,
    "nll_after": _GREEN,
    "nll_now": _PURPLE,
    "right": _GREEN,
    "ill_called": _ORANGE,
    "not_called": _VERMILION,
    "unedited": _GREY,
    "documentation in the prompt": _PURPLE,
    "ft": _ORANGE,
    "grace": _SKY,
    "rome": _GREEN,
    "memit": _BLUE,
    "pmet": _VERMILION,
    "emmet": "#44AA99",
    "alphaedit": "#882255",
    "ultraedit": "#999933",
    "lora": "#332288",
    "adalora": "#AA4499",
}


def colour(role: str) -> str:
    """Return the colour of `role` as #RRGGBB: a role that has none of its own gets the same one in every run."""
    digest = zlib.crc32(role.encode("utf-8", "backslashreplace"))
    return _ROLES.get(role, _FREE[digest % len(_FREE)])


_MARKERS = "osD^vPX<>*hd"
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (8, 2)))
# Lines alone: a dot is a dozen curves in SVG.
_HATCHES = ("", "////", "\\\\\\\\", "xxx", "|||", "---", "+++", "//", "\\\\\\\\\\\\", "x", "|||||", "-----", "+")
_REFERENCE_DASHES: tuple[Any, ...] = ("--", (0, (2, 2)), (0, (6, 2, 2, 2)), (0, (1, 3)))

RC = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": False,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "errorbar.capsize": 1.5,
    "figure.dpi": 250,
    "figure.labelsize": 8,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "svg.fonttype": "path",  # the same letters where DejaVu is not installed
    "svg.hashsalt": "edittool",  # the same ids in every run
    "text.parse_math": False,  # a dollar in a name is a dollar
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}
"""Settings of matplotlib for every figure."""


@dataclass(frozen=True, slots=True)
class Style:
    """The look of one series in all panels of a figure."""

    colour: str
    dashes: Any
    marker: str
    hatch: str
    width: float


def styles(chart: Chart) -> dict[str, Style]:
    """Return a style for each name of a series of `chart`, in the order in which they come first."""
    found: dict[str, Series] = {}
    for panel in chart.panels:
        for series in panel.series:
            found.setdefault(series.name, series)
    own = _numbered(series for series in found.values() if not series.reference)
    references = _numbered(series for series in found.values() if series.reference)
    return {
        name: _reference_style(references[name]) if series.reference else _style(series, own[name])
        for name, series in found.items()
    }


def _numbered(several: Iterable[Series]) -> dict[str, int]:
    return {series.name: number for number, series in enumerate(several)}


def _style(series: Series, number: int) -> Style:
    return Style(
        colour(series.role or series.name),
        _DASHES[number % len(_DASHES)],
        _MARKERS[number % len(_MARKERS)],
        _HATCHES[number % len(_HATCHES)],
        1.3,
    )


def _reference_style(number: int) -> Style:
    return Style(colour("reference"), _REFERENCE_DASHES[number % len(_REFERENCE_DASHES)], "", "", 0.9)
