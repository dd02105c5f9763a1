"""Text from files made safe to look at: what would be invisible, or reorder what stands around it, becomes a mark."""

import re

from ..printable import INVISIBLE

_PATTERN = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in INVISIBLE) + "]")


def shown(text: str, longest: int | None = None) -> str:
    """Return `text` with a mark such as [U+202E] for each invisible character; cut where it is over `longest`."""
    if longest is not None and len(text) > longest:
        text = text[: longest - 1] + "\u2026"
    return _PATTERN.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
