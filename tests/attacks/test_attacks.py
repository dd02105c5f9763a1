"""Hostile programs, alone in containers and sharing them: what each is found to be, and that it harmed nothing.

A case is a folder below `cases`. Outcome, stage, error and output are compared with what it says; after each case a
good program is judged, which has to pass. The host is looked at before and after.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import docker
import pytest

from edittool.judging.sandbox.job import Finding, Limits
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.pool import LABEL, OWNER_LABEL, owner_of_this_process
from edittool.judging.sandbox.run_jobs import run_jobs

from .cases import FAMILIES, PROBLEM, Case, read_cases
from .host import Host, observe

# Each mode is one run, whose time counts for its first test: more than 500 programs, many of which go on until a limit
# ends them. The host is compared as a whole.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow, pytest.mark.alone]

ALL = read_cases()
SEQUENCES = [case for case in ALL if "next" in case.verdict]
WAITING = [case for case in ALL if case.waits and case not in SEQUENCES]
OTHERS = [case for case in ALL if case not in SEQUENCES and case not in WAITING]

# Programs that use up their CPU time never come to the limit on wall time, however busy the machine is.
LIMITED = Limits(cpu_seconds=1.0, total_cpu_seconds=1.0, wall_seconds=120.0)
OPTIONS = SandboxOptions(limits=LIMITED, workers=4, attempts=2)
# Those that wait for their end use none: many of them can wait at once, and not for long.
IMPATIENT = replace(OPTIONS, limits=replace(OPTIONS.limits, wall_seconds=3.0), workers=8)

LIMITS = {"cpu": "s of CPU time; ", "wall": "s of wall time; ", "runner": "the runner did not answer"}
EACH = pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)


@dataclass(frozen=True)
class Run:
    """What came of all cases in one mode, by the names of the jobs, and the host before and after."""

    isolation: str
    findings: Mapping[str, Finding]
    before: Host
    after: Host


@pytest.fixture(scope="module", params=[1, MAX_JOBS_PER_CONTAINER], ids=["container", "recycled"])
def run(
    request: pytest.FixtureRequest, docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Judge every case, each followed by a good program, in an empty working directory."""
    shared = request.param
    before = observe()
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("cwd")
        patch.chdir(empty)
        findings = {
            **_judge(OTHERS, replace(OPTIONS, jobs_per_container=shared), docker_client),
            **_judge(WAITING, replace(IMPATIENT, jobs_per_container=shared), docker_client),
            # A container for each sequence.
            **_judge(SEQUENCES, replace(OPTIONS, jobs_per_container=min(shared, 3)), docker_client),
        }
        assert os.listdir(empty) == []
    return Run(OPTIONS.isolation if shared == 1 else "recycled", findings, before, observe())


def _judge(cases: Iterable[Case], options: SandboxOptions, client: docker.DockerClient) -> dict[str, Finding]:
    jobs = (job for case in cases for job in case.jobs())
    return {job.tag: finding for job, finding in run_jobs(jobs, options, client)}


def test_there_are_attacks_of_every_family():
    families = [case.family for case in ALL]
    assert {family: families.count(family) >= 5 for family in FAMILIES} == dict.fromkeys(FAMILIES, True)
    assert len(ALL) >= 160


def test_no_two_programs_are_the_same():
    assert len({case.programs for case in ALL}) == len(ALL)


@EACH
def test_the_attack_is_named_finds_no_test_and_leaves_the_next_program_alone(case, run):
    _is_named_for_what_it_is(case, run)
    assert not [name for name in case.expected(run.isolation) if "STOLEN" in run.findings[name].output]
    found = run.findings[f"{case.name}: the good one"]
    assert (found.outcome, found.tests_passed, found.error) == ("passed", len(PROBLEM.tests), None)
    assert found.attempts == 1


def _is_named_for_what_it_is(case: Case, run: Run) -> None:
    for name, expected in case.expected(run.isolation).items():
        found = run.findings[name]
        error = found.error or {}
        seen = (found.outcome, found.stage, error.get("kind"), found.attempts)
        wanted = (expected["outcome"], expected["stage"], expected["error_kind"], expected.get("attempts", 1))
        assert seen == wanted, (name, found.error, found.output)
        assert LIMITS.get(expected.get("limit"), "") in error.get("message", ""), error
        assert expected.get("error", "") in f"{error.get('type')}: {error.get('message')}", error
        assert expected.get("output", "") in found.output
        assert found.tests_passed == expected.get("tests_passed", _passes(expected, found))
        assert (found.disagreement is not None) == expected.get("disagreement", False)


def _passes(expected: Mapping[str, Any], found: Finding) -> int:
    return len(found.tests) if expected["outcome"] == "passed" else 0


def test_a_timeout_says_which_limit_it_was():
    verdicts = [facts for case in ALL for facts in case.expected("container").values()]
    assert all(facts.get("limit") in LIMITS for facts in verdicts if facts["outcome"] == "timeout")


def test_the_host_is_unchanged(run):
    changed = {name: run.before[name] ^ run.after[name] for name in run.before}
    assert changed == dict.fromkeys(run.before, frozenset())


def test_no_container_is_left(run, docker_client):
    mine = f"{OWNER_LABEL}={owner_of_this_process()}"
    left = docker_client.containers.list(all=True, filters={"label": [LABEL, mine]})
    assert left == []
