"""Certification: does every problem of a benchmark do what it is there for? Asked of the sandbox, not of the text.

For each problem, as far as it applies:

1. `reference_passes`: the reference solution passes with no change active;
2. `removal_fails`: it fails once its change is active;
3. `updated_passes`: the rewritten solution passes with its change active and is labelled correct_adoption;
4. `all_changes_pass`: the rewritten solution (in specificity: the reference) passes with all changes active;
5. `rename_fails`: the reference with the API merely renamed fails, unless a new name is all that the change is.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ..judging.jobs import Finding, Job
from ..judging.options import SandboxOptions
from ..judging.run import run_jobs
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.problems import Problem
from .rename import rename

Condition = Literal["reference_passes", "removal_fails", "updated_passes", "all_changes_pass", "rename_fails"]
State = Literal["holds", "violated", "unknown", "unchecked"]  # unknown: the sandbox failed; unchecked: not put to it

CONDITIONS: tuple[Condition, ...] = (
    "reference_passes",
    "removal_fails",
    "updated_passes",
    "all_changes_pass",
    "rename_fails",
)

# A removal shows in an error or a wrong result. A program that only ran out of time or memory has shown nothing.
_FAILURES = ("load_error", "failed", "partial")


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of one problem: whether it holds, and what was seen."""

    task_id: str
    condition: Condition
    state: State
    seen: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """Every check of a benchmark, in the order of its problems and of CONDITIONS."""

    bench: str
    checks: tuple[Check, ...]

    def with_state(self, state: State) -> list[Check]:
        """Return the checks that ended in `state`."""
        return [check for check in self.checks if check.state == state]

    @property
    def holds(self) -> bool:
        """Say whether everything that was checked holds."""
        return all(check.state in ("holds", "unchecked") for check in self.checks)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return, for each condition, how many checks ended in each state."""
        counted = Counter((check.condition, check.state) for check in self.checks)
        states: tuple[State, ...] = ("holds", "violated", "unknown", "unchecked")
        return {condition: {state: counted[condition, state] for state in states} for condition in CONDITIONS}

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as a JSON object."""
        checks = [
            {"task_id": check.task_id, "condition": check.condition, "state": check.state, "seen": check.seen}
            for check in self.checks
        ]
        return {"bench": self.bench, "holds": self.holds, "counts": self.counts(), "checks": checks}


def certify(
    bench: Bench, options: SandboxOptions, on_check: Callable[[Check], object] = lambda check: None
) -> Certificate:
    """Run every check of `bench` in the sandbox; `on_check` hears of each as it ends.

    Raises EnvironmentFault where there is no sandbox.
    """
    jobs, checks = plan(bench)
    for job, finding in run_jobs(jobs, options):
        check = _make_check(job, finding)
        checks.append(check)
        on_check(check)
    places = {task_id: place for place, task_id in enumerate(bench.problems)}
    checks.sort(key=lambda check: (places[check.task_id], CONDITIONS.index(check.condition)))
    return Certificate(bench.name, tuple(checks))


def plan(bench: Bench) -> tuple[list[Job], list[Check]]:
    """Return the jobs that the sandbox is to run, tagged with their condition, and the checks left without one."""
    jobs: list[Job] = []
    unchecked: list[Check] = []
    every = tuple(bench.changes.values())
    for problem in bench.problems.values():
        for condition, program, changes in _conditions(problem, bench.changes, every):
            if program is None:
                unchecked.append(Check(problem.task_id, condition, "unchecked", _REASONS[condition]))
            else:
                jobs.append(Job(program, problem, changes, tag=condition))
    return jobs, unchecked


_REASONS = {
    "updated_passes": "the problem has no updated_solution",
    "all_changes_pass": "the problem has no updated_solution",
    "rename_fails": "the API cannot be renamed safely in this program",
}


def _conditions(
    problem: Problem, changes: dict[str, Change], every: tuple[Change, ...]
) -> Iterator[tuple[Condition, str | None, tuple[Change, ...]]]:
    """Yield the conditions on `problem`, each with the program that shows it (None: there is none) and its world."""
    yield "reference_passes", problem.solution, ()
    if problem.change_id is None:
        if every:
            yield "all_changes_pass", problem.solution, every
        return
    change = changes[problem.change_id]
    yield "removal_fails", problem.solution, (change,)
    yield "updated_passes", problem.updated_solution, (change,)
    yield "all_changes_pass", problem.updated_solution, every
    if change.usage != "renamed":
        yield "rename_fails", rename(problem.solution, change), (change,)


def _make_check(job: Job, finding: Finding) -> Check:
    condition: Condition = job.tag
    state: State = "holds" if _is_met(condition, finding) else "violated"
    if finding.outcome == "sandbox_error":
        state = "unknown"
    return Check(job.problem.task_id, condition, state, _describe(finding))


def _is_met(condition: Condition, finding: Finding) -> bool:
    if condition in ("removal_fails", "rename_fails"):
        return finding.outcome in _FAILURES
    adopted = condition != "updated_passes" or finding.label == "correct_adoption"
    return finding.outcome == "passed" and adopted


def _describe(finding: Finding) -> str:
    error = f"{finding.error['type']}: {finding.error['message']}" if finding.error else ""
    return ", ".join(part for part in (finding.outcome, finding.label, error) if part)
