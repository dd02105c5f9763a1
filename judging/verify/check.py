"""Checks that a container of the sandbox image keeps the sandbox's promises, by trying them inside a real one.

The container is started as for a sample, and judges a program, probe.py, which tries what a hostile one would.
The engine tells what cannot be tried from inside, such as the log driver.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import docker
import requests
from docker.errors import DockerException

from ...schemas.errors import EnvironmentFault
from ...schemas.problems import Problem, Test
from ..sandbox.container import Container, RunnerLostError, SandboxFaultError
from ..sandbox.flags import UIDS
from ..sandbox.job import Job, Limits
from ..sandbox.options import SandboxOptions
from ..sandbox.pool import LABEL, OWNER_LABEL, owner_of_this_process
from ..sandbox.runtimes import for_engine
from .probe import network_interfaces, routes
from .promises import Check, checks

LABEL_VALUE = "image-verify"
SLOT = UIDS  # for a uid of its own: pools draw from those below
LIMITS = Limits(cpu_seconds=20.0, wall_seconds=60.0)  # the probe walks all of /sys; what it looks for is elsewhere


class ObservedContainer(Container):
    """A container like every other, but that weaker confinement than asked for is reported instead of refused."""

    confinement: Mapping[str, Any] = {}

    def _check(self, seen: Mapping[str, Any]) -> None:
        self.confinement = seen


def check_image(
    client: docker.DockerClient,
    image: str,
    runtime: str | None = None,
    container_class: type[ObservedContainer] = ObservedContainer,
) -> list[Check]:
    """Start a container of `image` as judging would, look around inside, and return what was found.

    Raises EnvironmentFault when no container can be started or it does not answer.
    """
    options = for_engine(SandboxOptions(runtime=runtime, limits=LIMITS, worlds=False), client)
    labels = {LABEL: LABEL_VALUE, OWNER_LABEL: owner_of_this_process()}
    try:
        with container_class(client.api, image, options, SLOT, labels) as container:
            container.start()
            engine = container.inspect()
            outside = _network_from_outside(engine["State"]["Pid"]) if options.gvisor else {}
            result = container.run(_job().message(LIMITS), LIMITS.wall_seconds)
            return checks({**_parse(result, image), **outside}, container.confinement, engine, options)
    except (SandboxFaultError, RunnerLostError, DockerException, requests.RequestException, ValueError) as error:
        raise EnvironmentFault(f"a container of {image} cannot be run: {error}. See `edittool doctor`") from error


def _network_from_outside(process: int) -> Mapping[str, Any]:
    """Return what gVisor itself could reach: inside there is no /proc to look it up."""
    tables = f"/proc/{process}/net"
    return {"interfaces": network_interfaces(tables), "routes": routes(tables)}


def _job() -> Job:
    program = files(__package__).joinpath("probe.py").read_text(encoding="utf-8")
    return Job(program, Problem("edittool/image", "", "look", program, (Test("", "look()"),), "specificity", None))


def _parse(result: Mapping[str, Any], image: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(result["output"])
    except (ValueError, KeyError):
        said = (result.get("error") or {}).get("message") or result.get("output", "")[-500:] or "nothing"
        raise EnvironmentFault(
            f"a container of {image} did not say what it sees, but: {said}. Build the image anew: "
            "`edittool image build --force`"
        ) from None
    return found
