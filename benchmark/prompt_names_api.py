"""Prompts that give the API away: a prompt that names the API helps a model to find it without an edit."""

import re

from ..schemas.changes import Change
from ..schemas.problems import Problem

NAMES_API = "names_api"  # report with and without

# What people call these APIs when they do not write their names.
_SPOKEN = {
    "heapq": ("heap queue", "heap"),
    "re": ("regex", "regular expression"),
    "collections.Counter": ("counter",),
    "itertools": ("itertools",),
    "bisect": ("bisect", "bisection"),
}


def names_api(problem: Problem, change: Change) -> bool:
    """Say whether the prompt's words name the changed API: its own name, its module's, or a spoken name of either."""
    return any(_has_word(problem.prompt, word) for word in _words(change.deprecated))


def _words(api: str) -> set[str]:
    owner, _, name = api.rpartition(".")
    modules = {owner.partition(".")[0]} & _SPOKEN.keys()
    return {name, *modules, *(word for known in {owner, api, *modules} for word in _SPOKEN.get(known, ()))}


def _has_word(text: str, word: str) -> bool:
    """Say whether `word` stands in `text` by itself: there is no "re" in "you're" or "re-arrange"."""
    alone = rf"(?<!\w)(?<!\w['\u2019-]){re.escape(word)}(?!['\u2019-]?\w)"
    return re.search(alone, text, re.IGNORECASE) is not None
