"""The runtimes of an engine: what of a sandbox's options depends on them, and whether one of them works."""

from dataclasses import replace

from docker import DockerClient

from ...schemas.errors import EnvironmentFault
from ..engine.engine import check_runtime, describe_engine
from .container import Container, SandboxFaultError
from .options import SandboxOptions
from .pool import LABEL, OWNER_LABEL, owner_of_this_process

GVISORS_PATIENCE = 4  # a container takes several times as long to start, and each process that waits in it as well


def for_engine(options: SandboxOptions, client: DockerClient) -> SandboxOptions:
    """Return `options` as they are for the runtime that the engine of `client` would run their containers with.

    Raises EnvironmentFault, with the fix, when the engine does not know the runtime.
    """
    facts = describe_engine(client)
    check_runtime(facts, options.runtime)
    if (options.runtime or facts.default_runtime) not in facts.gvisors:
        return options
    return replace(options, gvisor=True, start_seconds=options.start_seconds * GVISORS_PATIENCE)


def try_runtime(client: DockerClient, image: str, options: SandboxOptions) -> str:
    """Start a container of `image` as judging does, and remove it. Return what keeps it from judging, "" for nothing.

    Takes at most `options.start_seconds`, and the time limits of `client`: a runtime that does not fit the machine can
    hang instead of failing.
    """
    labels = {LABEL: "try", OWNER_LABEL: owner_of_this_process()}
    try:
        with Container(client.api, image, for_engine(options, client), 0, labels) as container:
            container.start()
    except (EnvironmentFault, SandboxFaultError) as error:
        return str(error)
    return ""
