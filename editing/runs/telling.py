"""What an edit tells of itself while it is made, in words: request, step, loss, and the time that is left."""

import time
from collections.abc import Callable

from ..context import Step


class Telling:
    """Puts the steps of an edit into words, each after what is being done, for `tell`.

    The time that is left is what the steps so far took, for those to come: less, where an optimisation stops by itself.
    """

    def __init__(self, doing: str, tell: Callable[[str], None]):
        self._doing, self._tell = doing, tell
        self._first: tuple[float, float] | None = None

    def step(self, step: Step) -> None:
        """Tell of a step of an optimisation."""
        now, share = time.monotonic(), step.share()
        start, done = self._first = self._first or (now, share)
        left = f", up to {_duration((now - start) * (1 - share) / (share - done))} left" if share > done else ""
        request = f"request {step.request} of {step.requests}, step {step.step} of {step.steps}"
        self._tell(f"{self._doing}: {request}, loss {step.loss:.2f}{left}")

    def say(self, what: str) -> None:
        """Tell of what else takes long."""
        self._tell(f"{self._doing}: {what}")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
