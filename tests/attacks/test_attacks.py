"""Hostile programs, alone in containers and sharing them: what each is found to be, and that it harmed nothing.

A case is a folder below `cases`. Outcome, stage, error and output are compared with what it says; after each case a
good program is judged, which has to pass. The host is looked at before and after.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import docker
import pytest

from edittool.judging.sandbox.job import Finding
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER
from edittool.judging.sandbox.pool import LABEL, OWNER_LABEL, owner_of_this_process

from .cases import FAMILIES, read_cases
from .host import Host, observe
from .suite import LIMITS, OPTIONS, check_case, judge_all

# Each mode is one run, whose time counts for its first test: more than 500 programs, many of which go on until a limit
# ends them. The host is compared as a whole.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow, pytest.mark.alone]

ALL = read_cases()
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
        findings = judge_all(ALL, OPTIONS, shared, docker_client)
        assert os.listdir(empty) == []
    return Run("container" if shared == 1 else "recycled", findings, before, observe())


def test_there_are_attacks_of_every_family():
    families = [case.family for case in ALL]
    assert {family: families.count(family) >= 5 for family in FAMILIES} == dict.fromkeys(FAMILIES, True)
    assert len(ALL) >= 160


def test_no_two_programs_are_the_same():
    assert len({case.programs for case in ALL}) == len(ALL)


@EACH
def test_the_attack_is_named_finds_no_test_and_leaves_the_next_program_alone(case, run):
    check_case(case, run.findings, run.isolation)


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
