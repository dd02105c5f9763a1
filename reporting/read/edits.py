"""Edit records: what an edit did to its own targets, as the rows of the edited model say it (their object `edit`)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Took = Literal["wholly", "in part", "not"]
TOOK: tuple[Took, ...] = ("wholly", "in part", "not")

TOOK_IN_WORDS: dict[Took, str] = {
    "wholly": "the edited model writes every target of the edit greedily",
    "in part": "it writes some of them, not all",
    "not": "it writes none of them",
}


@dataclass(frozen=True, slots=True)
class EditRecord:
    """What was measured of one edit on its own requests; None where a row does not say, or the number is not finite.

    `before` and `after` the edit; `now`, in a sequence, at the step that was sampled. nll: mean over all target tokens,
    natural logarithm. greedy_tokens: the share of target tokens that are the model's first choice. learned: how many of
    the `requests` have their whole target written greedily. first_rank: the median over requests of the rank of the
    target's first token. norm: of the change over that of the touched tensors. rounded: what rounding to the weights'
    type took, over the norm of the change.
    """

    changes: tuple[str, ...]
    requests: int
    target_tokens: int
    learned_before: int
    learned_after: int
    learned_now: int | None
    nll_before: float | None
    nll_after: float | None
    nll_now: float | None
    greedy_tokens_before: float | None
    greedy_tokens_after: float | None
    greedy_tokens_now: float | None
    first_rank_before: float | None
    first_rank_after: float | None
    first_rank_now: float | None
    norm: float | None
    rounded: float | None

    @staticmethod
    def from_row(edit: object) -> "EditRecord | None":
        """Return the record in `edit`, a row's field; None where it is none, or does not agree with itself."""
        changes = edit.get("changes") if isinstance(edit, Mapping) else None
        if not isinstance(edit, Mapping) or not isinstance(changes, list):
            return None
        try:
            return _record(tuple(changes), tuple(edit.get(name) for name in (*_COUNTS, *_NUMBERS)))
        except TypeError:  # of a value that is no number: a list or an object
            return None

    @property
    def took(self) -> Took:
        """Tell whether the edit took: wholly where every target is learned, in part where some are."""
        if self.learned_after == self.requests:
            return "wholly"
        return "in part" if self.learned_after else "not"


_LEARNED = ("learned_before", "learned_after", "learned_now")
_COUNTS = ("requests", "target_tokens", *_LEARNED)
_NUMBERS = (
    *(f"{name}_{when}" for name in ("nll", "greedy_tokens", "first_rank") for when in ("before", "after", "now")),
    "norm",
    "rounded",
)


@lru_cache(maxsize=10_000)  # a record stands in the rows of all samples of its edit
def _record(changes: tuple[object, ...], values: tuple[object, ...]) -> EditRecord | None:
    """Return the record of these changes, counts and numbers; None where they do not agree."""
    named = dict(zip((*_COUNTS, *_NUMBERS), values, strict=True))
    counts = {name: _count(named[name]) for name in _COUNTS}
    if not changes or not all(isinstance(name, str) for name in changes):
        return None
    if any(counts[name] is None for name in _COUNTS if name != "learned_now"):
        return None
    if not counts["requests"] or any((counts[name] or 0) > counts["requests"] for name in _LEARNED):
        return None
    return EditRecord(changes, **counts, **{name: _number(named[name]) for name in _NUMBERS})  # type: ignore[arg-type]  # checked above


def _count(value: object) -> int | None:
    number = _number(value)  # JSON knows 1.0 for 1
    return int(number) if number is not None and number.is_integer() and number >= 0 else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)


class Edits:
    """Collects the distinct records of rows; `unreadable` counts rows whose field `edit` is no record."""

    def __init__(self) -> None:
        self._places: dict[EditRecord, int] = {}
        self.unreadable = 0

    def place(self, row: Mapping[str, Any]) -> int | None:
        """Return the place of the record of `row`; None where the row has none."""
        if row.get("edit") is None:
            return None
        record = EditRecord.from_row(row["edit"])
        if record is None:
            self.unreadable += 1
            return None
        return self._places.setdefault(record, len(self._places))

    def records(self) -> tuple[EditRecord, ...]:
        """Return the records by their places."""
        return tuple(self._places)
