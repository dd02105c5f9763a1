"""The key in what a server sends: some repeat it, and some repeat what another server said, escaped once or twice."""

import re
from collections.abc import Callable

MIN_SECRET = 8  # characters: a shorter key (EMPTY, none) is none, and its letters may stand in any program
SHOWN = "[OPENAI_API_KEY]"


def key_hider(key: str | None) -> Callable[[str], str]:
    r"""Return a function that hides `key` in a text, also where JSON wrote it there with escapes (`\/`, `\u0073`)."""
    if key is None or len(key) < MIN_SECRET:
        return lambda text: text
    pattern = re.compile("".join(map(_any_writing, key)))
    return lambda text: pattern.sub(SHOWN, text)


def _any_writing(letter: str) -> str:
    # A bound on the backslashes: without one, a long run of them would be gone through from each of its places.
    return rf"(?:\\{{1,8}}u00(?i:{ord(letter):02x})|\\{{0,8}}{re.escape(letter)})"
