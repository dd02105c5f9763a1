"""The names that people give tasks: the id itself, another case (Mbpp/2, humaneval/0), or the number alone (2)."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property

_NUMBER_AT_END = re.compile(r"(?:^|/)0*([0-9]+)\Z")
_SAMPLE_NUMBER = re.compile(r"(?:/[^\W\d]+)?/[0-9]+\Z")  # at the end of a spelling: HumanEval/0/sample/3
_NUMBER = re.compile(r"0*([0-9]+)\Z")


class TaskNames:
    """Finds the ids of a benchmark's tasks by what people call them.

    `left_out` gives the ids that the benchmark lacks and that its sources had: a number that might mean one of them is
    as ambiguous as one of two tasks that are there. It is asked when a name is not that of a task.
    """

    def __init__(self, ids: Iterable[str], left_out: Callable[[], Iterable[str]] = tuple):
        self._ids = ids
        self._left_out = left_out

    def find(self, name: str) -> str | None:
        """Return the id that `name` means, of a task that is there or was left out; None where it is not just one."""
        found = self._meant(name)
        return found[0] if len(found) == 1 else None

    def candidates(self, name: str) -> tuple[str, ...]:
        """Return the ids that `name` may mean, where it means several."""
        found = self._meant(name)
        return found if len(found) > 1 else ()

    def _meant(self, name: str) -> tuple[str, ...]:
        if name in self._all:
            return (name,)
        folded = self._by_folded_id.get(name.casefold(), ())
        number = _NUMBER.match(name)
        return folded or (self._by_number.get(number[1], ()) if number else ())

    def nearest(self, name: str) -> str | None:
        """Return the task that is there and that another spelling means, such as HumanEval_0, HumanEval/00#3."""
        spelled = spell(name)
        stem = _SAMPLE_NUMBER.sub("", spelled)
        found = self._by_spelling.get(spelled) or self._by_spelling.get(stem, ())
        return found[0] if len(found) == 1 else None

    @cached_property
    def _by_spelling(self) -> dict[str, tuple[str, ...]]:
        return _grouped((spell(one), one) for one in self._ids)

    @cached_property
    def _all(self) -> frozenset[str]:
        return frozenset(self._ids) | frozenset(self._left_out())

    @cached_property
    def _by_folded_id(self) -> dict[str, tuple[str, ...]]:
        return _grouped((one.casefold(), one) for one in sorted(self._all))

    @cached_property
    def _by_number(self) -> dict[str, tuple[str, ...]]:
        ends = ((_NUMBER_AT_END.search(one), one) for one in sorted(self._all))
        return _grouped((end[1], one) for end, one in ends if end)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for key, value in pairs:
        groups[key] = (*groups.get(key, ()), value)
    return groups


def spell(name: str) -> str:
    """Return `name` in small letters, each part that is a number set off by one stroke, numbers without zeros ahead."""
    joined = re.sub(r"[\W_]+", "/", name.casefold().replace("+", "plus"))
    parted = re.sub(r"(?<=[^\W\d])(?=\d)", "/", joined).strip("/")
    spelled = re.sub(r"(?:^|(?<=/))0+(?=\d)", "", parted).replace("human/eval", "humaneval")
    return re.sub(r"(humaneval|mbpp)/(plus|sanitized)\b", r"\1\2", spelled.replace("openai/humaneval", "humaneval"))
