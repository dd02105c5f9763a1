"""Podman through its Docker-compatible socket: the verdicts of Docker, its own way of being asked."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.types import Ulimit
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.engine.dialects import podmans
from edittool.judging.engine.engine import describe_engine
from edittool.judging.sandbox.flags import confinement
from edittool.judging.sandbox.options import SandboxOptions
from edittool.schemas.errors import EnvironmentFault

from ...cli.command import run as edittool
from ...other_engines import Service, podman
from ..same_verdicts import EXPECTED, judge, verdicts
from .podmans_own import PODMANS_OWN, load_image

LOCAL = "http+docker://localhost"


@pytest.fixture(scope="module")
def service(sandbox_archive: Path) -> Iterator[Service]:
    with podman() as started:
        load_image(started.host, sandbox_archive)
        yield started


def containers(service: Service) -> list[str]:
    with closing(docker.DockerClient(service.host)) as client:
        return [container["Id"] for container in client.api.containers(all=True)]


def test_podman_finds_what_docker_finds(service: Service, tmp_path: Path, bench_folder: Path) -> None:
    done = judge(tmp_path, bench_folder, DOCKER_HOST=service.host)
    assert done.returncode == 0, done.stderr + service.log()
    assert verdicts(tmp_path) == EXPECTED
    assert containers(service) == []


def test_what_podman_does_not_promise(service: Service) -> None:
    done = edittool("image", "verify", "--json", DOCKER_HOST=service.host)
    promises = json.loads(done.stdout)
    broken = {promise["promise"]: promise["seen"] for promise in promises if not promise["kept"]}
    assert broken.keys() <= PODMANS_OWN, broken
    assert broken.get("no file can be written elsewhere", "/proc/pressure").startswith("/proc/pressure")
    assert containers(service) == []


def test_podman_says_what_it_is(service: Service) -> None:
    with closing(docker.DockerClient(service.host)) as client:
        facts = describe_engine(client)
    told = subprocess.run(["podman", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    assert (facts.name, facts.version, facts.rootless, facts.default_runtime) == ("Podman", told, False, "runc")
    assert facts.missing_limits == ()


def test_a_runtime_that_podman_would_silently_replace(service: Service, tmp_path: Path, bench_folder: Path) -> None:
    done = judge(tmp_path, bench_folder, "--runtime", "crun", DOCKER_HOST=service.host)
    assert done.returncode == 3
    assert "podman --runtime crun system service" in done.stderr


def test_a_profile_that_cannot_be_written(service: Service, tmp_path: Path, bench_folder: Path) -> None:
    (tmp_path / "file").touch()
    done = judge(tmp_path, bench_folder, DOCKER_HOST=service.host, EDITTOOL_CACHE=str(tmp_path / "file"))
    assert done.returncode == 3
    assert "EDITTOOL_CACHE names another folder" in done.stderr
    assert containers(service) == []


def test_podman_elsewhere_cannot_be_given_a_profile() -> None:
    with pytest.raises(EnvironmentFault, match="Run edittool on that machine"):
        podmans(confinement(SandboxOptions()), "https://10.0.0.1:2376")


@given(memory=st.integers(2**27, 2**40), options=st.lists(st.sampled_from(["ro", "noexec", "size=16m", "nr_inodes=9"])))
def test_all_other_locks_are_the_same(memory: int, options: list[str]) -> None:
    locks = {
        "security_opt": ["no-new-privileges"],
        "tmpfs": {"/tmp": ",".join(options)},
        "mem_limit": memory,
        "ulimits": [Ulimit(name="core", soft=0, hard=0)],
    }
    told = podmans(locks, LOCAL)
    assert told["security_opt"] == locks["security_opt"]
    assert all(mount.startswith("ro,") for path, mount in told["tmpfs"].items() if path != "/tmp")
    assert told["tmpfs"]["/tmp"] == ",".join(option for option in options if not option.startswith("nr_"))
    assert told["mem_limit"] == memory
    assert told["ulimits"][:1] == locks["ulimits"]
    assert told.keys() == locks.keys()


def test_podman_reads_the_very_profile_that_docker_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path))
    locks = confinement(SandboxOptions())
    for _ in range(2):  # the second time it is there, and was spoiled in between
        [path] = [option.removeprefix("seccomp=") for option in podmans(locks, LOCAL)["security_opt"] if "=" in option]
        assert f"seccomp={Path(path).read_text()}" in locks["security_opt"]
        Path(path).write_text("{}")


@pytest.mark.parametrize("shared", ["seccomp", "."])
def test_podman_is_given_no_profile_that_others_could_replace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path / "cache"))
    locks = confinement(SandboxOptions())
    podmans(locks, LOCAL)
    (tmp_path / "cache" / shared).chmod(0o777)
    with pytest.raises(
        EnvironmentFault, match=r"seccomp profile .* is not safe: .*can be written by others.*chmod go-w"
    ):
        podmans(locks, LOCAL)
