"""`edittool image`: an own image is imported from once; what is verified, listed and removed, with its exit codes."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from edittool.judging.image.build import REPOSITORY, RUNNER_LABEL, find_image, image_tag

from ..engines import private_engine
from ..judging.wheels import write_wheel
from .command import run

pytestmark = pytest.mark.usefixtures("docker_client")

TAG = "edittool-test-with-a-shell"


@pytest.fixture(scope="module")
def image_with_a_shell(docker_client: docker.DockerClient) -> Iterator[str]:
    """Yield the name of a sandbox image in which something is called `sh`."""
    recipe = f"FROM {find_image(docker_client)}\nWORKDIR /usr/lib/sh\nCOPY --from={image_tag()} /usr/bin/python3 sh\n"
    built, _ = docker_client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=TAG, network_mode="none", rm=True)
    yield TAG
    docker_client.images.remove(built.id, force=True)


def test_every_promise_is_kept_and_shown_with_what_was_seen() -> None:
    ended = run("image", "verify", COLUMNS="200")
    assert ended.returncode == 0, ended.stderr
    assert image_tag() in ended.stdout
    for row in ("root file system read-only", "16 MiB, 1,024 inodes", "memory limited to 256 MiB", "log driver none"):
        assert row in ended.stdout
    assert ended.stderr == ""


def test_json_has_promise_kept_and_seen_of_each() -> None:
    ended = run("image", "verify", "--json")
    checks = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert {frozenset(check) for check in checks} == {frozenset({"promise", "kept", "seen"})}
    assert {check["kept"] for check in checks} == {True}
    assert {"no shell", "no swap", "system calls refused"} <= {check["promise"] for check in checks}


def test_a_broken_promise_is_an_environment_fault(image_with_a_shell: str) -> None:
    ended = run("image", "verify", "--image", image_with_a_shell, "--json")
    assert ended.returncode == 3
    broken = {check["promise"]: check["seen"] for check in json.loads(ended.stdout) if not check["kept"]}
    assert broken == {"no shell": "sh", "no other program": "/usr/lib/sh/sh"}
    assert "2 of " in ended.stderr
    assert "edittool doctor" in ended.stderr


def test_an_image_that_is_not_there_is_named() -> None:
    ended = run("image", "verify", "--image", "edittool-test-no-such-image")
    assert ended.returncode == 3
    assert "edittool-test-no-such-image" in ended.stderr


def test_what_importing_a_package_took_is_told(docker_client: docker.DockerClient, tmp_path: Path) -> None:
    write_wheel(tmp_path, source="kept = bytearray(300 * 2**20)\n")
    ended = run("image", "build", "--package", "ourlib==1.0", "--wheels", tmp_path)
    try:
        assert ended.returncode == 0, ended.stderr
        assert "ourlib==1.0: import ourlib took 0." in ended.stderr
        assert "give `judge` and `bench build` --memory 512" in ended.stderr
    finally:
        docker_client.images.remove(ended.stdout.strip())


def test_there_is_no_image_with_a_package_that_cannot_be_imported(
    docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    write_wheel(tmp_path, source="import nothing_of_the_kind\n")
    for _ in range(2):
        ended = run("image", "build", "--package", "ourlib==1.0", "--wheels", tmp_path)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert "ourlib==1.0 cannot be imported in the sandbox: import ourlib: " in ended.stderr
        assert "No module named 'nothing_of_the_kind'. Ask for the package that has it" in ended.stderr


def test_images_are_listed_and_those_of_other_versions_removed(sandbox_archive: Path) -> None:
    old = f"{REPOSITORY}:0123456789abcdef"
    with private_engine(image=sandbox_archive) as engine, closing(engine.client()) as client:
        recipe = io.BytesIO(f"FROM {image_tag()}\n".encode())
        client.images.build(fileobj=recipe, tag=old, labels={RUNNER_LABEL: old}, network_mode="none", rm=True)

        def images(*arguments: str) -> tuple[int, str, str]:
            ended = run("image", *arguments, DOCKER_HOST=engine.host)
            return ended.returncode, ended.stdout, ended.stderr

        code, listed, said = images("list")
        assert (code, said) == (0, "")
        first, second = listed.splitlines()
        assert first.startswith(image_tag())
        assert second.startswith(old)
        assert second.endswith("of another version")
        assert [one["name"] for one in json.loads(images("list", "--json")[1])] == [image_tag(), old]

        code, _, said = images("prune")
        assert code == 2
        assert "there is nobody to ask: give --yes" in said
        assert images("prune", "--dry-run") == (0, f"{second}\n", "")
        assert images("prune", "--yes") == (0, f"removed {old}\n", "")
        assert images("prune", "--yes") == (0, "", "no image is to be removed\n")
        assert images("list")[1] == f"{first}\n"
