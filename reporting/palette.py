"""The colours of series: one for each role in every chart, told apart by colour-blind readers too."""

import zlib

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
    "unknown": _GREY,
    "ft": _ORANGE,
    "grace": _SKY,
    "rome": _GREEN,
    "memit": _BLUE,
    "pmet": _VERMILION,
}


def colour(role: str) -> str:
    """Return the colour of `role` as #RRGGBB: a role that has none of its own gets the same one in every run."""
    digest = zlib.crc32(role.encode("utf-8", "backslashreplace"))
    return _ROLES.get(role, _FREE[digest % len(_FREE)])
