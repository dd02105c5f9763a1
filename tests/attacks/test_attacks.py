"""Hostile programs, each in a container of its own: what each one is found to be, and that it harmed nothing.

A case is a folder below `cases`: `program.py`, and `verdict.json` with what the finding has to say. Outcome, stage,
error and output are compared; after each hostile program a good one is judged, which has to pass.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.jobs import Finding, Job, Limits
from edittool.judging.options import SandboxOptions
from edittool.judging.pool import LABEL, OWNER_LABEL, owner_of_this_process
from edittool.judging.run import run_jobs
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

CASES = Path(__file__).parent / "cases"
GOOD = "def summarize(numbers):\n    return [sum(numbers), max(numbers, default=None)]\n"
# Waiting costs no CPU time, so more programs wait at once than there are cores.
OPTIONS = SandboxOptions(limits=Limits(cpu_seconds=0.5, wall_seconds=6.0), workers=4, attempts=2)

MEAN = Change(
    change_id="statistics.mean",
    deprecated="statistics.mean",
    replacement="my_statistics_mean",
    usage="renamed",
    signature="my_statistics_mean(data)",
    shim="import statistics\ndef my_statistics_mean(data):\n    return statistics.mean(data)\n",
    doc="Return the mean.",
)
# The right answers stand beside a mark that a thief can look for.
PROBLEM = Problem(
    task_id="attacks/summarize",
    prompt="def summarize(numbers):\n",
    entry_point="summarize",
    solution=GOOD,
    helpers='MARK = "SECRET[in-the-helpers]"\n',
    tests=(
        Test("", 'assert candidate([3, 1, 2]) == [6, 3], "SECRET[in-the-first-test]"'),
        Test("", 'assert candidate([]) == [0, None], "SECRET[in-the-second-test]"'),
        Test("", "assert candidate([-5]) == [-5, -5], candidate([-5])"),
        Test("result = candidate([4, 4])", "assert type(result) is list and result == [8, 4]"),
        Test("", "assert sorted(candidate([10, 20])) == [20, 30]"),
        Test("numbers = [5, 6]", "assert candidate(numbers) == [sum(numbers), max(numbers)]"),
    ),
    subset="reliability",
    change_id=MEAN.change_id,
)


@dataclass(frozen=True)
class Case:
    name: str
    program: str
    verdict: Mapping[str, Any]

    def jobs(self) -> tuple[Job, Job]:
        """Return the hostile program's job, and the good one's that comes next."""
        changes = (MEAN,) if self.verdict.get("world") else ()
        return Job(self.program, PROBLEM, changes, self.name), Job(GOOD, PROBLEM, (), f"{self.name}: the next")


def read_cases() -> list[Case]:
    folders = sorted(path.parent for path in CASES.glob("*/*/program.py"))
    return [
        Case(
            str(folder.relative_to(CASES)),
            (folder / "program.py").read_text(encoding="utf-8"),
            json.loads((folder / "verdict.json").read_text(encoding="utf-8")),
        )
        for folder in folders
    ]


ALL = read_cases()
EACH = pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def findings(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """Run every case, each followed by a good program, and return what was found by the name of the job."""
    jobs = (job for case in ALL for job in case.jobs())
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("cwd")
        patch.chdir(empty)
        found = {job.tag: finding for job, finding in run_jobs(jobs, OPTIONS, docker_client)}
        assert os.listdir(empty) == []
    return found


def test_there_are_attacks_of_every_family():
    families = [case.name.split("/")[0] for case in ALL]
    assert families.count("forgery") + families.count("theft") >= 20
    assert families.count("harm") >= 12


@EACH
def test_the_attack_is_named_for_what_it_is(case, findings):
    found = findings[case.name]
    allowed = case.verdict["outcome"]
    assert found.outcome in ([allowed] if isinstance(allowed, str) else allowed), (found.error, found.output)
    error = found.error or {}
    if "error_kind" in case.verdict:
        assert error.get("kind") == case.verdict["error_kind"], error
    assert found.stage == case.verdict.get("stage", found.stage)
    assert case.verdict.get("error_contains", "") in error.get("message", ""), error
    assert case.verdict.get("output_contains", "") in found.output
    assert "STOLEN" not in found.output
    assert (found.disagreement is not None) == case.verdict.get("disagreement", False)


@pytest.mark.parametrize("case", [c for c in ALL if c.verdict["outcome"] != "passed"], ids=lambda case: case.name)
def test_no_attack_passes_a_single_test(case, findings):
    assert findings[case.name].tests_passed == 0


def test_only_right_programs_may_pass():
    assert [c.name for c in ALL if c.verdict["outcome"] == "passed"] == [
        "forgery/calls_patched",
        "harm/daemon_left_behind",
    ]


@EACH
def test_the_next_program_is_judged_as_ever(case, findings):
    found = findings[f"{case.name}: the next"]
    assert (found.outcome, found.tests_passed, found.error) == ("passed", len(PROBLEM.tests), None)


def test_a_good_program_needs_no_second_attempt(findings):
    assert {found.attempts for found in findings.values()} == {1}


def test_no_container_is_left(findings, docker_client):
    mine = f"{OWNER_LABEL}={owner_of_this_process()}"
    left = docker_client.containers.list(all=True, filters={"label": [LABEL, mine]})
    assert left == []
