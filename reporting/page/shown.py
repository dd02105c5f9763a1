"""Text from files made safe to look at: what would be invisible, or reorder what stands around it, becomes a mark."""

import re

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
"""First and last code points of what is shown as a mark; the page's script is given the same ranges."""

_PATTERN = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in INVISIBLE) + "]")


def shown(text: str, longest: int | None = None) -> str:
    """Return `text` with a mark such as [U+202E] for each invisible character; cut where it is over `longest`."""
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "\u2026"
    return _PATTERN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
