"""An engine that answers with an error: a message with cause and fix, whatever was asked of it, and no traceback."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from edittool.judging.engine.engine import engine_host
from edittool.judging.image.build import image_tag

from ...cli.command import run as edittool
from ...failing_engine import failing_engine
from ..same_verdicts import judge

# What fails, and the commands that ask for it.
REQUESTS = {
    "GET /version": ["doctor", "image verify", "image build --force", "judge"],
    "GET /info": ["doctor", "image verify", "judge"],
    "GET /images/": ["doctor", "image verify", "image build", "judge"],
    "POST /build": ["image build --force --base {image}"],
    "POST /containers/create": ["image verify"],
    r"POST /containers/\w+/attach": ["image verify"],
    r"GET /containers/\w+/json": ["image verify"],
}


@pytest.fixture
def socket_path(docker_client: docker.DockerClient) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edittool-", dir="/tmp") as folder:  # a socket's path has to be short
        yield Path(folder, "engine.sock")


@pytest.mark.parametrize(
    ("request_", "command"), [(request, command) for request, commands in REQUESTS.items() for command in commands]
)
def test_an_error_is_a_message_with_a_remedy(
    request_: str, command: str, socket_path: Path, bench_folder: Path, tmp_path: Path
) -> None:
    engine = Path(engine_host().removeprefix("unix://"))
    with failing_engine(engine, socket_path, request_) as host:
        if command == "judge":
            done = judge(tmp_path, bench_folder, DOCKER_HOST=host)
        else:
            done = edittool(*command.format(image=image_tag()).split(), DOCKER_HOST=host, COLUMNS="400")
    said = done.stderr + done.stdout
    assert done.returncode == 3, said
    assert "the disk \\x1b[2J is on fire" in said
    assert "Traceback" not in said
    assert "journalctl --unit docker" in said or "edittool doctor" in said
    assert not (tmp_path / "verdicts.jsonl").exists()


def test_a_refusal_is_told_as_well(socket_path: Path) -> None:
    engine = Path(engine_host().removeprefix("unix://"))
    with failing_engine(engine, socket_path, "POST /build", 403) as host:
        done = edittool("image", "build", "--force", "--base", image_tag(), DOCKER_HOST=host)
    assert done.returncode == 3
    assert "answered with error 403: the disk" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_requests_reach_the_engine(socket_path: Path) -> None:
    engine = Path(engine_host().removeprefix("unix://"))
    with failing_engine(engine, socket_path, "POST /nothing") as host:
        done = edittool("image", "verify", DOCKER_HOST=host)
    assert done.returncode == 0, done.stderr
