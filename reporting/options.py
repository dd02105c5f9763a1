"""The options of a report: resampling, baseline, what the tables are restricted to, published figures."""

from dataclasses import dataclass
from typing import Literal, get_args

Reference = Literal["paper", "paper-v2", "edapibench", "codeupdatearena"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of a reader: `resamples` of each bootstrap and test, and their `seed`.

    `baseline` is the name of the unedited model that all others are held against, instead of each its own; `references`
    name the published figures to stand beside. `only_taken`: the tables are of edits that took wholly;
    `solved_by_baseline`: of problems that the unedited model passes with no change active.
    """

    resamples: int = 2000
    seed: int = 0
    baseline: str | None = None
    references: tuple[Reference, ...] = ()
    only_taken: bool = False
    solved_by_baseline: bool = False
