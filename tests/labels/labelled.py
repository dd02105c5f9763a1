"""The labelled programs, judged in the sandbox, and how far the tool agrees; README.md says what a case is."""

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import docker

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.own.changes import load_changes
from edittool.benchmark.own.problems import load_problems
from edittool.judging.sandbox.job import Finding, Job, Limits
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem
from edittool.schemas.verdicts import LABELS_IN_WORDS

HERE: Final = Path(__file__).parent
LABELS: Final = tuple(LABELS_IN_WORDS)
OPTIONS: Final = SandboxOptions(limits=Limits(cpu_seconds=1.0), jobs_per_container=MAX_JOBS_PER_CONTAINER)


@dataclass(frozen=True, slots=True)
class Case:
    """A whole program for the problem `task`, the label and detail that a careful reader gives it, and the reason.

    `called`: how it calls the replacement; "unknown" where it was stopped before its calls could be counted.
    """

    family: str
    name: str
    task: str
    program: str
    label: str
    detail: str
    why: str
    called: str = "not_called"
    source: str = ""  # the model that wrote the program


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, and what judging its program has found."""

    case: Case
    finding: Finding

    @property
    def agrees(self) -> bool:
        """Tell whether label and detail are those of the case."""
        return (self.case.label, self.case.detail) == (self.finding.label, self.finding.label_detail)


def read_cases() -> list[Case]:
    """Return all cases, by family and in the order of its file."""
    files = sorted((HERE / "cases").glob("*.toml"))
    return [Case(path.stem, **row) for path in files for row in tomllib.loads(path.read_text("utf-8"))["case"]]


@cache
def problems() -> dict[str, tuple[Problem, Change | None]]:
    """Return the problems of the built-in benchmark, of this folder and of `published/`, each with its change."""
    builtin = load_builtin()
    changes = [*builtin.changes.values(), *own_changes()]
    published = load_changes(HERE / "published" / "changes.jsonl")
    return {
        **_with_changes([*builtin.problems.values(), *own_problems()], changes),
        **_with_changes(load_problems(HERE / "published" / "problems.jsonl", published), published),
    }


def _with_changes(problems: Iterable[Problem], changes: Iterable[Change]) -> dict[str, tuple[Problem, Change | None]]:
    by_id: dict[str | None, Change] = {change.change_id: change for change in changes}
    return {problem.task_id: (problem, by_id.get(problem.change_id)) for problem in problems}


def own_changes() -> list[Change]:
    """Return the changes of this folder."""
    return load_changes(HERE / "changes.yaml")


def own_problems() -> list[Problem]:
    """Return the problems of this folder."""
    return load_problems(HERE / "problems.jsonl", own_changes())


def judge(cases: Iterable[Case], client: docker.DockerClient | None = None) -> list[Judged]:
    """Run each program in the world of its problem's change, and return them in the order of `cases`."""
    cases = list(cases)
    found = {job.tag: finding for job, finding in run_jobs(map(_job, cases), OPTIONS, client)}
    return [Judged(case, found[case]) for case in cases]


def _job(case: Case) -> Job:
    problem, change = problems()[case.task]
    assert change is not None, f"{case.name}: {case.task} belongs to no change"
    return Job(case.program, problem, (change,), case)


def confusion(judged: Sequence[Judged]) -> str:
    """Return the confusion matrix of the labels, and every detail that the tool sees otherwise."""
    counts = Counter((each.case.label, str(each.finding.label)) for each in judged)
    odd = [each for each in judged if not each.agrees]
    heading = f"{len(judged)} programs labelled by hand (rows) and by the tool (columns)"
    rows = [f"{label:>16}" + "".join(f"{counts[label, found]:>18}" for found in LABELS) for label in LABELS]
    summary = f"details: {len(judged) - len(odd)} of {len(judged)} agree ({1 - len(odd) / len(judged):.1%})"
    return "\n".join([heading, " " * 16 + "".join(f"{name:>18}" for name in LABELS), *rows, summary, *map(_told, odd)])


def _told(each: Judged) -> str:
    case, finding = each.case, each.finding
    by_hand, by_tool = f"{case.label} {case.detail}", f"{finding.label} {finding.label_detail}"
    return f"  {case.family}, {case.name}: {by_hand} by hand, {by_tool} by the tool. {case.why}"
