"""A build that is interrupted, killed, or runs out of disk goes on where it stopped, and ends in the same bytes."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from edittool.benchmark.build import LOG
from edittool.judging.sandbox.pool import OWNER_LABEL

from ...disks import enlarge, small_disk
from ..command import run, start
from ..small_data_set import contents

pytestmark = pytest.mark.usefixtures("docker_client")
FULL = 16 * 1024  # bytes: less than the log of the small build needs


@pytest.fixture
def build(mbpp: Path, tmp_path: Path) -> tuple[object, ...]:
    return ("bench", "build", "--mbpp", mbpp, "--workers", "2", "-o", tmp_path / "bench")


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def has_found_something(folder: Path) -> bool:
    log = folder / LOG
    return log.exists() and log.stat().st_size > 0


def containers_of(client: docker.DockerClient, pid: int) -> list[str]:
    owned = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    return [one["Id"] for one in owned if one["Labels"][OWNER_LABEL].split(":")[2] == str(pid)]


def containers_created(client: docker.DockerClient, since: int, pid: int) -> int:
    wanted = {"type": "container", "event": "create", "label": OWNER_LABEL}
    events = client.events(since=since, until=int(time.time()), filters=wanted, decode=True)
    return sum(event["Actor"]["Attributes"][OWNER_LABEL].split(":")[2] == str(pid) for event in events)


def test_ctrl_c(build, built, tmp_path, docker_client):
    process = start(*build)
    wait_until(lambda: has_found_something(tmp_path / "bench"), process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "interrupted: what was written is kept; give the same command again to go on" in said
    assert "Traceback" not in said
    assert containers_of(docker_client, process.pid) == []
    assert list(contents(tmp_path / "bench")) == [LOG]

    done = run(*build)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "bench") == contents(built)


def test_kill(build, built, tmp_path, docker_client):
    process = start(*build)
    left: list[str] = []
    wait_until(lambda: has_found_something(tmp_path / "bench"), process)
    while not left:  # stopped while it looks: between two of its containers there may be none
        process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
        process.send_signal(signal.SIGSTOP)
        left = containers_of(docker_client, process.pid)
    process.kill()
    process.communicate(timeout=60)
    with (tmp_path / "bench" / LOG).open("a") as log:
        log.write('{"key": "cut sho')  # as a kill in the middle of a write leaves it

    done = run(*build)
    assert done.returncode == 0, done.stderr
    assert containers_of(docker_client, process.pid) == []
    assert contents(tmp_path / "bench") == contents(built)


def test_what_was_found_out_is_not_asked_again(build, tmp_path, docker_client):
    """With the log of a whole build, the benchmark is made again without a single container."""
    log, saved = tmp_path / "bench" / LOG, tmp_path / "saved.jsonl"
    began = int(time.time())
    first = start(*build)
    wait_until(log.exists, first)
    saved.hardlink_to(log)  # it is removed when the build is done
    assert (first.communicate()[1].count("certifying"), first.returncode) == (3, 0)
    assert containers_created(docker_client, began, first.pid) > 0

    before = contents(tmp_path / "bench")
    saved.rename(log)
    second = start(*build)
    assert (second.communicate()[1].count("certifying"), second.returncode) == (3, 0)
    assert containers_created(docker_client, began, second.pid) == 0
    assert contents(tmp_path / "bench") == before


def test_the_second_of_two_refuses(build, built, tmp_path):
    first = start(*build)
    wait_until(lambda: has_found_something(tmp_path / "bench"), first)
    first.send_signal(signal.SIGSTOP)
    try:
        for second in (run(*build), run("bench", "build", "--builtin", "-o", tmp_path / "bench")):
            assert second.returncode == 2
            assert f"is being written by another edittool (process {first.pid} on host " in second.stderr
            assert "Wait for it to end, or choose another" in second.stderr
        assert list(contents(tmp_path / "bench")) == [LOG]
    finally:
        first.send_signal(signal.SIGCONT)
    said = first.communicate(timeout=120)[1]
    assert first.returncode == 0, said
    assert contents(tmp_path / "bench") == contents(built)


def test_a_full_disk(build, built, tmp_path):
    with small_disk(tmp_path / "bench", FULL) as folder:
        full = run(*build)
        assert full.returncode == 3
        assert f"{LOG} cannot be written: No space left on device." in full.stderr
        assert "the same command, started again, goes on from here" in full.stderr
        assert "Traceback" not in full.stderr
        assert (folder / LOG).read_bytes().endswith(b"}\n")

        enlarge(folder)
        done = run(*build)
        assert done.returncode == 0, done.stderr
        assert contents(folder) == contents(built)
