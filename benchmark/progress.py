"""Progress of long work: a protocol between the work and its listener, neither of which knows the other."""

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Announces a stage of so many steps, and gives what is to be called after each of them."""

    def __call__(self, stage: str, steps: int, /) -> Callable[[], object]:
        """Begin `stage`."""


def silent(stage: str, steps: int, /) -> Callable[[], object]:
    """Tell nobody."""
    return lambda: None
