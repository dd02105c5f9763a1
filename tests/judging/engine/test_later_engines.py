"""Debian 13's Docker, Podman and gVisor: the promises and the verdicts of this machine's engine, or told where not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ...cli.command import run as edittool
from ...later_engines import LaterEngine, later_engine, later_podman
from ...other_engines import Service
from ..same_verdicts import EXPECTED, judge, verdicts
from .podmans_own import PODMANS_OWN, load_image

VERSION_1 = Path("/sys/fs/cgroup/memory")


@pytest.fixture(scope="module")
def engine(sandbox_archive: Path) -> Iterator[LaterEngine]:
    with later_engine(sandbox_archive) as started:
        yield started
        assert started.container_ids() == []


@pytest.fixture(scope="module")
def service(sandbox_archive: Path) -> Iterator[Service]:
    with later_podman() as started:
        load_image(started.host, sandbox_archive)
        yield started


def lines(host: str, *options: str) -> dict[str, dict[str, Any]]:
    told = edittool("doctor", "--json", *options, DOCKER_HOST=host)
    return {line["subject"]: line for line in json.loads(told.stdout)["checks"]}


def broken(host: str, *options: str) -> dict[str, str]:
    told = edittool("image", "verify", "--json", *options, DOCKER_HOST=host)
    promises = json.loads(told.stdout)
    assert len(promises) > 35
    return {promise["promise"]: promise["seen"] for promise in promises if not promise["kept"]}


def test_doctor_finds_each_runtime_fit_and_the_engine_old(engine: LaterEngine) -> None:
    found = lines(engine.host, "--probe")
    assert found["engine"]["found"].startswith("Docker 26.1.")
    assert (found["engine's support"]["state"], found["engine's support"]["found"]) == (
        "warn",
        "26.1: its makers' support ended on 17 February 2025",
    )
    for runtime in ("runc", "crun", "runsc"):
        assert found[f"sandbox ({runtime})"]["found"] == "starts, and is confined as asked"


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_every_promise_is_kept(runtime: str, engine: LaterEngine) -> None:
    assert broken(engine.host, "--runtime", runtime) == {}


@pytest.mark.skipif(not VERSION_1.is_dir(), reason="this machine has no control groups of version 1")
def test_crun_leaves_a_folder_of_version_1_open(engine: LaterEngine) -> None:
    said = broken(engine.host, "--runtime", "crun")
    assert said == {"no file can be created but in /tmp": "/sys/fs/cgroup, /tmp"}


@pytest.mark.parametrize(("runtime", "shared"), [("runc", 1), ("crun", 1), ("runsc", 1), ("runsc", len(EXPECTED))])
def test_each_runtime_finds_the_same(
    runtime: str, shared: int, engine: LaterEngine, tmp_path: Path, bench_folder: Path
) -> None:
    options = ("--runtime", runtime, "--samples-per-container", str(shared))
    done = judge(tmp_path, bench_folder, *options, DOCKER_HOST=engine.host)
    assert done.returncode == 0, done.stderr
    assert verdicts(tmp_path) == EXPECTED
    assert f'"runtime": "{runtime}"' in (tmp_path / "verdicts.jsonl").read_text()


def test_podman_finds_the_same(service: Service, tmp_path: Path, bench_folder: Path) -> None:
    done = judge(tmp_path, bench_folder, DOCKER_HOST=service.host)
    assert done.returncode == 0, done.stderr + service.log()
    assert verdicts(tmp_path) == EXPECTED


def test_podman_keeps_what_it_kept_before(service: Service) -> None:
    assert broken(service.host).keys() <= PODMANS_OWN
    assert lines(service.host)["engine"]["found"].startswith("Podman 5.4.")
