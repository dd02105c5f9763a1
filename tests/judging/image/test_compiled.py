"""An own image of a package with compiled parts: numpy imports, computes, and the sandbox keeps its promises."""

import importlib.metadata
from collections.abc import Iterator

import docker
import pytest

from edittool.judging.image.build import find_image
from edittool.judging.image.own_image import build_own_image
from edittool.judging.sandbox.job import Finding, Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.judging.verify.check import check_image
from edittool.judging.verify.imports import check_imports
from edittool.schemas.problems import Problem, Test

from ..wheels import installed

pytestmark = [pytest.mark.usefixtures("docker_client"), pytest.mark.slow]

COMPUTES = """
import numpy as np

def f(n):
    matrix = np.random.default_rng(0).normal(size=(n, n)) + n * np.eye(n)
    wanted = np.arange(float(n))
    return np.abs(matrix @ np.linalg.solve(matrix, wanted) - wanted).max() < 1e-9
"""
THREADS = """
import os
import numpy as np

def f(n):
    np.ones((n, n)) @ np.ones((n, n))
    return len(os.listdir("/proc/self/task"))
"""
HUNGRY = """
import numpy as np

def f(n):
    return np.ones(2**n).sum()
"""


RETURNS = """
import numpy as np

def f(kind):
    return {
        "int": np.array([1, 2]).sum(),
        "float": np.float64(0.5),
        "float32": np.float32(0.5),
        "bool": np.array([True]).all(),
        "complex": np.complex64(1j),
        "list": list(np.array([1, 2], dtype="int8")),
        "array": np.array([1, 2]),
    }[kind]
"""


@pytest.fixture(scope="module")
def image(docker_client: docker.DockerClient) -> Iterator[str]:
    """Yield the name of an own image with numpy; it is removed in the end."""
    name = build_own_image(docker_client, installed("numpy"), lambda line: None)
    yield name
    docker_client.images.remove(name)


def run(image: str, program: str, *tests: str, shared: int = 1) -> Finding:
    problem = Problem("own/f", "", "f", program, tuple(Test("", test) for test in tests), "specificity", None)
    options = SandboxOptions(workers=1, image=image, jobs_per_container=shared)
    *_, (_, finding) = run_jobs([Job(program, problem)] * shared, options)
    return finding


def test_it_imports_within_the_usual_memory(docker_client: docker.DockerClient, image: str) -> None:
    modules = {f"numpy=={importlib.metadata.version('numpy')}": ("numpy",)}
    (found,) = check_imports(docker_client, image, modules)
    assert (found.modules, found.failed, found.memory_mib) == (("numpy",), {}, Limits().memory_mib)


@pytest.mark.parametrize("shared", [1, 3], ids=["container", "recycled"])
def test_it_computes(image: str, shared: int) -> None:
    finding = run(image, COMPUTES, "assert candidate(200)", shared=shared)
    assert (finding.outcome, finding.error) == ("passed", None)


def test_a_number_of_numpy_equals_pythons_and_an_array_is_no_list(image: str) -> None:
    tests = ["('int') == 3", "('float') == 0.5", "('float32') == 0.5", "('bool') == True", "('complex') == 1j"]
    tests += ["('list') == [1, 2]", "('int') != 4", "('array') == [1, 2]"]
    finding = run(image, RETURNS, *(f"assert candidate{test}" for test in tests))
    assert [test["passed"] for test in finding.tests] == [True] * 7 + [False]


def test_it_starts_no_threads(image: str) -> None:
    assert run(image, THREADS, "assert candidate(300) == 1").outcome == "passed"


def test_memory_is_limited_as_without_it(image: str) -> None:
    finding = run(image, HUNGRY, "assert candidate(10) == 1024", "candidate(28)")
    assert [test["passed"] for test in finding.tests] == [True, False]
    assert "MemoryError" in str(finding.error) or finding.outcome == "out_of_memory", finding.error


def test_it_keeps_every_promise_of_the_sandbox(docker_client: docker.DockerClient, image: str) -> None:
    assert [check for check in check_image(docker_client, find_image(docker_client, image)) if not check.kept] == []
