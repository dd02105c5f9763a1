"""The engine: its facts, and an error with a cause and a fix for each way of not reaching it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from edittool.judging.engine.engine import connect, describe_engine, find_gvisors
from edittool.schemas.errors import EnvironmentFault


def connect_at(host: str, monkeypatch: pytest.MonkeyPatch, timeout: int = 5) -> str:
    """Return what `connect` says of the engine at `host`, where there is none."""
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EnvironmentFault) as caught:
        connect(timeout=timeout)
    assert host in str(caught.value)
    return str(caught.value)


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[Path]:
    """Yield a socket that takes connections and never says a word."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield path


def test_facts_agree_with_the_engine(docker_client: docker.DockerClient) -> None:
    facts = describe_engine(docker_client)
    info = docker_client.info()
    assert facts.version == docker_client.version()["Version"]
    assert facts.name in {"Docker", "Podman"}
    assert (facts.cpus, facts.memory_bytes) == (info["NCPU"], info["MemTotal"])
    assert facts.cgroup_version in {1, 2}
    assert facts.default_runtime in facts.runtimes
    assert facts.storage_driver == info["Driver"]


def test_no_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = connect_at(f"unix://{tmp_path}/none.sock", monkeypatch)
    assert "there is no such socket" in said
    assert "DOCKER_HOST" in said


def test_nobody_listens_on_a_socket_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(path))
    assert "nothing listens there" in connect_at(f"unix://{path}", monkeypatch)


def test_nobody_listens_on_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: a connection is refused, and nobody else gets the port
        said = connect_at(f"tcp://127.0.0.1:{taken.getsockname()[1]}", monkeypatch)
    assert "nothing listens there" in said


def test_an_engine_that_does_not_answer(silent_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did not answer within 1 s" in connect_at(f"unix://{silent_socket}", monkeypatch, timeout=1)


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "DOCKER_HOST" in connect_at("gopher://engine", monkeypatch)


def test_tls_without_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    assert "DOCKER_CERT_PATH" in connect_at("tcp://127.0.0.1:1", monkeypatch)


def test_permission_denied(silent_socket: Path) -> None:
    """In a process that is not root: root may connect to anything."""
    silent_socket.chmod(0)
    program = (
        "import os, sys\n"
        "from edittool.judging.engine.engine import connect\n"
        "from edittool.schemas.errors import EnvironmentFault\n"
        "if os.getuid() == 0: os.setresuid(65534, 65534, 65534)\n"
        "try: connect(timeout=5)\n"
        "except EnvironmentFault as fault: print(fault)\n"
    )
    for folder in (silent_socket.parent, *silent_socket.parent.parents[:2]):
        folder.chmod(0o755)
    environment = {**os.environ, "DOCKER_HOST": f"unix://{silent_socket}"}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "permission denied" in ended.stdout
    assert "usermod -aG docker" in ended.stdout


def test_gvisor_is_known_by_its_program_its_shim_or_its_name() -> None:
    runtimes = {
        "runc": {"path": "runc"},
        "io.containerd.runc.v2": {"path": "runc", "runtimeArgs": None},
        "crun": {"path": "/usr/bin/crun", "runtimeArgs": ["--comment=runsc"]},
        "runsc": {"path": None},
        "sandboxed": {"path": "/opt/gvisor/runsc-2024"},
        "gvisor": {"runtimeType": "io.containerd.runsc.v1"},
        "other": {"path": "/opt/runsc/bin/runc"},
        "nothing told": {},
    }
    assert find_gvisors(runtimes) == {"runsc", "sandboxed", "gvisor"}
