"""How the replacement was called is said of the problem's own change, alike by a run, a duplicate and the cache."""

import docker
import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.judging.resume.findings import read_finding, write_finding
from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs

BENCH = load_builtin()
PROBLEM = BENCH.problems["builtin/is_square"]
OTHER_REFUSED = """
def is_square(number):
    try:
        my_builtin_sorted([number])
    except TypeError:
        pass
    return my_math_sqrt(value=number) % 1 > 0
"""
OWN_REFUSED = """
def is_square(number):
    numbers = my_builtin_sorted(values=[number])
    return my_math_sqrt(*numbers) % 1 == 0
"""
NEITHER = "def is_square(number):\n    return my_builtin_sorted(values=[number]) == [49]\n"


@pytest.fixture(scope="module")
def findings(docker_client: docker.DockerClient) -> dict[str, Finding]:
    own, every = (BENCH.changes["math.sqrt"],), tuple(BENCH.changes.values())
    jobs = [
        Job(OTHER_REFUSED, PROBLEM, every, "another replacement refused"),
        Job(OWN_REFUSED, PROBLEM, every, "the own one refused"),
        Job(NEITHER, PROBLEM, every, "another one called"),
        Job(PROBLEM.solution, PROBLEM, (), "no change"),
        Job(PROBLEM.solution, PROBLEM, (BENCH.changes["sorted"],), "another change"),
        Job("x" * (9 * 2**20), PROBLEM, own, "too large to be run"),
        Job("", PROBLEM, own, "no program"),
    ]
    return {job.tag: found for job, found in run_jobs(jobs, SandboxOptions(), docker_client)}


def test_it_is_said_of_the_own_change_alone(findings: dict[str, Finding]) -> None:
    assert {tag: found.called for tag, found in findings.items()} == {
        "another replacement refused": "right",
        "the own one refused": "ill_called",
        "another one called": "not_called",
        "no change": None,
        "another change": None,
        "too large to be run": "not_called",
        "no program": "not_called",
    }
    assert findings["another replacement refused"].refused_calls == {"my_builtin_sorted": 4}
    assert findings["the own one refused"].refused_calls == {"my_math_sqrt": 4}


def test_a_kept_finding_says_the_same(findings: dict[str, Finding]) -> None:
    for found in findings.values():
        assert read_finding(write_finding(found)) == found
