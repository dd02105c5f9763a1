"""Turns at the sandbox: many at work at once, or one alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets those that take a turn work side by side, but for one that is to be alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._at_work = 0
        self._to_be_alone = 0  # at work or waiting for that

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Wait for a turn and hold it. `alone`: until nobody else has one, and nobody gets one before it is over."""
        with self._changed:
            if alone:
                self._to_be_alone += 1
                self._changed.wait_for(lambda: not self._at_work)
            else:
                self._changed.wait_for(lambda: not self._to_be_alone)
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._to_be_alone -= alone
                self._changed.notify_all()
