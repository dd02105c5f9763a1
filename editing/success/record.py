"""The record of an edit: what the model did with its requests before and after, and how large the change was."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ..edits.sizes import Sizes
from .measure import Measured

Took = Literal["wholly", "in part", "not"]

_VERBS: dict[Took, str] = {"wholly": "took wholly", "in part": "took in part", "not": "did not take"}
_DIGITS = 6  # of a figure in a row: more would tell how many threads have summed it
_LOST = 0.2  # share of an edit that rounding took, from which on it is worth a word

# What decides how far an optimisation goes, as EasyEdit calls it: steps, and the size of each; then what holds it back.
_STEPS = ("num_steps", "n_iter", "v_num_grad_steps", "edit_lr", "v_lr", "lr")
_BOUNDS = ("norm_constraint", "clamp_norm_factor")


@dataclass(frozen=True, slots=True)
class EditRecord:
    """What an edit with `changes` did to its own requests. `now` is the model at a later stage of a sequence."""

    changes: tuple[str, ...]
    before: Measured
    after: Measured
    sizes: Sizes
    now: Measured | None = None

    @property
    def took(self) -> Took:
        """Whether the model writes all targets, some or none right after the edit."""
        if self.after.learned == self.after.requests:
            return "wholly"
        return "in part" if self.after.learned else "not"

    def to_fields(self) -> dict[str, Any]:
        """Return the record as rows have it: see `edit` in sample.schema.json."""
        times = {"before": self.before, "after": self.after, "now": self.now}
        there = {time: measured for time, measured in times.items() if measured is not None}
        figures = {
            f"{name}_{time}": _rounded(getattr(measured, name))
            for name in ("nll", "greedy_tokens", "learned", "first_rank")
            for time, measured in there.items()
        }
        return {
            "changes": list(self.changes),
            "requests": self.after.requests,
            "target_tokens": self.after.target_tokens,
            **figures,
            "norm": _rounded(self.sizes.norm),
            "rounded": _rounded(self.sizes.rounded),
        }

    def in_words(self) -> str:
        """Return how many targets were learned, and how their NLL moved."""
        return _in_words([self])


def _rounded(number: float | None) -> float | None:
    if number is None or isinstance(number, int):
        return number
    return float(f"{number:.{_DIGITS}g}")


def _in_words(records: Sequence[EditRecord]) -> str:
    learned, requests = sum(one.after.learned for one in records), sum(one.after.requests for one in records)
    before, after = (_nll([getattr(one, time) for one in records]) for time in ("before", "after"))
    return f"{learned} of {requests} target{'s' * (requests != 1)} learned, NLL {before} -> {after}"


def _nll(measured: Sequence[Measured]) -> str:
    """Return the mean over all target tokens."""
    if any(one.nll is None for one in measured):
        return "not a number"
    tokens = sum(one.target_tokens for one in measured)
    return f"{sum((one.nll or 0) * one.target_tokens for one in measured) / tokens:.2f}"


def summary_of(records: Sequence[EditRecord]) -> str:
    """Return in one sentence whether the edits of these records took; there has to be one at least."""
    counts = {took: sum(one.took == took for one in records) for took in _VERBS}
    told = ", ".join(f"{count} {_VERBS[took]}" for took, count in counts.items() if count)
    return f"{len(records)} edit{'s' * (len(records) != 1)}: {told}; {_in_words(records)}"


def what_to_try(record: EditRecord, hparams: Any, *, whole_solutions: bool) -> str:
    """Return what may help an edit that did not take, by the names of its hyperparameters.

    `whole_solutions`: whether whole solutions are among the targets.
    """
    values = {one.name: getattr(hparams, one.name) for one in fields(hparams)}
    return "; ".join(_remedies(record, values, whole_solutions))


def _remedies(record: EditRecord, values: Mapping[str, Any], whole_solutions: bool) -> Iterator[str]:
    if values.get("profile", "exact") != "exact":
        yield (
            f"profile: exact (with {values['profile']}, a space may stand before each target, which the model is not "
            "to write)"
        )
    if more := [f"{name} ({values[name]:g})" for name in _STEPS if name in values]:
        yield f"larger {' or '.join(more)}"
    if bounds := [f"{name} ({values[name]:g})" for name in _BOUNDS if _bounds(values.get(name))]:
        yield f"a wider {' or '.join(bounds)}"
    if "layers" in values:
        yield f"other layers ({', '.join(map(str, values['layers']))})"
    if whole_solutions:
        yield "shorter targets (--requests call)"
    if (record.sizes.rounded or 0) > _LOST:
        yield f"--dtype float32 (rounding took {record.sizes.rounded:.0%} of the change)"


def _bounds(value: Any) -> bool:
    """Say whether a hyperparameter holds an edit back: FT-L's clamp is one only where it is a float."""
    return isinstance(value, float) and math.isfinite(value)
