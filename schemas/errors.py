"""The errors edittool raises on purpose.

Each message says what happened, where, and what to do next; `cli.shared.exit_codes` gives every class its exit code.
"""


class EdittoolError(Exception):
    """Base of all errors meant for a person: shown as one message, without a traceback."""


class InputError(EdittoolError):
    """What the user gave cannot be used: a file, a row, an option."""


class EnvironmentFault(EdittoolError):  # noqa: N818  EnvironmentError is Python's own OSError
    """The machine lacks something: no Docker Engine, no sandbox image, no GPU, a full disk."""
