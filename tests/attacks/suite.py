"""Judges the hostile programs, each followed by a good one, and compares what is found with what its case says."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import docker

from edittool.judging.sandbox.job import Finding, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs

from .cases import PROBLEM, Case

# Programs that use up their CPU time never come to the limit on wall time, however busy the machine is.
LIMITED: Final = Limits(cpu_seconds=1.0, total_cpu_seconds=1.0, wall_seconds=120.0)
OPTIONS: Final = SandboxOptions(limits=LIMITED, workers=4, attempts=2)
LIMITS: Final = {"cpu": "s of CPU time; ", "wall": "s of wall time; ", "runner": "the runner did not answer"}


def judge_all(
    cases: Collection[Case], options: SandboxOptions, shared: int, client: docker.DockerClient
) -> dict[str, Finding]:
    """Return what is found of the programs of `cases`, by the names of their jobs; `shared` of them to a container."""
    sequences = [case for case in cases if "next" in case.verdict]
    waiting = [case for case in cases if case.waits and case not in sequences]
    others = [case for case in cases if case not in sequences and case not in waiting]
    # Those that wait for their end use no CPU time: many of them can wait at once, and not for long.
    impatient = replace(options, limits=replace(options.limits, wall_seconds=3.0), workers=2 * options.workers)
    return {
        **_judge(others, replace(options, jobs_per_container=shared), client),
        **_judge(waiting, replace(impatient, jobs_per_container=shared), client),
        # A container for each sequence.
        **_judge(sequences, replace(options, jobs_per_container=min(shared, 3)), client),
    }


def _judge(cases: Iterable[Case], options: SandboxOptions, client: docker.DockerClient) -> dict[str, Finding]:
    jobs = (job for case in cases for job in case.jobs())
    return {job.tag: finding for job, finding in run_jobs(jobs, options, client)}


def check_case(case: Case, findings: Mapping[str, Finding], isolation: str, runtime: str = "") -> None:
    """Fail unless the programs of `case` were found to be what they are, stole nothing, and harmed not the good one."""
    expected = case.expected(isolation, runtime)
    _is_named_for_what_it_is(expected, findings, runtime)
    assert not [name for name in expected if "STOLEN" in findings[name].output]
    found = findings[f"{case.name}: the good one"]
    assert (found.outcome, found.tests_passed, found.error) == ("passed", len(PROBLEM.tests), None)
    assert found.attempts == 1


def _is_named_for_what_it_is(
    expectations: Mapping[str, Mapping[str, Any]], findings: Mapping[str, Finding], runtime: str
) -> None:
    for name, expected in expectations.items():
        found = findings[name]
        error = found.error or {}
        # In gVisor whoever runs into a limit is tried twice: nobody tells there how long a program was kept waiting.
        attempts = 1 if runtime and found.outcome == "timeout" else found.attempts
        seen = (found.outcome, found.stage, error.get("kind"), attempts)
        wanted = (expected["outcome"], expected["stage"], expected["error_kind"], expected.get("attempts", 1))
        assert seen == wanted, (name, found.error, found.output)
        assert LIMITS.get(expected.get("limit"), "") in error.get("message", ""), error
        assert expected.get("error", "") in f"{error.get('type')}: {error.get('message')}", error
        assert expected.get("output", "") in found.output
        assert found.tests_passed == expected.get("tests_passed", _passes(expected, found))
        assert (found.disagreement is not None) == expected.get("disagreement", False)


def _passes(expected: Mapping[str, Any], found: Finding) -> int:
    return len(found.tests) if expected["outcome"] == "passed" else 0
