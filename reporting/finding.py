"""A finding: what a reader wants to know of a setting before any table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one setting, in one sentence; the other fields are those of its row in the overview.

    `edited` tells whether the model was edited, or is held against another one.
    """

    model: str | None
    method: str
    regime: str | None
    world: str
    step: int | None
    edited: bool
    text: str
