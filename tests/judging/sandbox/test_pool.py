"""The pool: never more containers than asked for, none left behind, none weaker than asked."""

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import docker
import pytest
from docker.errors import APIError

from edittool.judging.image.build import find_image
from edittool.judging.sandbox import container as container_module
from edittool.judging.sandbox import pool as pool_module
from edittool.judging.sandbox.container import Container, SandboxFaultError
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import LABEL, OWNER_LABEL, owner_of_this_process, remove_orphans
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.bench import Bench
from edittool.schemas.errors import EnvironmentFault

PROGRAM = "def count(items):\n    return my_builtin_len(value=items)\n"


@pytest.fixture
def leave_behind(docker_client: docker.DockerClient) -> Iterator[Callable[[str], str]]:
    """Create a container that belongs to `owner`, as a killed edittool leaves it; removed at the end."""
    made: list[str] = []

    def create(owner: str) -> str:
        labels = {LABEL: "test", OWNER_LABEL: owner}
        made.append(docker_client.api.create_container(find_image(docker_client), ["256", "1"], labels=labels)["Id"])
        return made[-1]

    yield create
    left = {container["Id"] for container in docker_client.api.containers(all=True)}
    for identity in left.intersection(made):
        docker_client.api.remove_container(identity, force=True)


def exists(client: docker.DockerClient, identity: str) -> bool:
    return any(container["Id"] == identity for container in client.api.containers(all=True))


@pytest.mark.alone  # any judge that starts removes such containers, another worker's too
def test_only_the_dead_lose_their_containers(
    docker_client: docker.DockerClient, leave_behind: Callable[[str], str]
) -> None:
    machine, boot, pid, started = owner_of_this_process().split(":")
    alive = leave_behind(owner_of_this_process())
    elsewhere = leave_behind(f"another-machine:{boot}:{pid}:1")
    dead = [leave_behind(f"{machine}:{boot}:{pid}:{int(started) + 1}"), leave_behind(f"{machine}:earlier:{pid}:1")]
    assert remove_orphans(docker_client) >= len(dead)
    assert [exists(docker_client, identity) for identity in (alive, elsewhere, *dead)] == [True, True, False, False]


def test_no_more_containers_than_asked_for(bench: Bench, docker_client: docker.DockerClient) -> None:
    counts: list[int] = []
    over = threading.Event()
    owner = f"{OWNER_LABEL}={owner_of_this_process()}"

    def watch() -> None:
        while not over.is_set():
            counts.append(len(docker_client.api.containers(all=True, filters={"label": owner})))
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        jobs = [Job(PROGRAM, bench.problems["count"], tuple(bench.changes.values()), n) for n in range(12)]
        findings = list(run_jobs(jobs, SandboxOptions(workers=2, pool=2)))
    finally:
        over.set()
        watcher.join()
    assert sorted(job.tag for job, _ in findings) == list(range(12))
    assert {finding.outcome for _, finding in findings} == {"passed"}
    assert 1 <= max(counts) <= 2
    assert docker_client.api.containers(all=True, filters={"label": owner}) == []


class ReluctantApi:
    """The engine's client, which refuses each removal as often as told before it obeys."""

    def __init__(self, client: docker.DockerClient, refusals: int):
        self._api, self._refusals, self._refused = client.api, refusals, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    def remove_container(self, identity: str, **options: Any) -> None:
        self._refused[identity] += 1
        if self._refused[identity] <= self._refusals:
            raise APIError("cannot kill container: it is not running")
        self._api.remove_container(identity, **options)


@pytest.mark.parametrize(("refusals", "gone"), [(0, True), (2, True), (99, False)])
def test_a_removal_that_the_engine_refuses_is_tried_again_and_never_taken_for_done(
    docker_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, refusals: int, gone: bool
) -> None:
    monkeypatch.setattr(container_module, "REMOVAL_PAUSES", (0.0, 0.01, 0.01))
    labels = {LABEL: "test"}
    api: Any = ReluctantApi(docker_client, refusals)
    container = Container(api, find_image(docker_client), SandboxOptions(), 0, labels)
    container.start()
    identity = str(container.id)
    try:
        with nullcontext() if gone else pytest.raises(SandboxFaultError, match="cannot be removed"):
            container.remove()
        assert exists(docker_client, identity) is not gone
    finally:
        if not gone:
            docker_client.api.remove_container(identity, force=True)


def test_a_consumer_that_stops_early_leaves_nothing(bench: Bench, docker_client: docker.DockerClient) -> None:
    jobs = [Job(PROGRAM, bench.problems["count"], (), n) for n in range(6)]
    findings = run_jobs(jobs, SandboxOptions())
    next(findings)
    findings.close()
    owner = f"{OWNER_LABEL}={owner_of_this_process()}"
    assert docker_client.api.containers(all=True, filters={"label": owner}) == []


class UnlimitedContainer(Container):
    """A container that the engine gives all the cores, whatever it was asked for."""

    def _config(self) -> dict[str, Any]:
        config = super()._config()
        config["HostConfig"]["NanoCpus"] = 0
        return config


def test_a_container_that_is_weaker_than_asked_is_refused(docker_client: docker.DockerClient) -> None:
    image, labels = find_image(docker_client), {LABEL: "test"}
    with (
        UnlimitedContainer(docker_client.api, image, SandboxOptions(), 0, labels) as container,
        pytest.raises(EnvironmentFault, match=r"not confined as asked: cpus is None, not 1\.0"),
    ):
        container.start()


def test_an_image_that_does_not_start_is_an_environment_fault(
    bench: Bench, docker_client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "FAILED_START_PAUSES", (0.0, 0.1, 0.1, 0.1))
    dockerfile = f'FROM {find_image(docker_client)}\nENTRYPOINT ["/no/such/program"]\n'
    image, _ = docker_client.images.build(fileobj=io.BytesIO(dockerfile.encode()), network_mode="none", rm=True)
    try:
        with pytest.raises(EnvironmentFault, match="no longer be started"):
            list(run_jobs([Job(PROGRAM, bench.problems["count"])], SandboxOptions(workers=1, image=image.id)))
    finally:
        docker_client.images.remove(image.id, force=True)
