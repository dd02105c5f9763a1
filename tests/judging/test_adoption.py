"""Adoption is causal: a program that would pass without what its replacement returned has not adopted it."""

import tomllib
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.analysis.labels import MAX_READ
from edittool.benchmark.builtin import load_builtin
from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs

TABLE = Path(__file__).with_name("adoption.toml")
PROGRAMS: list[dict[str, str]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))["program"]
PADDING = "# a comment\n" * (MAX_READ // 10)


def job(row: dict[str, str]) -> Job:
    bench = load_builtin()
    problem = bench.problems[row["task"]]
    program = row["program"].replace("PADDING", PADDING)
    return Job(program, problem, (bench.changes[problem.change_id or ""],), row["name"])


@pytest.fixture(scope="module", params=[1, 16], ids=["container", "recycled"])
def findings(request: pytest.FixtureRequest, docker_client: docker.DockerClient) -> dict[Any, Finding]:
    options = SandboxOptions(jobs_per_container=request.param)
    return {done.tag: found for done, found in run_jobs(map(job, PROGRAMS), options, docker_client)}


def test_each_program_passes_and_is_labelled_for_what_it_needs(findings: dict[Any, Finding]) -> None:
    found = {name: (each.outcome, each.label, each.label_detail) for name, each in findings.items()}
    wanted = {row["name"]: ("passed", row["label"], row["detail"]) for row in PROGRAMS}
    assert {name: one for name, one in found.items() if one != wanted[name]} == {}
    assert found.keys() == wanted.keys()


def test_a_finding_says_which_runs_decided(findings: dict[Any, Finding]) -> None:
    runs = {name: [(run["run"], run["phase"], run["passed"]) for run in each.again] for name, each in findings.items()}
    assert runs["no call"] == [("watched", "", True)]
    assert runs["honest"] == [("watched", "", True), ("nothing", "tests", False)]
    assert runs["a fallback around a real use"] == [
        ("watched", "", True),
        ("nothing", "tests", True),
        ("wrong_value", "tests", False),
    ]
    assert runs["a check while it loads, and a dummy call in each test"] == [
        ("watched", "", True),
        ("nothing", "tests", True),
        ("wrong_value", "tests", True),
        ("nothing", "load", False),
        ("wrong_value", "load", False),
    ]
