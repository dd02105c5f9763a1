"""The sandbox image: its name follows its sources, and a container of it holds what the sandbox promises."""

import io
import json
import re
from collections.abc import Iterator

import docker
import pytest
from docker.errors import ImageNotFound

from edittool.judging.image.build import build_image, find_image, image_sources, image_tag
from edittool.schemas.errors import EdittoolError, EnvironmentFault

# A runner of our own, so that nothing here depends on the real one.
RUNNER = b"def main():\n    import sys\n    print('runner', *sys.argv[1:], [p for p in sys.path if 'edittool' in p])\n"


@pytest.fixture(scope="module")
def own_image(docker_client: docker.DockerClient) -> Iterator[str]:
    """Yield the id of an image built from the real sources but for the runner."""
    sources = {**image_sources(), "trusted/runner.py": RUNNER}
    yield build_image(docker_client, None, lambda line: None, sources=sources)
    docker_client.images.remove(image_tag(sources), noprune=True)


def run(client: docker.DockerClient, image: str, *command: str, **options: object) -> str:
    """Return what a container of `image` prints."""
    settings = {"network_mode": "none", "read_only": True, "remove": True, **options}
    output: bytes = client.containers.run(image, list(command), **settings)
    return output.decode()


def python(client: docker.DockerClient, image: str, program: str, **options: object) -> str:
    return run(client, image, "-P", "-s", "-S", "-B", "-c", program, entrypoint=["/usr/bin/python3"], **options)


def test_tag_is_a_digest_of_the_sources() -> None:
    assert re.fullmatch(r"edittool-sandbox-python:[0-9a-f]{16}", image_tag())
    assert {
        "image/Dockerfile",
        "trusted/runner.py",
        "image/seccomp.json",
        "image/strip_base.py",
        "image/make_base.sh",
    } <= image_sources().keys()


@pytest.mark.parametrize("name", ["image/Dockerfile", "trusted/runner.py", "image/seccomp.json"])
def test_any_change_of_a_source_gives_another_tag(name: str) -> None:
    sources = image_sources()
    assert image_tag({**sources, name: sources[name] + b"\n"}) != image_tag(sources)


def test_tag_tells_names_from_contents() -> None:
    assert image_tag({"a": b"bc"}) != image_tag({"ab": b"c"})


def test_an_image_that_is_not_there_names_the_command(docker_client: docker.DockerClient) -> None:
    with pytest.raises(EnvironmentFault, match="edittool image build"):
        find_image(docker_client, "edittool-sandbox-python:never-built")


def test_an_image_with_another_runner_is_refused(docker_client: docker.DockerClient, own_image: str) -> None:
    with pytest.raises(EnvironmentFault, match=r"built for another version of the sandbox.*Build it again"):
        find_image(docker_client, own_image)


def test_an_image_without_a_runner_is_refused(docker_client: docker.DockerClient) -> None:
    built = {"fileobj": io.BytesIO(b"FROM scratch\nENV NOTHING=here\n"), "rm": True}
    image, _ = docker_client.images.build(**built)
    try:
        with pytest.raises(EnvironmentFault, match="is no sandbox image of edittool"):
            find_image(docker_client, str(image.id))
    finally:
        docker_client.images.remove(image.id, force=True)


def test_a_name_that_is_none(docker_client: docker.DockerClient) -> None:
    with pytest.raises(EnvironmentFault, match="no sandbox image 'No Name!'"):
        find_image(docker_client, "No Name!")


def test_a_base_that_does_not_exist(docker_client: docker.DockerClient) -> None:
    with pytest.raises(EnvironmentFault, match="edittool-no-such-base"):
        build_image(docker_client, "localhost:1/edittool-no-such-base", lambda line: None)


def test_a_build_that_fails_shows_its_last_words(docker_client: docker.DockerClient) -> None:
    sources = {**image_sources(), "image/strip_base.py": b"raise SystemExit('no disk left')\n"}
    with pytest.raises(EdittoolError, match="no disk left"):
        build_image(docker_client, None, lambda line: None, sources=sources)
    with pytest.raises(ImageNotFound):
        docker_client.images.get(image_tag(sources))


def test_building_again_gives_the_same_image(docker_client: docker.DockerClient, own_image: str) -> None:
    sources = {**image_sources(), "trusted/runner.py": RUNNER}
    said: list[str] = []
    assert build_image(docker_client, None, said.append, sources=sources) == own_image
    assert docker_client.images.get(image_tag(sources)).id == own_image
    assert any(line.startswith("Step ") for line in said)


def test_the_runner_is_what_starts(docker_client: docker.DockerClient, own_image: str) -> None:
    assert run(docker_client, own_image, "256", "1000") == "runner 256 1000 []\n"


def test_python_finds_its_compiled_standard_library(docker_client: docker.DockerClient, own_image: str) -> None:
    program = (
        "import json, os, sys, sqlite3, ssl, hashlib, decimal, ctypes, zlib, bz2, lzma, uuid, threading\n"
        "thread = threading.Thread(target=print); thread.start(); thread.join()\n"
        "compiled = json.__cached__\n"
        "print(json.dumps([sys.version_info[:2], sys.prefix, sys.path, compiled, os.path.exists(compiled)]))"
    )
    version, prefix, path, cached, exists = json.loads(python(docker_client, own_image, program))
    assert (version, prefix, exists) == ([3, 11], "/usr", True)
    assert path == ["/usr/lib/python311.zip", "/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload"]
    assert cached == "/usr/lib/python3.11/json/__pycache__/__init__.cpython-311.pyc"


@pytest.mark.parametrize("module", ["pip", "ensurepip", "idlelib", "tkinter", "test", "site-packages", "venv"])
def test_what_no_program_needs_is_gone(docker_client: docker.DockerClient, own_image: str, module: str) -> None:
    program = f"import os; print([f for f, _, _ in os.walk('/usr') if os.path.basename(f) == {module!r}])"
    assert python(docker_client, own_image, program) == "[]\n"


def test_the_interpreter_is_execute_only_and_single(docker_client: docker.DockerClient, own_image: str) -> None:
    """Asked as root, who sees everything: one file, mode 0751, one name, and no copy of it anywhere."""
    program = (
        "import os, stat\n"
        "me = os.stat('/usr/bin/python3')\n"
        "twins = [os.path.join(d, f) for d, _, fs in os.walk('/usr') for f in fs\n"
        "         if os.lstat(os.path.join(d, f)).st_size == me.st_size]\n"
        "print(oct(stat.S_IMODE(me.st_mode)), me.st_uid, me.st_gid, me.st_nlink, twins)"
    )
    assert python(docker_client, own_image, program, user="0:0") == "0o751 0 19999 1 ['/usr/bin/python3']\n"


def test_the_runners_modules_are_roots_and_compiled(docker_client: docker.DockerClient, own_image: str) -> None:
    program = (
        "import os, stat\n"
        "for folder, _, files in os.walk('/edittool'):\n"
        "    for name in files:\n"
        "        status = os.stat(os.path.join(folder, name))\n"
        "        print(name, status.st_uid, status.st_gid, oct(stat.S_IMODE(status.st_mode)))"
    )
    rows = [line.split() for line in python(docker_client, own_image, program).splitlines()]
    assert {"runner.py", "runner.cpython-311.pyc", "world.py"} <= {name for name, *_ in rows}
    assert "strip_base.py" not in {name for name, *_ in rows}
    assert {tuple(rest) for _, *rest in rows} == {("0", "0", "0o644")}
