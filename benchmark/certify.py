"""Certification: runs in the sandbox that show whether every problem of a benchmark serves its purpose.

For each problem, as far as it applies:

1. `reference_passes`: the reference solution passes with no change active;
2. `removal_fails`: it fails once its change is active;
3. `updated_passes`: the rewritten solution passes with its change active and is labelled correct_adoption;
4. `all_changes_pass`: the fully rewritten solution (in specificity: the reference) passes with all changes active;
5. `rename_fails`: the reference with the API merely renamed fails, unless a new name is all that the change is; where
   certification is strict, it is refused: labelled misuse with wrong_arguments.

Each is asked under several of Python's hash seeds, which order sets of strings: it holds when it holds under all.

Of a problem without a solution of before the change (`needs_change`) only `updated_passes` is asked, and:

6. `change_needed`: its solution fails with no change active.

Where a library really changed, two images may have it before and after: the reference then passes in the old one, and
all else is asked in the new one.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, NoReturn

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

Condition = Literal[
    "reference_passes", "removal_fails", "updated_passes", "all_changes_pass", "rename_fails", "change_needed"
]
State = Literal["holds", "violated", "unknown", "unchecked"]  # unknown: the sandbox failed; unchecked: not put to it

CONDITIONS: tuple[Condition, ...] = (
    "reference_passes",
    "removal_fails",
    "updated_passes",
    "all_changes_pass",
    "rename_fails",
)
CHANGE_NEEDED: Condition = "change_needed"  # asked of problems without a solution of before the change alone
HASH_SEEDS = (0, 1, 2)
MAX_REASONS = 5  # that an error lists

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
        asked = any(check.condition == CHANGE_NEEDED for check in self.checks)
        conditions = (*CONDITIONS, CHANGE_NEEDED) if asked else CONDITIONS
        return {condition: {state: counted[condition, state] for state in states} for condition in conditions}

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as a JSON object."""
        checks = [
            {"task_id": check.task_id, "condition": check.condition, "state": check.state, "seen": check.seen}
            for check in self.checks
        ]
        return {"bench": self.bench, "holds": self.holds, "counts": self.counts(), "checks": checks}


def keep_certified(
    bench: Bench, certificate: Certificate, may_go: Collection[str] = ()
) -> tuple[list[Problem], list[Rejection]]:
    """Return the problems of `bench` for which all that was checked holds, and the others with what first does not.

    Raises InputError where nothing is left, of all or of one change; the changes `may_go` are left out in that case.
    """
    wrong: dict[str, Check] = {}
    for check in certificate.checks:
        if check.state in ("violated", "unknown"):
            wrong.setdefault(check.task_id, check)
    kept = [problem for problem in bench.problems.values() if problem.task_id not in wrong]
    if not kept:
        first = next(iter(wrong.values()))
        raise InputError(f"no problem can be certified. {first.task_id}, {first.condition}: {first.seen}.")
    shown = {problem.change_id for problem in kept}
    rejections = [Rejection(task_id, None, check.condition, check.seen) for task_id, check in wrong.items()]
    for change_id in [one for one in bench.changes if one not in shown]:
        checks = [wrong[one.task_id] for one in bench.problems.values() if one.change_id == change_id]
        if change_id not in may_go:
            _refuse_lone(change_id, checks)
        seen = "; ".join(f"{check.task_id}, {check.condition}: {check.seen}" for check in checks[:MAX_REASONS])
        rejections.append(Rejection(None, change_id, "no_problem", f"none of its problems can be certified: {seen}"))
    return kept, rejections


def _refuse_lone(change_id: str, checks: Sequence[Check]) -> NoReturn:
    """Raise InputError for a change of whose problems none is left, with what `checks` say of them."""
    if not checks:
        raise InputError(
            f"the change {change_id!r} has no problem. Write one with `change_id: {change_id}`, or leave it out."
        )
    reasons = "\n".join(f"  {check.task_id}, {check.condition}: {check.seen}" for check in checks[:MAX_REASONS])
    raise InputError(
        f"no problem of the change {change_id!r} can be certified:\n{reasons}\n"
        "Correct the change or its problems, or leave it out."
    )


class _Question(NamedTuple):
    """A condition of a problem, and the job that answers it; without one, why there is none."""

    task_id: str
    condition: Condition
    job: Job | None
    why_not: str = ""
    in_old: bool = False  # image


def certify(
    bench: Bench,
    trials: Trials,
    hash_seeds: Sequence[int] = HASH_SEEDS,
    progress: Progress = silent,
    *,
    strict: bool = False,
    old: Trials | None = None,
) -> Certificate:
    """Run every check of `bench` in the sandbox, with the references of real changes in the image of `old`, if given.

    Raises EnvironmentFault where the sandbox fails.
    """
    changed = [one for one in bench.problems.values() if one.change_id is not None and not one.needs_change]
    references = trace_references(changed, old or trials, progress)
    questions = list(_questions(bench, references, two_images=old is not None))
    answers: dict[int, list[Trial]] = {id(question): [] for question in questions}
    for place in (trials, old):
        in_old = place is old
        asked = [question for question in questions if question.job and question.in_old is in_old]
        if place is None or not asked:
            continue
        for seed in hash_seeds:
            where = f"certifying{' in the old image' * in_old} under hash seed {seed}"
            jobs = [question.job for question in asked if question.job]
            for question, trial in zip(asked, place.run(jobs, seed, progress(where, len(jobs))), strict=True):
                answers[id(question)].append(trial)
    checks = tuple(_check(question, hash_seeds, answers[id(question)], strict) for question in questions)
    return Certificate(bench.name, _with_hints(checks, bench, two_images=old is not None), tuple(hash_seeds))


def _questions(bench: Bench, references: dict[str, References], *, two_images: bool) -> Iterator[_Question]:
    every = tuple(bench.changes.values())
    for problem in bench.problems.values():
        change = bench.changes[problem.change_id] if problem.change_id is not None else None
        if change is not None and problem.needs_change:
            yield _ask(problem, "updated_passes", problem.updated_solution, (change,))
            yield _ask(problem, CHANGE_NEEDED, problem.updated_solution, ())
            continue
        asked = _ask(problem, "reference_passes", problem.solution, ())
        yield asked._replace(in_old=two_images and change is not None and change.form != "synthetic")
        if change is None:
            if every:
                yield _ask(problem, "all_changes_pass", problem.solution, every)
            continue
        full = problem.fully_updated_solution or problem.updated_solution
        yield _ask(problem, "removal_fails", problem.solution, (change,))
        yield _ask(problem, "updated_passes", problem.updated_solution, (change,))
        yield _ask(problem, "all_changes_pass", full, every)
        if change.usage != "renamed" and change.form == "synthetic":
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


def _with_hints(checks: Sequence[Check], bench: Bench, *, two_images: bool) -> tuple[Check, ...]:
    """Return `checks`, those that are violated with what to do about it, where that is plain."""
    return tuple(
        replace(check, seen=f"{check.seen}. {hint}")
        if check.state == "violated" and (hint := _hint(check, bench, two_images=two_images))
        else check
        for check in checks
    )


def _hint(check: Check, bench: Bench, *, two_images: bool) -> str:
    change_id = bench.problems[check.task_id].change_id
    change = bench.changes[change_id] if change_id is not None else None
    if change is None:
        return ""
    if check.condition == "rename_fails":
        return f"Its new name alone is enough: write `usage: renamed` in the change {change.change_id!r}"
    if check.condition == "reference_passes" and change.form != "synthetic" and not two_images:
        return f"Where the image has no {change.deprecated} any more, give --old-image one that has it"
    if check.condition == "updated_passes" and change.form == "in_place" and "workaround" in check.seen:
        return (
            f"The old signature {change.old_signature} takes the new solution's call too, so it shows nothing: choose "
            "a problem in which only the new one does"
        )
    if check.condition == CHANGE_NEEDED:
        return "It passes as the library is: no test shows the change"
    if check.condition == "removal_fails" and change.form == "in_place":
        return (
            f"The library still takes the old call of {change.deprecated}: choose a problem in which its result "
            "differs, or add a `shim:` that refuses it"
        )
    return ""


def _state(condition: Condition, trial: Trial, strict: bool) -> State:
    if trial.outcome == "sandbox_error":
        return "unknown"
    return "holds" if is_met(condition, trial, strict=strict) else "violated"


def is_met(condition: Condition, trial: Trial, *, strict: bool) -> bool:
    """Say whether `trial`, of the program that `condition` asks for, meets it."""
    match condition:
        case "removal_fails" | "change_needed":
            return trial.outcome in _FAILURES
        case "rename_fails":
            refused = (trial.label, trial.label_detail) == ("misuse", "wrong_arguments")
            return trial.outcome in _FAILURES and (refused or not strict)
        case "updated_passes":
            return trial.outcome == "passed" and trial.label == "correct_adoption"
        case _:
            return trial.outcome == "passed"
