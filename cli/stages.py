"""Stages of long work on stderr: a bar for each on a terminal, lines now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..benchmark.progress import Progress
from .console import PLAIN_SECONDS, plain, progress, talk


@contextmanager
def show_stages() -> Iterator[Progress]:
    """Give the function that announces a stage of so many steps."""
    with progress() as bars:

        def begin(stage: str, steps: int, /) -> Callable[[], object]:
            if not talk.is_terminal:
                return _Lines(stage, steps)
            bar = bars.add_task(stage, total=steps)
            return lambda: bars.advance(bar)

        yield begin


class _Lines:
    """Says how far one stage is, at its start and from time to time."""

    def __init__(self, stage: str, steps: int):
        self._stage, self._steps, self._done = stage, steps, 0
        self._last_line = time.monotonic()
        talk.print(plain(f"{stage}: {steps} programs"), soft_wrap=True)

    def __call__(self) -> None:
        self._done += 1
        if time.monotonic() - self._last_line > PLAIN_SECONDS:
            self._last_line = time.monotonic()
            talk.print(plain(f"{self._stage}: {self._done} of {self._steps}"), soft_wrap=True)
