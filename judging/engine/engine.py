"""The Docker Engine (or Podman's stand-in for it): reaching it, and what it can do.

`DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` are honoured. Whatever keeps the engine out of reach becomes
an `EnvironmentFault` that names the cause and the fix.
"""

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import docker
import requests
from docker.constants import DEFAULT_DOCKER_API_VERSION
from docker.errors import APIError, DockerException, TLSParameterError

from ...schemas.errors import EnvironmentFault

DEFAULT_HOST = "unix:///var/run/docker.sock"
CERTIFICATES = "a folder with ca.pem, cert.pem and key.pem"
ANSWER_SECONDS = 60
FIX = ". To fix it: "  # stands between cause and remedy in a message
GVISOR = "runsc"  # what its program is called
# The limits that a container needs, and where `docker info` says that the engine can set them.
LIMIT_FIELDS = {"memory": "MemoryLimit", "swap": "SwapLimit", "pids": "PidsLimit", "cpu": "CpuCfsQuota"}
SET_UP = "run `make setup` or `scripts/setup-docker.sh` in the source of edittool, or start Docker yourself"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine says of itself; the names are those of `docker info`."""

    name: Literal["Docker", "Podman"]
    version: str
    operating_system: str
    architecture: str
    cgroup_version: int  # 1 or 2; 0 where the engine does not say
    cgroup_driver: str
    rootless: bool
    remapped: bool  # root of a container is an unprivileged user outside
    seccomp: bool
    missing_limits: tuple[str, ...]  # those of memory, swap, pids, cpu that the engine cannot set
    runtimes: tuple[str, ...]
    default_runtime: str
    gvisors: frozenset[str]  # those of the runtimes that are gVisor, by their program's name or their own
    storage_driver: str
    root_dir: str
    cpus: int
    memory_bytes: int
    warnings: tuple[str, ...]


def engine_host() -> str:
    """Return the address of the engine that `connect` goes to."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def connect(timeout: int = ANSWER_SECONDS) -> docker.DockerClient:
    """Return a client of the engine, which has answered. `timeout` (seconds) goes for every later request too.

    Raises EnvironmentFault, with cause and fix, when no engine answers.
    """
    client: docker.DockerClient | None = None
    try:
        _knock()
        client = _without_environment(docker.from_env(version=DEFAULT_DOCKER_API_VERSION, timeout=timeout))
        spoken = client.api.version(api_version=False)["ApiVersion"]
        client.close()
        client = _without_environment(docker.from_env(version=spoken, timeout=timeout))
        client.ping()
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        if client is not None:
            client.close()
        raise EnvironmentFault(_explain(error, timeout)) from error
    return client


def _without_environment(client: docker.DockerClient) -> docker.DockerClient:
    """Return `client`, heedless of what the environment says for the web.

    REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would take the place of the certificates in DOCKER_CERT_PATH.
    """
    client.api.trust_env = False
    return client


def find_silence(client: docker.DockerClient, seconds: float) -> str | None:
    """Return why the engine of `client` does not answer within `seconds`, and the fix; None when it answers."""
    try:
        _knock()
        client.api.get(f"{client.api.base_url}/_ping", timeout=seconds).raise_for_status()
    except (requests.RequestException, OSError) as error:
        return _explain(error, seconds)
    return None


@contextmanager
def engine_faults() -> Iterator[None]:
    """Raise EnvironmentFault, with cause and fix, where the engine is lost inside, or answers with an error.

    An error that can be an answer, that there is no such image for one, is to be caught inside.
    """
    try:
        yield
    except APIError as error:
        raise EnvironmentFault(_explain_error(error)) from error
    except (DockerException, requests.RequestException) as error:
        raise EnvironmentFault(_explain(error)) from error


def _explain_error(error: APIError) -> str:
    number = "an error" if error.status_code is None else f"error {error.status_code}"
    said = _last_words(error if error.explanation is None else ValueError(error.explanation))
    if error.is_server_error():
        fix = "its log says more (`journalctl --unit docker`, or where your engine writes it); restart it and try again"
    else:
        fix = "`edittool doctor` checks the engine"
    return f"the engine at {engine_host()} answered with {number}: {said}{FIX}{fix}"


def _knock() -> None:
    """Raise OSError when the engine's socket takes no connection: the library would leave a socket of its own open."""
    path = engine_host().removeprefix("unix://")
    if path == engine_host():
        return
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(path)


@engine_faults()
def describe_engine(client: docker.DockerClient) -> EngineFacts:
    """Ask the engine of `client` what it is and what it can do. Raises EnvironmentFault where it does not say."""
    info, version = client.info(), client.version()
    options = [_option_name(option) for option in info.get("SecurityOptions") or ()]
    podman = _ask_podman(client) if is_podmans(version) else None
    rootless = bool(podman["security"]["rootless"]) if podman else "rootless" in options
    return EngineFacts(
        name="Podman" if podman else "Docker",
        version=str(version.get("Version", "?")),
        operating_system=str(info.get("OperatingSystem", "?")),
        architecture=str(info.get("Architecture", "?")),
        cgroup_version=_number(info.get("CgroupVersion")),
        cgroup_driver=str(info.get("CgroupDriver", "?")),
        rootless=rootless,
        remapped=rootless or "userns" in options,
        seccomp="seccomp" in options,
        missing_limits=_podmans_missing_limits(podman) if podman else _missing_limits(info),
        runtimes=_commands(info.get("Runtimes") or {}),
        default_runtime=str(info.get("DefaultRuntime", "?")),
        gvisors=frozenset() if podman else find_gvisors(info.get("Runtimes") or {}),
        storage_driver=str(info.get("Driver", "?")),
        root_dir=str(info.get("DockerRootDir", "?")),
        cpus=int(info.get("NCPU", 0)),
        memory_bytes=int(info.get("MemTotal", 0)),
        warnings=tuple(info.get("Warnings") or ()),
    )


def _ask_podman(client: docker.DockerClient) -> dict[str, Any]:
    """Return what Podman says of its host in an API of its own: it does not tell Docker's that it is rootless."""
    answer = client.api.get(f"{client.api.base_url}/v4.0.0/libpod/info", timeout=client.api.timeout)
    answer.raise_for_status()
    host: dict[str, Any] = answer.json()["host"]
    return host


def _podmans_missing_limits(host: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the limits that Podman would ignore. What it says in Docker's words are the limits of the machine."""
    if not host["security"]["rootless"]:
        return ()
    delegated = host.get("cgroupControllers") or () if host["cgroupVersion"] == "v2" else ()
    return tuple(name for name in ("memory", "pids", "cpu") if name not in delegated)


def _missing_limits(info: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name, field in LIMIT_FIELDS.items() if info.get(field) is False)


def check_runtime(facts: EngineFacts, runtime: str | None) -> None:
    """Raise EnvironmentFault, with the fix, when the engine would not run containers with `runtime`."""
    if runtime is None or runtime == facts.default_runtime:
        return
    if facts.name == "Podman":  # whatever its API is asked for
        raise EnvironmentFault(
            f"Podman runs every container with the runtime of its service: {facts.default_runtime}, not {runtime}. "
            f"Start the service with `podman --runtime {runtime} system service`, or leave --runtime out."
        )
    if runtime not in facts.runtimes:
        raise EnvironmentFault(
            f"the engine knows no runtime {runtime!r}, only {', '.join(facts.runtimes)}. Install it, name it in "
            f'/etc/docker/daemon.json ({{"runtimes": {{"{runtime}": {{"path": "/usr/bin/{runtime}"}}}}}}) and restart '
            "the engine."
        )


def is_podmans(version: Mapping[str, Any]) -> bool:
    """Tell whether it was Podman that answered the API's question for its version with `version`."""
    return any("Podman" in component.get("Name", "") for component in version.get("Components") or ())


def _option_name(option: str) -> str:
    """Return "seccomp" of "name=seccomp,profile=default"."""
    return option.split(",")[0].removeprefix("name=")


def _commands(runtimes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names a user can give; `io.containerd.…` are the engine's own spellings of the same."""
    return tuple(sorted(name for name in runtimes if not name.startswith("io.containerd.")))


def find_gvisors(runtimes: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the runtimes that are gVisor: a path to its program, a type of its shim, or its name."""
    told = {name: f"{Path(how.get('path') or '').name} {how.get('runtimeType', '')}" for name, how in runtimes.items()}
    return frozenset(name for name, words in told.items() if GVISOR in f"{name} {words}")


def _number(value: object) -> int:
    return int(str(value)) if str(value).isdigit() else 0


def _explain(error: BaseException, timeout: float = ANSWER_SECONDS) -> str:
    """Return what is wrong with the engine at `engine_host()`, and the fix."""
    host = engine_host()
    causes = list(_causes(error))
    for failure in causes:
        if isinstance(failure, APIError) and failure.is_server_error():
            return _explain_error(failure)
    cause, fix = _diagnose(causes, host, timeout)
    return f"no Docker Engine at {host}: {cause}{FIX}{fix}"


def _diagnose(causes: list[BaseException], host: str, timeout: float) -> tuple[str, str]:
    number = next((c.errno for c in causes if isinstance(c, OSError) and c.errno is not None), None)
    if any(isinstance(c, TLSParameterError) for c in causes):
        return "the TLS settings are incomplete", f"set DOCKER_CERT_PATH to {CERTIFICATES}"
    if any(isinstance(c, ssl.SSLError | requests.exceptions.SSLError) for c in causes):
        return (
            f"TLS failed ({_last_words(causes[-1])})",
            "check DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and the certificates there",
        )
    if _speaks_tls(causes):
        return (
            "it wants TLS",
            "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem",
        )
    if any(isinstance(c, TimeoutError | requests.exceptions.Timeout) for c in causes):
        return f"it accepts connections but did not answer within {timeout:g} s", "restart the engine and try again"
    if number in (errno.EACCES, errno.EPERM):
        return "permission denied", "`sudo usermod -aG docker $USER`, then log in again"
    if number in (errno.ENOENT, errno.ENOTSOCK, errno.ENOTDIR):
        return "there is no such socket", _fix_for_absence()
    if number == errno.ECONNREFUSED:
        return "nothing listens there", _fix_for_absence()
    return _last_words(causes[-1]), _fix_for_absence()


def _speaks_tls(causes: list[BaseException]) -> bool:
    """Tell whether a server answered plain HTTP as Go's TLS servers do."""
    answers = (getattr(cause, "response", None) for cause in causes)
    return any(answer is not None and "HTTP request to an HTTPS server" in answer.text for answer in answers)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and all that led to it: the HTTP libraries hide a cause in arguments as well as in the chain."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        waiting += [part for part in current.args if isinstance(part, BaseException)]


def _last_words(error: BaseException) -> str:
    """Return the message of `error` on one line."""
    return re.sub(r"\s+", " ", str(error)).strip(" .") or type(error).__name__


def _fix_for_absence() -> str:
    """Return what to do when nothing answers at the address."""
    if os.environ.get("DOCKER_HOST"):
        return "start the engine that DOCKER_HOST names, or unset DOCKER_HOST to use this machine's own"
    for path in _rootless_sockets():
        if path.is_socket():
            return f"`export DOCKER_HOST=unix://{path}`, where a rootless engine listens"
    return SET_UP


def _rootless_sockets() -> tuple[Path, Path]:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return runtime / "docker.sock", runtime / "podman" / "podman.sock"
