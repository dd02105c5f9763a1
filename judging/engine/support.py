"""Until when the makers of an engine mend it: each release line and the end of its support, where that is known."""

from collections.abc import Mapping
from datetime import date
from typing import Final

KNOWN_ON: Final = date(2026, 9, 16)  # what is said of releases without an end was true on that day
# As endoflife.date had them then, for Docker after BRANCHES-AND-TAGS.md of the Moby project: it keeps a major release
# until some weeks after the next, and some branches for longer. Podman mends its newest release alone.
_ENDS: Final[Mapping[str, Mapping[str, date | None]]] = {
    "Docker": {
        "17": date(2018, 2, 10),
        "18": date(2019, 8, 22),
        "19": date(2021, 1, 8),
        "20.10": date(2023, 12, 10),
        "23.0": date(2025, 5, 19),
        "24.0": date(2024, 6, 8),
        "25.0": None,
        "26.0": date(2024, 6, 8),
        "26.1": date(2025, 2, 17),
        "27": date(2025, 5, 3),
        "28": None,
        "29": None,
    },
    "Podman": {"3": date(2022, 5, 16), "4": date(2024, 5, 30), "5": date(2026, 9, 26), "6": None},
}


def end_of_support(engine: str, version: str) -> tuple[str, date | None] | None:
    """Return the release line that `version` of `engine` belongs to, and when its makers' support ends or ended.

    The date is None where no end was announced by KNOWN_ON; all is None where the release is not known at all.
    """
    ends = _ENDS.get(engine, {})
    parts = version.split(".")
    for line in (".".join(parts[:2]), parts[0]):
        if line in ends:
            return line, ends[line]
    return None
