"""Hostile programs in an own image whose package has compiled parts: what comes with it opens no way out.

What looks for the tests, leaves the sandbox, or exhausts it runs in containers of an image with numpy, which brings
shared libraries, a larger address space, and a folder that programs import from.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import docker
import pytest

from edittool.judging.image.own_image import build_own_image
from edittool.judging.sandbox.job import Finding

from ..judging.wheels import installed
from .cases import Case, read_cases
from .suite import OPTIONS, check_case, judge_all

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow, pytest.mark.alone]

SHARED: Final = 16  # programs in a container
CASES: Final = [case for case in read_cases() if case.family in {"theft", "escape", "denial"}]


@pytest.fixture(scope="module")
def findings(docker_client: docker.DockerClient) -> Iterator[Mapping[str, Finding]]:
    """Judge the cases in an image with numpy; it is removed in the end."""
    # A file of its own, for the image to be this test's alone.
    image = build_own_image(docker_client, {**installed("numpy"), "hostile.py": b""}, lambda line: None)
    yield judge_all(CASES, replace(OPTIONS, image=image), SHARED, docker_client)
    docker_client.images.remove(image)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_attack_is_named_finds_no_test_and_leaves_the_next_program_alone(
    case: Case, findings: Mapping[str, Finding]
) -> None:
    check_case(case, findings, "recycled")
