"""Runtimes of a Docker Engine, and an engine with user namespaces: the same verdicts, or a refusal that says why."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edittool.judging.sandbox import time_limits
from edittool.judging.sandbox.job import Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

from ...cli.command import run as edittool
from ...engines import PrivateEngine, private_engine
from ..same_verdicts import EXPECTED, judge, verdicts

UNIFIED = Path("/sys/fs/cgroup/unified")  # where it is, the machine has control groups of both versions
# crun of Debian 12 refuses such machines. It is given a view of this one without the second version.
WITHOUT_UNIFIED = """#!/bin/sh
exec unshare --mount --propagation slave sh -c 'umount {unified} && exec {crun} "$@"' crun "$@"
"""
GVISOR = """#!/bin/sh
exec {runsc} --network=none --platform=ptrace {more} "$@"
"""


def installed(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: scripts/setup-engines.sh does that where it can")
    return path


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write an executable file and return its path."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def engine(request: pytest.FixtureRequest, sandbox_archive: Path) -> Iterator[PrivateEngine]:
    with private_engine(*getattr(request, "param", ()), image=sandbox_archive) as started:
        yield started
        assert started.container_ids() == []


def test_crun_finds_what_runc_finds(
    tmp_path: Path, bench_folder: Path, sandbox_archive: Path, script: Callable[[str, str], Path]
) -> None:
    crun = installed("crun")
    if UNIFIED.is_dir():
        crun = str(script("crun", WITHOUT_UNIFIED.format(unified=UNIFIED, crun=crun)))
    with private_engine(f"--add-runtime=crun={crun}", image=sandbox_archive) as engine:
        done = judge(tmp_path, bench_folder, "--runtime", "crun", DOCKER_HOST=engine.host)
        assert done.returncode == 0, done.stderr
        assert engine.container_ids() == []
    assert verdicts(tmp_path) == EXPECTED
    assert '"runtime": "crun"' in (tmp_path / "verdicts.jsonl").read_text()


@pytest.mark.slow  # a failing start is tried again for eight seconds before it is no bad luck
@pytest.mark.skipif(not UNIFIED.is_dir(), reason="this machine has control groups of one version, which crun accepts")
def test_crun_refuses_control_groups_of_both_versions(
    tmp_path: Path, bench_folder: Path, sandbox_archive: Path
) -> None:
    with private_engine(f"--add-runtime=crun={installed('crun')}", image=sandbox_archive) as engine:
        said, advice = refuse(engine, "crun", tmp_path, bench_folder)
    assert "cgroups in hybrid mode not supported" in said
    assert "systemd.unified_cgroup_hierarchy=1" in advice


@pytest.mark.alone  # gVisor does not tell how long a program was kept waiting: on a busy machine that is no verdict
def test_gvisor_finds_what_runc_finds(
    tmp_path: Path, bench_folder: Path, sandbox_archive: Path, script: Callable[[str, str], Path]
) -> None:
    runsc = script("runsc", GVISOR.format(runsc=installed("runsc"), more="--oci-seccomp"))
    with private_engine(f"--add-runtime=runsc={runsc}", image=sandbox_archive) as engine:
        done = judge(tmp_path, bench_folder, "--runtime", "runsc", DOCKER_HOST=engine.host)
        assert done.returncode == 0, done.stderr
        assert engine.container_ids() == []
    assert verdicts(tmp_path) == EXPECTED


@pytest.mark.slow
def test_in_gvisor_a_limit_is_believed_after_three_trials_alone_at_most(
    tmp_path: Path, sandbox_archive: Path, script: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = tmp_path / "stat"
    busy.write_text("cpu  0 0 0 0 0\n")  # a machine whose CPUs are never idle
    monkeypatch.setattr(time_limits, "STAT", busy)
    runsc = script("runsc", GVISOR.format(runsc=installed("runsc"), more="--oci-seccomp"))
    problem = Problem("own/f", "", "f", "def f(): return 1\n", (Test("", "assert f() == 1"),), "specificity", None)
    waits = Job("import time\ndef f(): time.sleep(60)\n", problem)
    with private_engine(f"--add-runtime=runsc={runsc}", image=sandbox_archive) as engine:
        with closing(engine.client()) as client:
            options = SandboxOptions(limits=Limits(wall_seconds=1.0), runtime="runsc")
            ((_, finding),) = run_jobs([waits], options, client)
        assert engine.container_ids() == []
    assert (finding.outcome, finding.attempts) == ("sandbox_error", 4)


# What it is called, what it is told, what a refusal says, and what doctor advises.
REFUSED = {
    "without the filter": ("runsc", "", "seccomp is False, not True", "--oci-seccomp"),
    "under another name": ("other", "--oci-seccomp", "failed to load /usr/bin/python3: permission denied", "runsc"),
}


@pytest.mark.slow  # a failing start is tried again for eight seconds
@pytest.mark.parametrize(("name", "told", "reason", "advice"), REFUSED.values(), ids=REFUSED)
def test_gvisor_is_refused(
    name: str,
    told: str,
    reason: str,
    advice: str,
    tmp_path: Path,
    bench_folder: Path,
    sandbox_archive: Path,
    script: Callable[[str, str], Path],
) -> None:
    path = script(name, GVISOR.format(runsc=installed("runsc"), more=told))
    with private_engine(f"--add-runtime={name}={path}", image=sandbox_archive) as engine:
        said, advised = refuse(engine, name, tmp_path, bench_folder)
    assert reason in said
    assert advice in advised


def refuse(engine: PrivateEngine, runtime: str, folder: Path, bench: Path) -> tuple[str, str]:
    """Judge with a runtime that cannot, and return what `judge` said and what `doctor` advises."""
    done = judge(folder, bench, "--runtime", runtime, DOCKER_HOST=engine.host)
    probed = edittool("doctor", "--probe", "--json", DOCKER_HOST=engine.host)
    assert engine.container_ids() == []
    assert done.returncode == 3
    assert not (folder / "verdicts.jsonl").exists()
    assert probed.returncode == 0  # runc, the default, judges
    return done.stderr, probed.stdout


@pytest.mark.parametrize("engine", [["--userns-remap=default"]], indirect=True)
def test_an_engine_with_user_namespaces(engine: PrivateEngine, tmp_path: Path, bench_folder: Path) -> None:
    done = judge(tmp_path, bench_folder, DOCKER_HOST=engine.host)
    assert done.returncode == 0, done.stderr
    assert verdicts(tmp_path) == EXPECTED
    assert "root inside is nobody outside" in edittool("doctor", "--json", DOCKER_HOST=engine.host).stdout


def test_a_runtime_that_the_engine_does_not_know(tmp_path: Path, bench_folder: Path) -> None:
    done = judge(tmp_path, bench_folder, "--runtime", "rinc")
    assert done.returncode == 3
    assert "knows no runtime 'rinc'" in done.stderr
    assert "/etc/docker/daemon.json" in done.stderr
