"""The marks say what a test needs, and a run of the pure tests keeps everything else away from them."""

import subprocess
import sys
from pathlib import Path

import docker
import pytest

from edittool.judging.engine.engine import connect
from edittool.schemas.errors import EnvironmentFault

from . import tiers
from .disks import small_disk


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("schemas/test_bench.py", set()),
        ("editing/test_requests.py", {"torch"}),  # its folder's conftest.py imports torch
        ("cli/test_apply.py", {"torch"}),
        ("judging/engine/test_podman.py", {"engines"}),
        ("test_browser.py", {"browser"}),
    ],
)
def test_a_file_is_marked_for_what_it_imports(file: str, expected: set[str]) -> None:
    assert tiers.marks_of_file(tiers.TESTS / file) == expected


def marks(request: pytest.FixtureRequest) -> set[str]:
    return {mark.name for mark in request.node.iter_markers()}


def test_that_takes_nothing(request: pytest.FixtureRequest) -> None:
    assert marks(request) == {"pure"}


def test_that_takes_the_engine(request: pytest.FixtureRequest, docker_client: docker.DockerClient) -> None:
    assert marks(request) == {"docker"}


@pytest.mark.root
def test_that_needs_root(request: pytest.FixtureRequest) -> None:
    assert marks(request) == {"root"}


def test_what_is_not_pure_is_refused_in_a_pure_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tiers.refuse_the_rest(monkeypatch)
    with pytest.raises(EnvironmentFault, match=r"no Docker Engine at unix:///no/engine/for/pure/tests.sock"):
        connect()
    with (
        pytest.raises(pytest.fail.Exception, match="a pure test starts a disk of its own"),
        small_disk(tmp_path / "d", 1),
    ):
        pass
    command = [sys.executable, "-c", "import torch"]
    assert "torch is refused" in subprocess.run(command, capture_output=True, text=True, check=False).stderr
