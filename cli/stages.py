"""Stages of long work on stderr: a bar for each on a terminal, a line for each elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..benchmark.progress import Progress
from .console import plain, progress, talk


@contextmanager
def show_stages() -> Iterator[Progress]:
    """Give the function that announces a stage of so many steps."""
    with progress() as bars:

        def begin(stage: str, steps: int, /) -> Callable[[], object]:
            if not talk.is_terminal:
                talk.print(plain(f"{stage}: {steps} programs"), soft_wrap=True)
            bar = bars.add_task(stage, total=steps)
            return lambda: bars.advance(bar)

        yield begin
