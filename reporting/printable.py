"""Text and numbers fit to be printed: text from files without hidden characters, numbers without NaN and infinity."""

import math

INVISIBLE: tuple[tuple[int, int], ...] = (
    (0x00, 0x08),  # tab and newline are what they look like
    (0x0B, 0x1F),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),  # surrogates without their other half
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0xE0000, 0xE0FFF),
)
"""First and last code points of what has no shape of its own, or reorders what stands around it.

Some of them, such as variation selectors and the fillers of Hangul, are printable all the same by `str.isprintable`.
"""


def visible(text: str, limit: int | None = None) -> str:
    r"""Return `text` on one line, with what cannot be printed made visible (`\n`, `\x1b`, `\u202e`), cut at `limit`."""
    shown = "".join(c if c.isprintable() else escaped(c) for c in (text if limit is None else text[: limit + 1]))
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def escaped(character: str) -> str:
    r"""Return `character` as Python writes it in a string: `\n`, `\x1b`, `\u4e2d`."""
    return character.encode("unicode_escape").decode("ascii")


def finite(value: float, where: str) -> float:
    """Return `value`. Raises ValueError, which names `where` it stands, for NaN and infinity."""
    if not math.isfinite(value):
        raise ValueError(f"{where}: {value} is no number that can be reported")
    return value
