"""The exit codes of every edittool command, and which error gives which."""

from ...schemas.errors import EdittoolError, EnvironmentFault, InputError

DONE = 0
UNJUDGED = 1  # finished, but the sandbox could not judge some samples
UNANSWERED = 1  # finished, but a server did not answer some requests of `sample`
BELOW = 1  # finished, but a bound of `report --fail-under` does not hold: in CI all ask for a look
BAD_INPUT = 2  # bad usage or input (click uses 2 for bad usage as well)
ENVIRONMENT = 3  # no Docker Engine, no sandbox image, no GPU, a full disk
INTERRUPTED = 130  # Ctrl-C, as shells report it


def exit_code(error: EdittoolError) -> int:
    """Return the exit code of `error`."""
    if isinstance(error, EnvironmentFault):
        return ENVIRONMENT
    if isinstance(error, InputError):
        return BAD_INPUT
    return UNJUDGED
