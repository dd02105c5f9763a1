"""`edittool image verify`: a table or JSON, and an exit code that says whether every promise is kept."""

import io
import json
from collections.abc import Iterator

import docker
import pytest

from edittool.judging.image.build import find_image, image_tag

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
