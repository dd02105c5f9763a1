"""How far long work is: a bar on a terminal, a line now and then elsewhere."""

import time
from typing import TYPE_CHECKING

from rich.progress import Progress as Bar

from .console import PLAIN_SECONDS, plain, talk

if TYPE_CHECKING:
    from ..editing.regimes import Progress


class Observer:
    """Shows how far the work is, in a display of `console.progress`."""

    def __init__(self, bar: Bar):
        self._bar, self._task = bar, bar.add_task("", total=None, visible=False)
        self._last_line = time.monotonic()

    def __call__(self, state: "Progress") -> None:
        """Show the progress of a run."""
        self.show(state.done, state.total, state.doing)

    def show(self, done: int, total: int, doing: str) -> None:
        """Show that `done` of `total` is done, and what goes on, in words."""
        self._bar.update(self._task, completed=done, total=total, description=plain(doing).markup, visible=True)
        if not talk.is_terminal and time.monotonic() - self._last_line >= PLAIN_SECONDS:
            self._last_line = time.monotonic()
            talk.print(plain(f"{doing}: {done} of {total}"))
