"""The split: the changes that a benchmark keeps and the problems that test each of them, by two integer programmes.

The first, here, chooses the APIs and gives each problem to one of them; the second, in `subsets`, divides the problems
of each API.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ...schemas.errors import InputError
from ...schemas.problems import Subset
from .chance import shuffled, weight
from .integer_programme import Programme
from .subsets import RELIABILITY_SHARE, divide

Reason = Literal["not_rewritable", "uncertified", "duplicate"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A problem that may enter a benchmark, and what each changeable API it uses means for it."""

    task_id: str
    uses: frozenset[str]
    certified: frozenset[str]  # the APIs whose problem it may become
    blocked: frozenset[str] = frozenset()  # the APIs it cannot be rewritten for: none of them may be kept beside it


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a problem is not in the benchmark."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """A benchmark's division: every candidate is in `subsets` or in `left_out`."""

    kept: tuple[str, ...]
    apis: Mapping[str, str]  # of the problems in reliability and generalization: whose problem each is
    subsets: Mapping[str, Subset]
    left_out: Mapping[str, LeftOut]


def assign(
    candidates: Iterable[Candidate],
    *,
    min_problems: int,
    clusters: Iterable[Collection[str]],
    seed: int,
    share: Fraction = RELIABILITY_SHARE,
) -> Assignment:
    """Keep as many APIs as possible with `min_problems` problems each, and give every problem its API and its subset.

    Of all ways to do so the result leaves out the fewest problems; of these, it has the most in specificity; of these,
    its largest group is smallest; what ties are left are broken by `seed`. The problems of a cluster that are
    not left out share one subset.
    Raises InputError where no API can be kept.
    """
    if min_problems < 2:
        raise InputError(
            f"An API needs at least 2 problems, one to edit for and one to generalize to, but --min-problems is "
            f"{min_problems}. Raise it to 2 or more."
        )
    by_id = {candidate.task_id: candidate for candidate in candidates}
    problems = [by_id[name] for name in shuffled(seed, "problems", by_id)]
    twins = _twins(clusters, by_id)
    placed = _Placement(problems, twins, _keepable(problems, min_problems), min_problems, seed).solve()
    if not placed.kept:
        raise InputError(
            f"No API has {min_problems} certified problems that are not all the same task told again. "
            "Lower --min-problems or add problems."
        )
    return _describe(problems, twins, placed, divide(placed.apis, twins, seed=seed, share=share))


def _keepable(problems: Sequence[Candidate], min_problems: int) -> frozenset[str]:
    """Return the APIs with enough certified problems to be kept if no other API is."""
    counts: dict[str, int] = defaultdict(int)
    for problem in problems:
        for api in problem.certified - problem.blocked:
            counts[api] += 1
    keepable = frozenset(api for api, count in counts.items() if count >= min_problems)
    if not keepable:
        most = max(counts.values(), default=0)
        raise InputError(
            f"No API has {min_problems} certified problems; the most that any has is {most}. "
            "Lower --min-problems or add problems."
        )
    return keepable


def _twins(clusters: Iterable[Collection[str]], known: Collection[str]) -> dict[str, frozenset[str]]:
    """Return for each problem that is in a cluster the candidates of that cluster, itself among them."""
    twins: dict[str, frozenset[str]] = {}
    for cluster in clusters:
        members = frozenset(cluster) & frozenset(known)
        if len(members) > 1:
            twins |= dict.fromkeys(members, members)
    return twins


@dataclass(frozen=True, slots=True)
class _Placed:
    kept: frozenset[str]
    apis: dict[str, str]
    unaffected: frozenset[str]  # the problems of specificity


class _Placement:
    """The first programme: 0-1 variables for kept APIs, problems given to an API, and problems in specificity.

    The problems of a cluster need more: it is to have one subset in the second programme, and every API at least one
    problem in reliability and one in generalization. So each of them is given to an API on one of two sides, which is
    the same for the whole cluster. Which of them is reliability is not decided here.
    """

    def __init__(
        self,
        problems: Sequence[Candidate],
        twins: Mapping[str, frozenset[str]],
        keepable: frozenset[str],
        min_problems: int,
        seed: int,
    ) -> None:
        self.seed = seed
        self.programme = Programme()
        self.kept = {api: self.programme.variable() for api in shuffled(seed, "apis", keepable)}
        self.sides = {
            cluster: tuple(self.programme.variable() for _ in range(3))  # two sides and specificity
            for cluster in dict.fromkeys(twins[problem.task_id] for problem in problems if problem.task_id in twins)
        }
        self.given: dict[tuple[str, str], list[int]] = {}  # problem and API: one variable for each side it can be on
        self.unaffected: dict[str, int] = {}
        for sides in self.sides.values():
            self.programme.require(_sum(sides), high=1)
        for problem in problems:
            self._add(problem, self.sides.get(twins.get(problem.task_id, frozenset())))
        self._require_problems(min_problems)

    def _add(self, problem: Candidate, sides: tuple[int, ...] | None) -> None:
        """A problem is given to one API, is in specificity, or, where all its variables are 0, is left out."""
        require, kept = self.programme.require, self.kept
        unaffected = self.unaffected[problem.task_id] = self.programme.variable()
        options = {
            api: [self.programme.variable() for _ in range(2 if sides else 1)]
            for api in kept
            if api in problem.certified - problem.blocked
        }
        self.given |= {(problem.task_id, api): variables for api, variables in options.items()}
        given = [variable for variables in options.values() for variable in variables]
        require(_sum([unaffected, *given]), high=1)
        for api, variables in options.items():
            require([*_sum(variables), (-1, kept[api])], high=0)
        for api in kept:
            if api in problem.blocked:
                require(_sum([kept[api], unaffected, *given]), high=1)
            elif api in problem.uses:
                require(_sum([kept[api], unaffected]), high=1)
        if sides:
            require([(1, unaffected), (-1, sides[2])], high=0)
            for index, side in enumerate(sides[:2]):
                require([*_sum(variables[index] for variables in options.values()), (-1, side)], high=0)

    def _require_problems(self, min_problems: int) -> None:
        """Give a kept API enough problems, and one for either side; a problem without twins can be on any side."""
        for api, group in self._groups().items():
            kept = self.kept[api]
            self.programme.require([*_sum(_flat(group)), (-min_problems, kept)], low=0)
            for side in (0, -1):
                self.programme.require([*_sum(variables[side] for variables in group), (-1, kept)], low=0)

    def _groups(self) -> dict[str, list[list[int]]]:
        groups: dict[str, list[list[int]]] = {api: [] for api in self.kept}
        for (_, api), variables in self.given.items():
            groups[api].append(variables)
        return groups

    def solve(self) -> _Placed:
        largest = self.programme.variable(upper=len(self.unaffected))
        for group in self._groups().values():
            self.programme.require([*_sum(_flat(group)), (-1, largest)], high=0)
        placed = [*self.unaffected.values(), *_flat(self.given.values())]
        ties = [
            (weight(self.seed, "given", *pair), variable)
            for pair, variables in self.given.items()
            for variable in variables
        ]
        values = self.programme.minimise(
            [(-1, kept) for kept in self.kept.values()],
            [(-1, variable) for variable in placed],
            [(-1, variable) for variable in self.unaffected.values()],
            [(1, largest)],
            ties,
        )
        return _Placed(
            frozenset(api for api, kept in self.kept.items() if values[kept]),
            {name: api for (name, api), variables in self.given.items() if any(values[v] for v in variables)},
            frozenset(name for name, variable in self.unaffected.items() if values[variable]),
        )


def _sum(variables: Iterable[int]) -> list[tuple[int, int]]:
    return [(1, variable) for variable in variables]


def _flat(groups: Iterable[Iterable[int]]) -> Iterator[int]:
    return (variable for group in groups for variable in group)


# What came of it, in words


def _describe(
    problems: Sequence[Candidate],
    twins: Mapping[str, frozenset[str]],
    placed: _Placed,
    divided: Mapping[str, Subset],
) -> Assignment:
    specificity: dict[str, Subset] = dict.fromkeys(placed.unaffected, "specificity")
    subsets = dict(sorted((specificity | dict(divided)).items()))
    left_out = {
        problem.task_id: _explain(problem, placed.kept, twins.get(problem.task_id, frozenset()), subsets, placed.apis)
        for problem in sorted(problems, key=lambda problem: problem.task_id)
        if problem.task_id not in subsets
    }
    return Assignment(tuple(sorted(placed.kept)), dict(sorted(placed.apis.items())), subsets, left_out)


def _explain(
    problem: Candidate,
    kept: frozenset[str],
    twins: frozenset[str],
    subsets: Mapping[str, Subset],
    apis: Mapping[str, str],
) -> LeftOut:
    used, blocked = problem.uses & kept, problem.blocked & kept
    if blocked:
        return LeftOut("not_rewritable", f"cannot be rewritten for {_listed(blocked)}")
    if used and not problem.certified & kept:
        return LeftOut("uncertified", f"uses {_listed(used)}, and is certified for none of the changes kept")
    twin = min(twin for twin in twins if twin in subsets)
    own = f"this one uses {_listed(used)}" if used else "this one uses no changed API"
    other = f"is a problem of {apis[twin]}" if twin in apis else "uses no changed API"
    return LeftOut("duplicate", f"is the same task as {twin}, which {other}, while {own}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
