"""The runtimes of an engine: what of a sandbox's options depends on them, and whether one of them works."""

from dataclasses import replace

from docker import DockerClient

from ...schemas.errors import EnvironmentFault
from ..engine.engine import check_runtime, describe_engine, engine_faults
from .container import Container, SandboxFaultError
from .options import SandboxOptions
from .pool import LABEL, OWNER_LABEL, owner_of_this_process


def for_engine(options: SandboxOptions, client: DockerClient) -> SandboxOptions:
    """Return `options` as they are for the runtime that the engine of `client` would run their containers with.

    Raises EnvironmentFault, with the fix, when the engine does not know the runtime.
    """
    with engine_faults():
        facts = describe_engine(client)
    check_runtime(facts, options.runtime)
    return replace(options, gvisor=(options.runtime or facts.default_runtime) in facts.gvisors)


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
