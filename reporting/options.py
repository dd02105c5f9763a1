"""The options of a report: what a reader chooses about counting, of which the report says what was chosen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """Resamples of each bootstrap and test, their seed, the model to hold others against, the paper's figures or not.

    `baseline` is the name of the unedited model that all others are held against, instead of each its own; `reference`
    adds the figures of the paper.
    """

    resamples: int = 2000
    seed: int = 0
    baseline: str | None = None
    reference: bool = False
