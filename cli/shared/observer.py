"""Progress of long work, and of its stages: bars on a terminal, lines now and then elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress as Bar

from ...benchmark.progress import Progress
from .console import PLAIN_SECONDS, plain, progress, talk

if TYPE_CHECKING:
    from ...editing.runs.execute import Progress as RunProgress


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


class Observer:
    """Shows how far the work is, in a display of `console.progress`."""

    def __init__(self, bar: Bar):
        self._bar, self._task = bar, bar.add_task("", total=None, visible=False)
        self._last_line = time.monotonic()

    def __call__(self, state: "RunProgress") -> None:
        """Show the progress of a run."""
        self.show(state.done, state.total, state.doing)

    def show(self, done: int, total: int, doing: str) -> None:
        """Show that `done` of `total` is done, and what goes on, in words."""
        self._bar.update(self._task, completed=done, total=total, description=plain(doing).markup, visible=True)
        if not talk.is_terminal and time.monotonic() - self._last_line >= PLAIN_SECONDS:
            self._last_line = time.monotonic()
            talk.print(plain(f"{doing}: {done} of {total}"), soft_wrap=True)
