"""Certified API changes: the problems are surveyed, changes chosen, problems divided and certified, until all holds."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..analysis.rewriting.rewrite import Refusal, rewrite
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from ..schemas.rejections import Rejection
from .certify import HASH_SEEDS, Certificate, Check, certify
from .choose_usages import Chosen, choose_designs
from .division.chance import OrderBy, order
from .division.duplicates import find_clusters
from .division.split import Assignment, Candidate, assign
from .progress import Progress, silent
from .prompt_names_api import NAMES_API, names_api
from .survey import Survey, Surveyed, survey
from .trials import Trials
from .usages.apis import find_api

OWN_PROBLEMS = 2  # one to edit for, and one to generalize to
MAX_ROUNDS = 10  # each one leaves out what the one before could not certify; two have always been enough


@dataclass(frozen=True, slots=True)
class Plan:
    """Which changes are wanted.

    `apis` are those that may change (None: all that are used), but for `untouched`. Each change needs `min_problems`
    that are certified to show it, of which two at least become its own: a problem serves one change alone.
    """

    name: str
    min_problems: int
    untouched: frozenset[str] = frozenset()
    apis: frozenset[str] | None = None
    seed: int = 0
    order: OrderBy = "chance"
    hash_seeds: tuple[int, ...] = HASH_SEEDS


# Everything uses len and range: with them changed, little is left for specificity, and their groups outgrow all others.
PRESETS = {
    "main": Plan("main", min_problems=3, untouched=frozenset({"len", "range"})),
    "full": Plan("full", min_problems=2),
}


@dataclass(frozen=True, slots=True)
class Generated:
    """A benchmark with its certificate, and what was left out of it."""

    bench: Bench
    certificate: Certificate
    rejections: tuple[Rejection, ...]


def check_apis(plan: Plan) -> None:
    """Raise InputError where `plan` asks for an API that does not exist, cannot change, or is defined as another."""
    for api in sorted(plan.apis or ()):
        found = find_api(api).name
        if found != api:
            raise InputError(f"the API {api!r} is defined as {found!r}: ask for that one.")


def generate(problems: Sequence[Problem], plan: Plan, trials: Trials, progress: Progress = silent) -> Generated:
    """Return the certified benchmark that `plan` makes of `problems`: same problems and plan, same benchmark.

    Raises InputError where no change can be made, or where an API that was asked for does not exist or is not used;
    EnvironmentFault where the sandbox fails.
    """
    check_apis(plan)
    surveyed = survey(problems, trials, progress)
    users = surveyed.users()
    _check_used(plan, users)
    enough = {api: using for api, using in users.items() if _is_wanted(api, plan) and len(using) >= plan.min_problems}
    chosen = choose_designs(enough, trials, progress)
    return _Settling(surveyed, chosen, plan, trials, progress).settle(problems, users)


def _is_wanted(api: str, plan: Plan) -> bool:
    return api not in plan.untouched and (plan.apis is None or api in plan.apis)


def _check_used(plan: Plan, users: Mapping[str, object]) -> None:
    unused = sorted((plan.apis or frozenset()) - users.keys())
    if unused:
        raise InputError(f"no problem uses {', '.join(unused)}. Leave out what is not used, or add problems.")


class _Settling:
    """Divides the problems and certifies the result, leaving out what fails, until everything holds."""

    def __init__(self, surveyed: Survey, chosen: Mapping[str, Chosen], plan: Plan, trials: Trials, progress: Progress):
        self.survey, self.chosen, self.plan, self.trials, self.progress = surveyed, chosen, plan, trials, progress
        self.clusters = find_clusters([one.problem for one in surveyed.surveyed])
        self.failed: dict[str, Rejection] = {}  # problems that fail in the world of all changes, or by themselves
        self.not_for: dict[str, dict[str, str]] = {}  # problem -> API whose problem it cannot be -> why

    def settle(self, problems: Sequence[Problem], users: Mapping[str, Sequence[Surveyed]]) -> Generated:
        """Return the benchmark on which everything holds."""
        for _ in range(MAX_ROUNDS):
            assignment, bench = self._divide()
            certificate = certify(bench, self.trials, self.plan.hash_seeds, self.progress, strict=True)
            wrong = [check for check in certificate.checks if check.state != "holds"]
            if not wrong:
                return Generated(bench, certificate, tuple(self._rejections(problems, users, assignment)))
            for check in wrong:
                self._leave_out(bench, check)
        raise InputError(
            f"after {MAX_ROUNDS} rounds some problems still fail when certified, such as {wrong[0].task_id}: "
            f"{wrong[0].condition}, {wrong[0].seen}. Remove them from the input."
        )

    def _divide(self) -> tuple[Assignment, Bench]:
        """Divide the problems, again and again while some cannot be rewritten for all changes at once."""
        while True:
            assignment = self._assign()
            left_out = len(self.failed)
            bench = self._make_bench(assignment)
            if len(self.failed) == left_out:
                return assignment, bench

    def _assign(self) -> Assignment:
        wanted = [one for one in self.survey.surveyed if one.problem.task_id not in self.failed]
        eligible = self._eligible()
        return assign(
            [self._candidate(one, eligible) for one in wanted],
            min_problems=OWN_PROBLEMS,
            clusters=self.clusters,
            seed=self.plan.seed,
        )

    def _eligible(self) -> frozenset[str]:
        counts = {api: self._count_certified(api) for api in self.chosen}
        eligible = frozenset(api for api, count in counts.items() if count >= self.plan.min_problems)
        if not eligible:
            raise InputError(
                f"no API has {self.plan.min_problems} certified problems; of the APIs that so many problems use, the "
                f"best has {max(counts.values(), default=0)}. Lower --min-problems, or add problems."
            )
        return eligible

    def _count_certified(self, api: str) -> int:
        return sum(self._is_certified(task_id, api) for task_id in self.chosen[api].certified)

    def _is_certified(self, task_id: str, api: str) -> bool:
        sound = task_id not in self.failed and api not in self.not_for.get(task_id, {})
        return sound and task_id in self.chosen[api].certified

    def _candidate(self, one: Surveyed, eligible: frozenset[str]) -> Candidate:
        task_id = one.problem.task_id
        uses = one.uses & eligible
        return Candidate(
            task_id,
            uses=uses,
            certified=frozenset(api for api in uses if self._is_certified(task_id, api)),
            blocked=frozenset(api for api in uses if task_id in self.chosen[api].unwritable),
        )

    # The benchmark

    def _make_bench(self, assignment: Assignment) -> Bench:
        """Return the benchmark of `assignment`; problems that turn out not to be rewritable are noted as failed."""
        changes = self._changes(assignment)
        problems: dict[str, Problem] = {}
        for one in self.survey.surveyed:
            task_id = one.problem.task_id
            if task_id not in assignment.subsets:
                continue
            try:
                problems[task_id] = self._problem(one, assignment, changes)
            except Refusal as refusal:
                detail = f"rewritten for all changes at once, {refusal.reason}: {refusal.detail}"
                self.failed[task_id] = Rejection(task_id, None, "not_rewritable", detail)
        return Bench(self.plan.name, problems, changes)

    def _changes(self, assignment: Assignment) -> dict[str, Change]:
        counts = Counter(assignment.apis.values())
        places = order(assignment.kept, counts, self.plan.seed, self.plan.order)
        return {api: replace(self.chosen[api].design.change, order=places[api]) for api in sorted(assignment.kept)}

    def _problem(self, one: Surveyed, assignment: Assignment, changes: Mapping[str, Change]) -> Problem:
        api = assignment.apis.get(one.problem.task_id)
        common = replace(
            one.problem, subset=assignment.subsets[one.problem.task_id], change_id=api, uses=tuple(sorted(one.uses))
        )
        if api is None:
            return common
        updated = rewrite(one.references, [self.chosen[api].design.convention])
        # All of them, not only those it uses: what stands in for one API may itself use another.
        full = rewrite(one.references, [self.chosen[change].design.convention for change in changes])
        return replace(
            common,
            updated_solution=updated,
            fully_updated_solution=None if full == updated else full,
            tags=(*one.problem.tags, NAMES_API) if names_api(one.problem, changes[api]) else one.problem.tags,
        )

    # What was left out

    def _leave_out(self, bench: Bench, check: Check) -> None:
        problem = bench.problems[check.task_id]
        if check.condition in ("reference_passes", "all_changes_pass") or problem.change_id is None:
            self.failed.setdefault(check.task_id, Rejection(check.task_id, None, check.condition, check.seen))
        else:
            not_for = self.not_for.setdefault(check.task_id, {})
            not_for.setdefault(problem.change_id, f"{check.condition}: {check.seen}")

    def _rejections(
        self, problems: Sequence[Problem], users: Mapping[str, Sequence[Surveyed]], assignment: Assignment
    ) -> Iterator[Rejection]:
        rejected = {rejection.task_id: rejection for rejection in self.survey.rejections} | self.failed
        for problem in problems:
            task_id = problem.task_id
            if task_id in rejected:
                yield rejected[task_id]
            elif task_id in assignment.left_out:
                left_out = assignment.left_out[task_id]
                detail = "; ".join([left_out.detail, *self._reasons(task_id)])
                yield Rejection(task_id, None, left_out.reason, detail)
        wanted = users.keys() if self.plan.apis is None else self.plan.apis
        for api in sorted(wanted - set(assignment.kept)):
            yield self._rejected_api(api, len(users[api]))

    def _reasons(self, task_id: str) -> Iterator[str]:
        """Yield, for each API that the problem uses, why it is not the problem of that API."""
        for api, chosen in self.chosen.items():
            for reasons in (chosen.unwritable, chosen.unobserved):
                if task_id in reasons:
                    yield f"{api}: {reasons[task_id]}"
        yield from (f"{api}: {reason}" for api, reason in self.not_for.get(task_id, {}).items())

    def _rejected_api(self, api: str, uses: int) -> Rejection:
        needed = self.plan.min_problems
        if api in self.plan.untouched:
            return Rejection(None, api, "untouched", f"{_problems(uses)} it; the plan leaves it alone")
        if uses < needed:
            return Rejection(None, api, "too_few_problems", f"{_problems(uses)} it, {needed} are needed")
        if api not in self.chosen:
            return Rejection(None, api, "unchangeable", f"{_problems(uses)} it, but how it is called is not known")
        certified = self._count_certified(api)
        if certified < needed:
            detail = f"{_problems(uses)} it and {certified} can show a change of it, {needed} are needed"
        else:
            detail = f"its {certified} problems serve other changes, or are twins of each other"
        return Rejection(None, api, "too_few_certified", detail)


def _problems(count: int) -> str:
    return "1 problem uses" if count == 1 else f"{count} problems use"


def certification_record(certificate: Certificate, image: str, plan: Plan | None = None) -> dict[str, Any]:
    """Return what the manifest says about the certification, and about the plan where changes were made by one."""
    record: dict[str, Any] = {
        "conditions": certificate.counts(),
        "hash_seeds": list(certificate.hash_seeds),
        "image": image,
    }
    if plan is None:
        return record
    return record | {
        "plan": {
            "min_problems": plan.min_problems,
            "untouched": sorted(plan.untouched),
            "apis": None if plan.apis is None else sorted(plan.apis),
            "order": plan.order,
        },
    }
