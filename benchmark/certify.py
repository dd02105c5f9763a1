"""Certification: runs in the sandbox that show whether every problem of a benchmark serves its purpose.

For each problem, as far as it applies:

1. `reference_passes`: the reference solution passes with no change active;
2. `removal_fails`: it fails once its change is active;
3. `updated_passes`: the rewritten solution passes with its change active and is labelled correct_adoption;
4. `all_changes_pass`: the fully rewritten solution (in specificity: the reference) passes with all changes active;
5. `rename_fails`: the reference with the API merely renamed fails, unless a new name is all that the change is; where
   certification is strict, it is refused: labelled misuse with wrong_arguments.

Each is asked under several of Python's hash seeds, which order sets of strings: it holds when it holds under all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ..analysis.rewriting.rewrite import Refusal, Renaming, rewrite
from ..analysis.uses.references import References
from ..judging.sandbox.job import Job
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from ..schemas.rejections import Rejection
from .progress import Progress, silent
from .survey import answer_of, trace_references
from .trials import Trial, Trials

Condition = Literal["reference_passes", "removal_fails", "updated_passes", "all_changes_pass", "rename_fails"]
State = Literal["holds", "violated", "unknown", "unchecked"]  # unknown: the sandbox failed; unchecked: not put to it

CONDITIONS: tuple[Condition, ...] = (
    "reference_passes",
    "removal_fails",
    "updated_passes",
    "all_changes_pass",
    "rename_fails",
)
HASH_SEEDS = (0, 1, 2)

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
    hash_seeds: tuple[int, ...]

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


def keep_certified(bench: Bench, certificate: Certificate) -> tuple[list[Problem], list[Rejection]]:
    """Return the problems of `bench` for which all that was checked holds, and the others with what first does not.

    Raises InputError where nothing is left.
    """
    wrong: dict[str, Check] = {}
    for check in certificate.checks:
        if check.state in ("violated", "unknown"):
            wrong.setdefault(check.task_id, check)
    kept = [problem for problem in bench.problems.values() if problem.task_id not in wrong]
    if not kept:
        first = next(iter(wrong.values()))
        raise InputError(f"no problem can be certified. {first.task_id}, {first.condition}: {first.seen}.")
    return kept, [Rejection(task_id, None, check.condition, check.seen) for task_id, check in wrong.items()]


class _Question(NamedTuple):
    """A condition of a problem, and the job that answers it; without one, why there is none."""

    task_id: str
    condition: Condition
    job: Job | None
    why_not: str = ""


def certify(
    bench: Bench,
    trials: Trials,
    hash_seeds: Sequence[int] = HASH_SEEDS,
    progress: Progress = silent,
    *,
    strict: bool = False,
) -> Certificate:
    """Run every check of `bench` in the sandbox. Raises EnvironmentFault where that fails."""
    changed = [problem for problem in bench.problems.values() if problem.change_id is not None]
    references = trace_references(changed, trials, progress)
    questions = list(_questions(bench, references))
    jobs = [question.job for question in questions if question.job]
    answers = [trials.run(jobs, seed, progress(f"certifying under hash seed {seed}", len(jobs))) for seed in hash_seeds]
    by_job = zip(*answers, strict=True)
    return Certificate(
        bench.name,
        tuple(_check(question, hash_seeds, next(by_job) if question.job else (), strict) for question in questions),
        tuple(hash_seeds),
    )


def _questions(bench: Bench, references: dict[str, References]) -> Iterator[_Question]:
    every = tuple(bench.changes.values())
    for problem in bench.problems.values():
        yield _ask(problem, "reference_passes", problem.solution, ())
        if problem.change_id is None:
            if every:
                yield _ask(problem, "all_changes_pass", problem.solution, every)
            continue
        change = bench.changes[problem.change_id]
        full = problem.fully_updated_solution or problem.updated_solution
        yield _ask(problem, "removal_fails", problem.solution, (change,))
        yield _ask(problem, "updated_passes", problem.updated_solution, (change,))
        yield _ask(problem, "all_changes_pass", full, every)
        if change.usage != "renamed":
            yield _ask_renamed(problem, change, answer_of(problem, references[problem.task_id]))


def _ask(problem: Problem, condition: Condition, program: str | None, changes: tuple[Change, ...]) -> _Question:
    if program is None:
        return _Question(problem.task_id, condition, None, "the problem has no updated_solution")
    return _Question(problem.task_id, condition, Job(program, problem, changes))


def _ask_renamed(problem: Problem, change: Change, references: References) -> _Question:
    try:
        renamed = rename(references, change)
    except Refusal as refusal:
        return _Question(problem.task_id, "rename_fails", None, f"the API cannot be renamed safely: {refusal.detail}")
    if renamed == problem.solution:
        return _Question(problem.task_id, "rename_fails", None, f"the solution does not name {change.deprecated}")
    return _ask(problem, "rename_fails", renamed, (change,))


def rename(references: References, change: Change) -> str:
    """Return the program of `references` with the API of `change` merely renamed. Raises Refusal where it is unsafe."""
    return rewrite(references, [Renaming(change.deprecated, change.replacement, change.kind or "other")])


def certifying_job(problem: Problem, change: Change, program: str) -> Job:
    """Return the job that tries `program` as a solution of `problem` in the world of `change`, to be labelled by it."""
    return Job(program, replace(problem, change_id=change.change_id), (change,))


def _check(question: _Question, hash_seeds: Sequence[int], trials: Sequence[Trial], strict: bool) -> Check:
    """Return what the trials of one question say together: the first that speaks against it, or the first."""
    if question.job is None:
        return Check(question.task_id, question.condition, "unchecked", question.why_not)
    states = [_state(question.condition, trial, strict) for trial in trials]
    state: State = next((state for state in ("violated", "unknown") if state in states), "holds")
    place = states.index(state)
    under = f" (hash seed {hash_seeds[place]})" if state != "holds" else ""
    return Check(question.task_id, question.condition, state, f"{trials[place]}{under}")


def _state(condition: Condition, trial: Trial, strict: bool) -> State:
    if trial.outcome == "sandbox_error":
        return "unknown"
    return "holds" if is_met(condition, trial, strict=strict) else "violated"


def is_met(condition: Condition, trial: Trial, *, strict: bool) -> bool:
    """Say whether `trial`, of the program that `condition` asks for, meets it."""
    match condition:
        case "removal_fails":
            return trial.outcome in _FAILURES
        case "rename_fails":
            refused = (trial.label, trial.label_detail) == ("misuse", "wrong_arguments")
            return trial.outcome in _FAILURES and (refused or not strict)
        case "updated_passes":
            return trial.outcome == "passed" and trial.label == "correct_adoption"
        case _:
            return trial.outcome == "passed"
