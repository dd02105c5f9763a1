"""Does a container of the sandbox image keep what the sandbox promises? Asked inside a real one, never assumed."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException
from docker.models.containers import Container
from docker.types import LogConfig

from ..schemas.errors import EnvironmentFault
from .container import confinement
from .dialects import host_config
from .options import SandboxOptions

RUN_SECONDS = 20  # a container that has not ended by then never will
FILTERING = 2  # SECCOMP_MODE_FILTER


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, whether it is kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


def check_image(client: docker.DockerClient, image: str, runtime: str | None = None) -> list[Check]:
    """Start a container of `image` as judging would, look around inside, and return what was found.

    Raises EnvironmentFault when no container can be started or it does not answer.
    """
    container = _create(client, image, runtime)
    try:
        output = _run(container)
    except (DockerException, requests.RequestException) as error:
        raise EnvironmentFault(f"a container of {image} cannot be run: {error}. See `edittool doctor`") from error
    finally:
        with suppress(DockerException, requests.RequestException):
            container.remove(force=True, v=True)
    return checks(_parse(output, image))


def checks(found: Mapping[str, Any]) -> list[Check]:
    """Turn the findings of the probe into promises kept or broken."""
    interfaces = [name for name in found["interfaces"] if name != "lo"]
    return [
        Check("no shell and no other program", not found["programs"], _list(found["programs"])),
        Check("no setuid or setgid file", not found["setuid"], _list(found["setuid"])),
        Check("interpreter unreadable", not found["readable_interpreters"], _list(found["readable_interpreters"])),
        Check("process not dumpable", not found["dumpable"], "dumpable" if found["dumpable"] else "not dumpable"),
        Check("root file system read-only", found["root_read_only"], "ro" if found["root_read_only"] else "rw"),
        Check("no network interface but lo", not interfaces, _list(interfaces)),
        Check("user and groups are not root's", 0 not in found["uids"], _list(sorted(set(found["uids"])))),
        Check("no capabilities", not found["capabilities"], _list(found["capabilities"])),
        Check("no new privileges", found["no_new_privileges"], str(found["no_new_privileges"])),
        Check("seccomp filter on", found["seccomp_mode"] == FILTERING, f"mode {found['seccomp_mode']}"),
    ]


def _create(client: docker.DockerClient, image: str, runtime: str | None) -> Container:
    try:
        return client.containers.create(
            image,
            entrypoint=["/usr/bin/python3", "-P", "-s", "-S", "-B"],
            command=["-c", files(__package__).joinpath("image_probe.py").read_text()],
            labels={"edittool": "image-verify"},
            network_disabled=True,
            # The one difference: what it says has to be read.
            **host_config(client.api, confinement(SandboxOptions(runtime=runtime)))
            | {"log_config": LogConfig(type="json-file")},
        )
    except APIError as error:
        raise EnvironmentFault(f"no container of {image} can be made: {error.explanation}") from error


def _run(container: Container) -> bytes:
    """Start the container, wait for its end, and return what it wrote."""
    container.start()
    container.wait(timeout=RUN_SECONDS)
    output: bytes = container.logs()
    return output


def _parse(output: bytes, image: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = json.loads(output)
    except ValueError:
        said = output.decode("utf-8", "backslashreplace")[-500:] or "nothing"
        message = f"a container of {image} did not say what it sees, but: {said}. Build the image anew: "
        raise EnvironmentFault(message + "`edittool image build --force`") from None
    return found


def _list(things: Any) -> str:
    return ", ".join(str(thing) for thing in things) or "none"
