"""The engines of tests: separate from the shared one, and nothing of them is left."""

import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import docker
import pytest

from edittool.judging.image.build import image_tag
from edittool.judging.sandbox.flags import READERS

from .engines import CGROUPS, PrivateEngine, private_engine
from .later_engines import later_engine


def run_container(engine: PrivateEngine, runtime: str | None = None) -> str:
    """Start a sandbox container that waits for its job and return its id."""
    with closing(engine.client()) as client:
        options = {"network_disabled": True, "stdin_open": True, "detach": True, "stop_signal": "SIGKILL"}
        options |= {"runtime": runtime, "group_add": [str(READERS)]}  # gVisor has to read the interpreter
        return str(client.containers.run(image_tag(), ["256", "1024", "1"], **options).id)


def traces(folder: Path) -> list[str]:
    mounts = Path("/proc/self/mountinfo").read_text().count(str(folder))
    processes = subprocess.run(["pgrep", "--full", str(folder)], capture_output=True, text=True, check=False).stdout
    cgroups = [*CGROUPS.glob(folder.name), *CGROUPS.glob(f"*/{folder.name}")]
    return [str(mounts), processes, *map(str, cgroups), *([str(folder)] if folder.exists() else [])]


@pytest.mark.parametrize("end", [PrivateEngine.stop, PrivateEngine.kill])
def test_an_engine_is_ended_and_started_again_and_leaves_nothing(
    end: Callable[[PrivateEngine], None], sandbox_archive: Path, docker_client: docker.DockerClient
) -> None:
    with private_engine(image=sandbox_archive) as engine:
        identity = run_container(engine)
        assert identity not in [container["Id"] for container in docker_client.api.containers(all=True)]
        end(engine)
        engine.start()
        assert engine.container_ids() == [identity]
        end(engine)
        assert len(traces(engine.folder)) > 2
    assert traces(engine.folder) == ["0", ""]


def test_further_flags_are_dockerds_own() -> None:
    with private_engine("--live-restore") as engine, closing(engine.client()) as client:
        assert client.info()["LiveRestoreEnabled"]


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_an_engine_of_a_later_release_leaves_nothing(runtime: str, sandbox_archive: Path) -> None:
    with later_engine(sandbox_archive) as engine:
        identity = run_container(engine, runtime)
        assert engine.container_ids() == [identity]
        assert len(traces(engine.folder)) > 2
    assert traces(engine.folder) == ["0", ""]
