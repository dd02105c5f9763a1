"""The plan of a run: the states of the model, the edits that lead to each, and the problems sampled from it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import quote

from ...schemas.bench import Bench
from ...schemas.changes import Change
from ...schemas.errors import InputError
from ...schemas.problems import Problem
from ..requests import EditRequest, requests_for, tally
from .settings import Run


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """An edit to be made: the changes it teaches, by which requests, and how it is called in files and in words.

    Where prompts tell of the changes and nothing is edited, there are no requests.
    """

    name: str
    title: str
    changes: tuple[str, ...]
    requests: tuple[EditRequest, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the model, after `edits` in their order, and the problems sampled from it.

    `background`: the changes active for a problem without a change of its own; None where samples name no world,
    which is the unedited model.
    """

    title: str
    edits: tuple[PlannedEdit, ...]
    problems: tuple[Problem, ...]
    background: tuple[str, ...] | None

    @property
    def edited(self) -> tuple[str, ...]:
        """Return the ids of the changes in the model, in the order in which they came."""
        return tuple(change_id for edit in self.edits for change_id in edit.changes)

    @property
    def taught(self) -> dict[str, Any] | None:
        """Return how many requests of which kinds have taught the model, keyed on what; None for the unedited one."""
        return tally(request for edit in self.edits for request in edit.requests) if self.edits else None

    def world(self, problem: Problem) -> tuple[str, ...] | None:
        """Return the changes that are active for what is sampled on `problem`: its own, else the background."""
        if self.background is None or problem.change_id is None:
            return self.background
        return (problem.change_id,)


def plan(bench: Bench, run: Run) -> list[Stage]:
    """Return the stages of `run`, or of its shard, in order, with every request of every edit.

    The unedited model, where the run is about some changes alone, is sampled on what edits with them are sampled on.
    Raises InputError for an unknown change, a step that is never reached, and a problem that cannot be taught (see
    `requests_for`). A change without reliability problems is left out: see `untaught`.
    """
    if run.regime == "none":
        return [Stage("the unedited model", (), tuple(_unedited(bench, run)), None)]
    changes = _taught(bench, run)
    makers = {"instant": _instant, "sequential": _sequential, "batch": _batch}
    return _part(list(makers[run.regime](bench, run, changes)), run.shard)


def _unedited(bench: Bench, run: Run) -> list[Problem]:
    if run.changes is None:
        return _sorted(bench.problems.values())
    changes = _taught(bench, run)
    own = [problem for change in changes for problem in _own(bench, change)]
    shares = [problem for change in (*changes, None) for problem in _specificity(bench, run, change)]
    return _sorted({problem.task_id: problem for problem in (*own, *shares)}.values())


def _part(stages: list[Stage], shard: tuple[int, int] | None) -> list[Stage]:
    """Return one of so many parts of equal length, to within one."""
    part, parts = shard or (1, 1)
    return stages[len(stages) * (part - 1) // parts : len(stages) * part // parts]


def untaught(bench: Bench, run: Run) -> tuple[str, ...]:
    """Return the ids of the changes that `run` is about but that no reliability problem teaches.

    Raises InputError for an unknown change.
    """
    if run.regime == "none":
        return ()
    wanted = bench.changes.keys() if run.changes is None else set(run.changes)
    return tuple(sorted(wanted - {change.change_id for change in _taught(bench, run)}))


def _taught(bench: Bench, run: Run) -> list[Change]:
    """Return the changes to be taught in the benchmark's order; those without a place in it come last, by id."""
    unknown = sorted(set(run.changes or ()) - bench.changes.keys())
    if unknown:
        raise InputError(
            f"The benchmark {bench.name} has no change {unknown[0]!r}. Its changes: {', '.join(sorted(bench.changes))}."
        )
    teachable = {problem.change_id for problem in bench.problems.values() if problem.subset == "reliability"}
    chosen = teachable.intersection(bench.changes if run.changes is None else run.changes)
    changes = [bench.changes[change_id] for change_id in chosen if change_id is not None]
    return sorted(changes, key=lambda c: (c.order is None, c.order or 0, c.change_id))


def _instant(bench: Bench, run: Run, changes: Sequence[Change]) -> Iterator[Stage]:
    for change in sorted(changes, key=lambda change: change.change_id):
        edit = _edit(bench, run, [change], quote(change.change_id, safe=""), change.change_id)
        problems = (*_own(bench, change), *_specificity(bench, run, change))
        yield Stage(change.change_id, (edit,), problems, background=edit.changes)


def _sequential(bench: Bench, run: Run, changes: Sequence[Change]) -> Iterator[Stage]:
    steps = _steps(run, len(changes))
    edits = tuple(
        _edit(bench, run, [change], f"{n:04}-{quote(change.change_id, safe='')}", f"{change.change_id} (edit {n})")
        for n, change in enumerate(changes[: max(steps, default=0)], 1)
    )
    for step in steps:
        newest = changes[step - 1]
        own = [problem for change in changes[:step] for problem in _own(bench, change)]
        problems = (*own, *_specificity(bench, run, newest))
        yield Stage(f"step {step}", edits[:step], problems, background=(newest.change_id,))


def _batch(bench: Bench, run: Run, changes: Sequence[Change]) -> Iterator[Stage]:
    if changes:
        edit = _edit(bench, run, changes, "batch", f"{len(changes)} changes at once")
        own = [problem for change in changes for problem in _own(bench, change)]
        yield Stage(edit.title, (edit,), (*own, *_specificity(bench, run, None)), background=())


def _steps(run: Run, edits: int) -> list[int]:
    """Return after how many edits to sample, in order."""
    if run.steps is None:
        return sorted({*_round_numbers(edits), edits} - {0})
    if max(run.steps) > edits:
        raise InputError(
            f"Step {max(run.steps)} is never reached: {edits} changes can be taught here. Give smaller --steps."
        )
    return sorted(set(run.steps))


def _round_numbers(limit: int) -> Iterator[int]:
    """Yield 1, 2, 5, 10, 20, 50, 100, ... up to `limit`."""
    for power in count():
        for digit in (1, 2, 5):
            if digit * 10**power > limit:
                return
            yield digit * 10**power


def _edit(bench: Bench, run: Run, changes: Sequence[Change], name: str, title: str) -> PlannedEdit:
    requests = [request for change in (changes if run.edits else ()) for request in _requests(bench, run, change)]
    return PlannedEdit(name, title, tuple(change.change_id for change in changes), tuple(requests))


def _requests(bench: Bench, run: Run, change: Change) -> list[EditRequest]:
    """Return what teaches `change`; a request is keyed on nothing where the method does not read its subject."""
    made = requests_for(bench, change, requests=run.requests, subject=run.subject, per_change=run.requests_per_change)
    return made if run.method.keyed else [replace(one, keyed_on=None) for one in made]


def _own(bench: Bench, change: Change) -> list[Problem]:
    return _sorted(problem for problem in bench.problems.values() if problem.change_id == change.change_id)


def _specificity(bench: Bench, run: Run, change: Change | None) -> list[Problem]:
    """Return the specificity problems that follow `change`: the next k of a shuffled ring, so that all get a turn.

    The turn is that of its place among all changes, so a change keeps its share when only some changes are run.
    """
    problems = _sorted(problem for problem in bench.problems.values() if problem.subset == "specificity")
    k = run.specificity_per_change
    if k is None or k >= len(problems):
        return problems
    random.Random(run.sampling.seed).shuffle(problems)  # noqa: S311 - a choice to repeat, no secret
    place = 0 if change is None else sorted(bench.changes).index(change.change_id)
    return [problems[(place * k + step) % len(problems)] for step in range(k)]


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.task_id)
