"""Debian 13's Docker, Podman and gVisor: the promises and the verdicts of this machine's engine, or told where not."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.image.build import find_image
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.runtimes import for_engine
from edittool.judging.verify.check import check_image
from edittool.judging.verify.promises import checks

from ...cli.command import run as edittool
from ...later_engines import LaterEngine, later_engine, later_podman
from ...other_engines import Service
from ..same_verdicts import EXPECTED, judge, verdicts
from ..verify.recording import RecordingContainer, change
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


@pytest.fixture(scope="module")
def recorded(engine: LaterEngine) -> tuple[type[RecordingContainer], SandboxOptions]:
    """Return what a container in gVisor shows of itself."""

    class Recording(RecordingContainer):
        pass

    with closing(engine.client()) as client:
        check_image(client, find_image(client), "runsc", Recording)
        return Recording, for_engine(SandboxOptions(runtime="runsc", worlds=False), client)


LOOPBACK = {"interfaces": ["lo"], "routes": []}  # seen from outside
IN_GVISOR = [
    ("answering", ["/dev/fuse"], "no device but the harmless ones"),
    ("devices", {"/dev/sda": ["block", 8, 0]}, "no device but the harmless ones"),
    ("proc", ["1", "self"], "nothing in /proc"),
    ("mount_points", ["/host", "/tmp"], "nothing of the host is mounted"),
    ("mount_points", [], "a tmpfs on /tmp: no program runs there"),
    ("tmp.noexec", False, "a tmpfs on /tmp: no program runs there"),
    ("tmp.bytes", 32 << 20, "16 MiB in /tmp"),
    ("interfaces", ["lo", "eth0"], "no network interface but lo"),
    ("interfaces", [], "no network interface but lo"),
    ("capabilities", {}, "no capability in any of the three sets"),
    ("ids", [20000, 0], "user and groups are nobody else's"),
    ("limits.NPROC", [64, 64], "processes inside limited to 32"),
    ("trusted.memory_bytes", None, "memory limited to 320 MiB"),
    ("trusted.swap", True, "no swap"),
    ("trusted.pids", 32, "processes limited to 320"),
    ("trusted.cpus", 2.0, "CPU limited to 1"),
    ("trusted.dumpable", True, "the trusted process is not dumpable"),
    ("trusted.no_new_privileges", False, "no new privileges"),
    ("trusted.seccomp", False, "seccomp filters on, the container's and the program's"),
]


@pytest.mark.parametrize(("path", "value", "promise"), IN_GVISOR)
def test_one_finding_breaks_one_promise_in_gvisor(
    path: str, value: object, promise: str, recorded: tuple[type[RecordingContainer], SandboxOptions]
) -> None:
    container, options = recorded
    found = {**json.loads(container.result["output"]), **LOOPBACK, "trusted": container.confinement}
    for facts, expected in ((found, set()), (change(found, path, value), {promise})):
        told = checks(facts, facts["trusted"], container.engine, options)
        assert {check.promise for check in told if not check.kept} == expected


@pytest.mark.skipif(not VERSION_1.is_dir(), reason="this machine has no control groups of version 1")
def test_crun_leaves_a_folder_of_version_1_open(engine: LaterEngine) -> None:
    said = broken(engine.host, "--runtime", "crun")
    assert said == {"no file can be created but in /tmp": "/sys/fs/cgroup, /tmp"}


@pytest.mark.alone  # gVisor does not tell how long a program was kept waiting: on a busy machine that is no verdict
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
