"""Standard output and error whose reader may leave before the end, as in `edittool ... | head`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast


@contextmanager
def readers_may_leave() -> Iterator[None]:
    """Let commands write on into nothing once a reader has left: their work, and how they end, do not depend on it.

    Neither click nor rich can be told to: each makes exit code 1 of a broken pipe, in the middle of what is going on.
    """
    with redirect_stdout(_wrap(sys.stdout)), redirect_stderr(_wrap(sys.stderr)):
        yield


def _wrap(stream: TextIO | None) -> TextIO | None:
    return stream and cast(TextIO, _Stream(stream))


class _Stream:
    """A stream that goes to /dev/null from the first broken pipe on, and fails again once it has failed otherwise."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`; return its length."""
        self._do(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        self._do(self._stream.flush)

    def _do(self, work: Callable[[], object]) -> None:
        if self._error is not None:
            raise self._error  # click tries a stream before it writes, and passes over what it finds
        try:
            work()
        except BrokenPipeError:
            self._discard()
        except OSError as error:  # a full disk; what is left in the buffer could not be written either
            self._error = error
            self._discard()
            raise

    def _discard(self) -> None:
        # The descriptor, not only this object: Python flushes what is left in the buffer when it ends.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)
