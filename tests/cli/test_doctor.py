"""`edittool doctor` and `edittool image`: lines with a state and a fix, JSON, and the exit codes scripts rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.image.build import image_tag

HIDE_TORCH = """
import sys
from importlib.machinery import PathFinder

class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "torch" else super().find_spec(name, path, target)

sys.meta_path[:] = [Hidden if finder is PathFinder else finder for finder in sys.meta_path]
"""


def edittool(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from edittool.cli.main import main; main()", *arguments]
    variables = {**os.environ, "COLUMNS": "200", **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def checks(ended: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {line["subject"]: line for line in json.loads(ended.stdout)["checks"]}


def test_a_machine_that_can_judge(docker_client: docker.DockerClient) -> None:
    ended = edittool("doctor", "--json")
    found = checks(ended)
    assert (ended.returncode, json.loads(ended.stdout)["judging_possible"]) == (0, True)
    assert docker_client.version()["Version"] in found["engine"]["found"]
    assert found["sandbox image"]["found"] == image_tag()
    assert found["sandbox (runc)"]["found"] == "starts, and is confined as asked"
    assert (found["limits"]["state"], found["user namespaces"]["found"]) == ("ok", "not remapped")
    assert all(line["fix"] for line in found.values() if line["state"] == "missing")


def test_a_cache_that_others_can_write_to_is_named_with_the_fix(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    (tmp_path / "cache").mkdir(mode=0o755)
    found = checks(edittool("doctor", "--json", DOCKER_HOST=nowhere, EDITTOOL_CACHE=str(tmp_path / "cache")))["cache"]
    assert (found["state"], found["found"]) == ("ok", str(tmp_path / "cache"))
    (tmp_path / "cache").chmod(0o777)
    found = checks(edittool("doctor", "--json", DOCKER_HOST=nowhere, EDITTOOL_CACHE=str(tmp_path / "cache")))["cache"]
    assert (found["state"], found["judging_needs_it"]) == ("warn", False)
    assert "can be written by others (mode 777)" in found["found"]
    assert f"chmod go-w {tmp_path}/cache" in found["fix"]


@pytest.fixture
def torch_hidden(tmp_path: Path) -> dict[str, str]:
    """Return variables of a Python that cannot find torch: it stands for a machine without it."""
    (tmp_path / "sitecustomize.py").write_text(HIDE_TORCH)
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}


def test_a_machine_without_an_engine(tmp_path: Path, torch_hidden: dict[str, str]) -> None:
    ended = edittool("doctor", "--json", DOCKER_HOST=f"unix://{tmp_path}/none.sock", **torch_hidden)
    engine = checks(ended)["engine"]
    assert (ended.returncode, json.loads(ended.stdout)["judging_possible"]) == (3, False)
    assert engine["state"] == "missing"
    assert "there is no such socket" in engine["found"]
    assert "DOCKER_HOST" in engine["fix"]


def test_torch_is_not_needed(docker_client: docker.DockerClient, torch_hidden: dict[str, str]) -> None:
    ended = edittool("doctor", "--json", **torch_hidden)
    torch = checks(ended)["torch"]
    assert ended.returncode == 0
    assert (torch["state"], torch["fix"]) == ("warn", "pip install 'edittool[edit]'")


def test_the_table_is_for_people(docker_client: docker.DockerClient, torch_hidden: dict[str, str]) -> None:
    ended = edittool("doctor", **torch_hidden)
    assert ended.returncode == 0
    assert "sandbox image" in ended.stdout
    assert "judging is possible" in ended.stdout


def test_image_verify_says_yes_to_every_promise(docker_client: docker.DockerClient) -> None:
    ended = edittool("image", "verify", "--json")
    promises = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert len(promises) > 30
    assert all(promise["kept"] for promise in promises)


def test_image_build_does_nothing_twice(docker_client: docker.DockerClient) -> None:
    before = docker_client.images.get(image_tag()).id
    ended = edittool("image", "build")
    assert ended.returncode == 0
    assert "is there already" in ended.stderr
    assert docker_client.images.get(image_tag()).id == before


@pytest.mark.parametrize("command", ["build", "verify"])
def test_image_without_an_engine(command: str, tmp_path: Path) -> None:
    ended = edittool("image", command, DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: no Docker Engine")
    assert "Traceback" not in ended.stderr
