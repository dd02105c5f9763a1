"""The runs of one program: its first decides the tests; a program that passes in a world runs again to be looked at.

A watched run sees every call of what is removed. A program that does not pass in one, because it depends on its own
byte code, is watched once more with that as it is. In a counterfactual run the replacement does nothing, or returns a
wrong value (`untrusted/replacements/counterfactual.py`), while the program loads or in the tests.
"""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

FIRST: Final = "first"
WATCHED: Final = "watched"
WATCHED_AS_IT_IS: Final = "watched_as_it_is"
NOTHING: Final = "nothing"
WRONG_VALUE: Final = "wrong_value"
RUNS_AGAIN: Final = (WATCHED, WATCHED_AS_IT_IS, NOTHING, WRONG_VALUE)

ON_LOAD: Final = "load"
IN_TESTS: Final = "tests"

AGAIN: Final = 2 + 2 * 2  # runs of a program after its first, at most: watched, and both ways in both phases
