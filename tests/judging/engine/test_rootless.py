"""Engines without root: they judge where the kernel lets them set limits, and are refused where it does not."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import docker
import pytest

from edittool.judging.engine.engine import describe_engine

from ...cli.command import run as edittool
from ...other_engines import Service, rootless_docker, rootless_podman
from ..same_verdicts import EXPECTED, judge, verdicts

Starter = Callable[[], AbstractContextManager[Service]]


@pytest.fixture(params=[rootless_docker, rootless_podman], ids=["docker", "podman"])
def service(request: pytest.FixtureRequest, sandbox_archive: Path) -> Iterator[Service]:
    start: Starter = request.param
    with start() as started:
        with closing(docker.DockerClient(started.host)) as client, sandbox_archive.open("rb") as archive:
            client.images.load(archive)
        yield started


def test_a_rootless_engine_judges_as_any_other_or_is_refused(
    service: Service, tmp_path: Path, bench_folder: Path
) -> None:
    with closing(docker.DockerClient(service.host)) as client:
        facts = describe_engine(client)
        # Podman reads its seccomp profile there, as another user than this one.
        environment = {"DOCKER_HOST": service.host, "EDITTOOL_CACHE": str(service.folder / "cache")}
        done = judge(tmp_path, bench_folder, **environment)
        checked = edittool("doctor", **environment, COLUMNS="400")
        assert client.api.containers(all=True) == []
    assert facts.rootless
    if not facts.missing_limits:
        assert done.returncode == 0, done.stderr + service.log()
        assert verdicts(tmp_path) == EXPECTED
        return
    assert {"memory", "pids", "cpu"} == set(facts.missing_limits) - {"swap"}
    assert done.returncode == 3
    for limit in ("memory_bytes", "pids", "cpus"):
        assert f"{limit} is " in done.stderr
    assert "Nothing was run in it" in done.stderr
    assert not (tmp_path / "verdicts.jsonl").exists()
    assert checked.returncode == 3
    assert f"{facts.name} cannot limit memory" in checked.stdout
    assert "systemd.unified_cgroup_hierarchy=1" in checked.stdout or "Delegate=" in checked.stdout
