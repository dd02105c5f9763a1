"""The choice of a usage change for each API: every design is tried on the problems that use it, and the best wins."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..analysis.rewriting.rewrite import Refusal, rewrite
from ..judging.sandbox.job import Job
from .certify import Condition, certifying_job, is_met, rename
from .progress import Progress, silent
from .survey import Surveyed
from .trials import Trials
from .usages.apis import UnchangeableApiError
from .usages.designs import Design, designs


@dataclass(frozen=True, slots=True)
class Chosen:
    """The design that an API got, and what it means for each problem that uses the API.

    `certified`: the problems that can test the change. `unwritable`: those that cannot be rewritten so that they pass,
    for one because their prompt needs the API, and `unobserved`: those that can but do not show the change; with the
    reason.
    """

    design: Design
    certified: frozenset[str]
    unwritable: Mapping[str, str]
    unobserved: Mapping[str, str]


@dataclass(slots=True)
class _Record:
    """How one design did on the problems of its API."""

    design: Design
    jobs: dict[tuple[str, Condition], Job] = field(default_factory=dict)
    unwritable: dict[str, str] = field(default_factory=dict)
    unobserved: dict[str, str] = field(default_factory=dict)

    def chosen(self) -> Chosen:
        tried = {task_id for task_id, _ in self.jobs}
        certified = frozenset(tried - self.unwritable.keys() - self.unobserved.keys())
        unobserved = {task: reason for task, reason in self.unobserved.items() if task not in self.unwritable}
        return Chosen(self.design, certified, self.unwritable, unobserved)


def choose_designs(
    users: Mapping[str, Sequence[Surveyed]], trials: Trials, progress: Progress = silent
) -> dict[str, Chosen]:
    """Return the design of each API of `users`, which maps an API to the problems that use it.

    The design that the most problems are certified for wins. Of several that are as good, the usage that fewest
    problems have so far is taken, so that no usage prevails: APIs with many problems choose first. An API that nothing
    can stand in for gets none. Raises EnvironmentFault when the sandbox fails.
    """
    records = {api: [_prepare(design, users[api]) for design in _designs(api)] for api in sorted(users)}
    jobs = [(record, *pair, job) for group in records.values() for record in group for pair, job in record.jobs.items()]
    results = trials.run([job for *_, job in jobs], on_trial=progress("trying usage changes", len(jobs)))
    for (record, task_id, condition, _), trial in zip(jobs, results, strict=True):
        if condition == "updated_passes" and trial.outcome != "passed":
            record.unwritable[task_id] = f"rewritten, it does not pass: {trial}"
        elif not is_met(condition, trial, strict=True):
            record.unobserved.setdefault(task_id, f"{condition}: {trial}")
    return dict(sorted(_choose(records)))


def _designs(api: str) -> tuple[Design, ...]:
    try:
        return designs(api)
    except UnchangeableApiError:
        return ()


def _prepare(design: Design, users: Sequence[Surveyed]) -> _Record:
    record = _Record(design)
    for one in users:
        task_id, change = one.problem.task_id, design.change
        try:
            updated, renamed = rewrite(one.references, [design.convention]), rename(one.references, change)
        except Refusal as refusal:
            record.unwritable[task_id] = f"{refusal.reason}: {refusal.detail}"
            continue
        programs: dict[Condition, str] = {
            "removal_fails": one.problem.solution,
            "updated_passes": updated,
            "rename_fails": renamed,
        }
        record.jobs |= {(task_id, name): certifying_job(one.problem, change, text) for name, text in programs.items()}
    return record


def _choose(records: Mapping[str, Sequence[_Record]]) -> Iterator[tuple[str, Chosen]]:
    given: Counter[str] = Counter()
    ranked = {api: [record.chosen() for record in group] for api, group in records.items() if group}

    def most_certified(api: str) -> int:
        return max(len(one.certified) for one in ranked[api])

    for api in sorted(ranked, key=lambda api: (-most_certified(api), api)):
        best = [one for one in ranked[api] if len(one.certified) == most_certified(api)]
        winner = min(best, key=lambda one: given[one.design.change.usage])
        given[winner.design.change.usage] += len(winner.certified)
        yield api, winner
