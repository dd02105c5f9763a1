"""The errors edittool raises on purpose.

Each message says what happened, where, and what to do next; `cli.shared.exit_codes` gives every class its exit code.
"""

from pathlib import Path


class EdittoolError(Exception):
    """Base of all errors meant for a person: shown as one message, without a traceback."""


class InputError(EdittoolError):
    """What the user gave cannot be used: a file, a row, an option."""


class RowsError(InputError):
    """The file at `path` does not hold the rows that were asked for; it may hold them in another shape."""

    def __init__(self, message: str, path: Path):
        super().__init__(message)
        self.path = path


class EnvironmentFault(EdittoolError):  # noqa: N818  EnvironmentError is Python's own OSError
    """The machine lacks something: no Docker Engine, no sandbox image, no GPU, a full disk."""
