"""What an own image was built for is imported in its sandbox: what that took, and why it could not be."""

import importlib.metadata
import re
from collections.abc import Callable, Iterator

import docker
import pytest

from edittool.judging.image.own_image import build_own_image
from edittool.judging.verify.imports import check_imports
from edittool.schemas.errors import EdittoolError

from ..wheels import installed

pytestmark = pytest.mark.usefixtures("docker_client")

MODULES = {"ourlib==1.0": ("ourlib",)}
Build = Callable[[dict[str, str | bytes]], tuple[str, list[str]]]


@pytest.fixture
def build(docker_client: docker.DockerClient) -> Iterator[Build]:
    """Return a function that builds an own image of files and returns its name, and what the build said.

    The images are removed in the end.
    """
    built = []

    def image_of(files: dict[str, str | bytes]) -> tuple[str, list[str]]:
        contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        said: list[str] = []
        built.append(build_own_image(docker_client, contents, said.append, fresh=True))
        return built[-1], said

    yield image_of
    for name in built:
        docker_client.images.remove(name)


def test_what_an_import_took_is_told(docker_client: docker.DockerClient, build: Build) -> None:
    image, _ = build({"ourlib/__init__.py": "kept = bytearray(50 * 2**20)\nsum(range(3_000_000))\n"})
    (found,) = check_imports(docker_client, image, MODULES)
    assert (found.distribution, found.modules, found.failed, found.memory_mib) == ("ourlib==1.0", ("ourlib",), {}, 256)
    assert found.peak_mib > 50
    assert found.cpu_seconds > 0.01


def test_one_that_needs_more_memory_says_how_much(docker_client: docker.DockerClient, build: Build) -> None:
    image, _ = build({"ourlib/__init__.py": "kept = bytearray(300 * 2**20)\n"})
    (found,) = check_imports(docker_client, image, MODULES)
    assert found.memory_mib == 512
    assert found.peak_mib > 300


def test_of_several_modules_some_may_be_missing(docker_client: docker.DockerClient, build: Build) -> None:
    image, _ = build({"ourlib/__init__.py": "", "ourlib_extra.py": "import nothing_of_the_kind\n"})
    (found,) = check_imports(docker_client, image, {"ourlib==1.0": ("ourlib", "ourlib_extra")})
    assert found.modules == ("ourlib",)
    assert found.failed == {"ourlib_extra": "ModuleNotFoundError: No module named 'nothing_of_the_kind'"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import nothing_of_the_kind\n",
            r"import ourlib: .*No module named 'nothing_of_the_kind'\. Ask for the package",
        ),
        ("import socket\nsocket.socket()\n", r"import ourlib: PermissionError: .*Ask for another version"),
        ("import os\nos._exit(0)\n", r"import ourlib: .*Ask for another version"),
        (
            "raise SystemExit('not on Sundays')\n",
            r"import ourlib: SystemExit: not on Sundays\. Ask for another version",
        ),
    ],
)
def test_why_nothing_can_be_imported(
    docker_client: docker.DockerClient, build: Build, source: str, message: str
) -> None:
    image, _ = build({"ourlib/__init__.py": source})
    with pytest.raises(EdittoolError, match=r"ourlib==1\.0 cannot be imported in the sandbox: " + message):
        check_imports(docker_client, image, MODULES)


def test_a_library_that_neither_wheel_nor_base_has_is_named(docker_client: docker.DockerClient, build: Build) -> None:
    files = installed("tree-sitter")
    (binding,) = (path for path in files if re.fullmatch(r"tree_sitter/_binding\..*\.so", path))
    files[binding] = files[binding].replace(b"libc.so.6\0", b"libx.so.9\0")
    image, said = build(dict(files))
    assert f"note: {binding} needs libx.so.9, which the base of the image lacks" in said
    modules = {f"tree-sitter=={importlib.metadata.version('tree-sitter')}": ("tree_sitter",)}
    with pytest.raises(EdittoolError, match=r"libx\.so\.9: cannot open shared object file.*--base IMAGE"):
        check_imports(docker_client, image, modules)
