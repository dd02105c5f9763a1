"""The options of a report: resampling, the baseline of comparisons, the figures of the paper."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of a reader: `resamples` of each bootstrap and test, and their `seed`.

    `baseline` is the name of the unedited model that all others are held against, instead of each its own; `reference`
    adds the figures of the paper.
    """

    resamples: int = 2000
    seed: int = 0
    baseline: str | None = None
    reference: bool = False
