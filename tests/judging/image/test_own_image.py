"""An own image: the candidate and the shims import its packages, the tests' process does not, and all else stays."""

from collections.abc import Iterator

import docker
import pytest

from edittool.judging.image.build import find_image, image_tag
from edittool.judging.image.own_image import build_own_image, distributions, own_image_tag
from edittool.judging.image.packages import fetch_packages
from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.judging.verify.check import check_image
from edittool.judging.world_check import check_worlds
from edittool.schemas.changes import Change
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.problems import Problem, Test

from ..wheels import SOURCE, write_wheel

pytestmark = pytest.mark.usefixtures("docker_client")

DOUBLE = Change(
    "ourlib.double",
    "ourlib.double",
    "my_double",
    "keyword_only",
    "my_double(*, number)",
    "import ourlib\n\ndef my_double(*, number):\n    return ourlib.double(number)\n",
    "Double the number.",
)
VOLUME = Change(
    "ourlib.Box.volume",
    "ourlib.Box.volume",
    "my_volume",
    "function",
    "my_volume(box, height)",
    "from ourlib import Box\n\ndef my_volume(box, height):\n    return Box.volume(box, height=height)\n",
    "Return the volume of the box.",
)
OLD = "from ourlib import Box, double\n\ndef f(n):\n    return double(n) + Box(n).volume(height=3)\n"
NEW = "from ourlib import Box\n\ndef f(n):\n    return my_double(number=n) + my_volume(Box(n), 3)\n"
HALF = "from ourlib import Box\n\ndef f(n):\n    return my_double(number=n) + Box(n).volume(height=3)\n"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("wheels")
    write_wheel(folder, source=SOURCE)
    return dict(fetch_packages(["ourlib==1.0"], None, folder, "x86_64").files)


@pytest.fixture(scope="module")
def image(docker_client: docker.DockerClient, packages: dict[str, bytes]) -> Iterator[str]:
    """Yield the name of an own image with ourlib; it is removed in the end."""
    name = build_own_image(docker_client, packages, lambda line: None)
    yield name
    docker_client.images.remove(name)


def run(image: str, program: str, *tests: str, changes: tuple[Change, ...] = ()) -> Finding:
    problem = Problem("own/f", "", "f", OLD, tuple(Test("", test) for test in tests), "specificity", None)
    ((_, finding),) = run_jobs([Job(program, problem, changes)], SandboxOptions(workers=1, image=image))
    return finding


def test_the_name_follows_the_standard_image_and_every_file(image: str, packages: dict[str, bytes]) -> None:
    assert image == own_image_tag(packages)
    assert image.startswith(f"{image_tag()}-")
    assert own_image_tag({**packages, "ourlib/__init__.py": b""}) != image
    assert distributions(packages) == ["ourlib==1.0"]


def test_it_keeps_every_promise_of_the_sandbox(docker_client: docker.DockerClient, image: str) -> None:
    assert [check for check in check_image(docker_client, find_image(docker_client, image)) if not check.kept] == []


def test_packages_are_compiled_as_far_as_they_can_be(docker_client: docker.DockerClient, image: str) -> None:
    program = "import os; print(sorted(os.listdir('/edittool/packages/ourlib/__pycache__')))"
    command = ["-P", "-s", "-S", "-B", "-c", program]
    options = {"entrypoint": ["/usr/bin/python3"], "network_mode": "none", "remove": True}
    assert docker_client.containers.run(image, command, **options) == b"['__init__.cpython-311.pyc']\n"


@pytest.mark.parametrize(
    ("program", "changes", "outcome", "calls"),
    [
        (OLD, (), "passed", {}),
        (OLD, (DOUBLE,), "load_error", {"my_double": 0}),
        (OLD, (VOLUME,), "failed", {"my_volume": 0}),
        (HALF, (DOUBLE,), "passed", {"my_double": 1}),
        (HALF, (DOUBLE, VOLUME), "failed", {"my_double": 1, "my_volume": 0}),
        (NEW, (DOUBLE, VOLUME), "passed", {"my_double": 1, "my_volume": 1}),
    ],
)
def test_functions_and_methods_of_a_package_are_removed_and_replaced(
    image: str, program: str, changes: tuple[Change, ...], outcome: str, calls: dict[str, int]
) -> None:
    finding = run(image, program, "assert candidate(2) == 10", changes=changes)
    assert (finding.outcome, dict(finding.calls)) == (outcome, calls), finding.error


def test_the_tests_process_does_not_import_packages(image: str) -> None:
    finding = run(image, OLD, "import ourlib", "import sys; assert not any('packages' in path for path in sys.path)")
    assert [test["passed"] for test in finding.tests] == [False, True]
    assert finding.error is not None
    assert "No module named 'ourlib'" in finding.error["message"]


def test_a_package_never_hides_the_standard_library(docker_client: docker.DockerClient) -> None:
    name = build_own_image(docker_client, {"json/__init__.py": b"loads = None\n"}, lambda line: None)
    try:
        assert run(name, "import json\ndef f(): return json.loads('[1]')\n", "assert candidate() == [1]").outcome == (
            "passed"
        )
    finally:
        docker_client.images.remove(name)


def test_worlds_that_can_be_made(image: str) -> None:
    check_worlds([DOUBLE, VOLUME], SandboxOptions(workers=1, image=image))


def test_a_world_without_its_package_is_the_images_fault() -> None:
    with pytest.raises(EnvironmentFault, match=r"'ourlib\.Box\.volume'.*No module named 'ourlib'.*--image"):
        check_worlds([VOLUME], SandboxOptions(workers=1))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"deprecated": "ourlib.treble"}, "module 'ourlib' has no attribute 'treble'"),
        ({"deprecated": "ourlib.Box.weight"}, "type object 'Box' has no attribute 'weight'"),
        ({"shim": "import ourlib\nmy_double = ourlib.treble\n"}, "module 'ourlib' has no attribute 'treble'"),
        ({"shim": "raise SystemExit('no')\n"}, "SystemExit: no"),
    ],
)
def test_a_world_that_cannot_be_made_is_told_with_its_reason(image: str, fields: dict[str, str], reason: str) -> None:
    row = DOUBLE.to_row() | {"change_id": "broken"} | fields
    with pytest.raises(InputError) as caught:
        check_worlds([VOLUME, Change.from_row(row)], SandboxOptions(workers=1, image=image))
    assert "'broken'" in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("program", "kind", "compiles"),
    [
        ("from ourlib import Box\ndef f(): return Box(1).my_volume(2)", "missing_attribute", False),
        ("from collections import deque\ndef f(): return deque().my_append(2)", "missing_attribute", False),
        ("class Box: pass\ndef f(): return Box().my_volume(2)", "exception", True),
        ("from abc import ABC\nclass Box(ABC): pass\ndef f(): return Box().my_volume(2)", "exception", True),
        ("def f(): return None.my_volume(2)", "exception", True),
    ],
)
def test_an_attribute_that_a_librarys_class_lacks_is_an_unresolved_api(
    image: str, program: str, kind: str, compiles: bool
) -> None:
    finding = run(image, program, "candidate()")
    assert finding.error is not None
    assert (finding.error["kind"], finding.compiles) == (kind, compiles)
