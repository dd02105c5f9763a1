"""Tries a runtime of the engine: starts a sandbox with it, and says whether every lock asked for is on."""

from docker import DockerClient

from ...schemas.errors import EnvironmentFault
from ..engine.engine import check_runtime, describe_engine
from .container import Container, SandboxFaultError
from .options import SandboxOptions
from .pool import LABEL, OWNER_LABEL, owner_of_this_process


def try_runtime(client: DockerClient, image: str, options: SandboxOptions) -> str:
    """Start a container of `image` as judging does, and remove it. Return what keeps it from judging, "" for nothing.

    Takes at most `options.start_seconds`, and the time limits of `client`: a runtime that does not fit the machine can
    hang instead of failing.
    """
    labels = {LABEL: "try", OWNER_LABEL: owner_of_this_process()}
    try:
        check_runtime(describe_engine(client), options.runtime)
        with Container(client.api, image, options, 0, labels) as container:
            container.start()
    except (EnvironmentFault, SandboxFaultError) as error:
        return str(error)
    return ""
