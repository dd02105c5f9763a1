"""Reliability or generalization: the problems of each change divided near a share, with twins on the same side."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction

from ...schemas.problems import Subset
from .chance import shuffled, weight
from .integer_programme import Programme

RELIABILITY_SHARE = Fraction(44, 100)


def divide(
    apis: Mapping[str, str],
    twins: Mapping[str, frozenset[str]],
    *,
    seed: int,
    share: Fraction = RELIABILITY_SHARE,
) -> dict[str, Subset]:
    """Return the subset of each problem of `apis`, which says whose problem it is.

    Every API gets at least one problem in each subset. In reliability it gets its share, rounded up or down; which of
    the two is decided so that all reliability together comes nearest to the share, and then so that the APIs do.
    Only twins can force an API off its share. Raises InfeasibleError where an API has problems of one cluster only.
    """
    programme = Programme()
    names = shuffled(seed, "subsets", apis)
    clusters = {twins[name]: programme.variable() for name in names if name in twins}
    # Problems without twins are alike to the programme, which only says how many of an API's go to reliability.
    alone: dict[str, list[str]] = {api: [] for api in shuffled(seed, "apis", set(apis.values()))}
    for name in names:
        if name not in twins:
            alone[apis[name]].append(name)
    taken = {api: programme.variable(upper=len(free)) for api, free in alone.items()}

    reliability: dict[str, list[tuple[int, int]]] = {api: [(1, variable)] for api, variable in taken.items()}
    for (api, variable), count in Counter(
        (apis[name], clusters[twins[name]]) for name in names if name in twins
    ).items():
        reliability[api].append((count, variable))
    ties = [(weight(seed, "side", api), variable) for api, variable in taken.items()]
    ties += [(weight(seed, "side", min(cluster)), variable) for cluster, variable in clusters.items()]
    values = programme.minimise(*_near_share(programme, reliability, Counter(apis.values()), share), ties)

    chosen = {name for api, free in alone.items() for name in free[: values[taken[api]]]}
    chosen |= {name for name in apis if name in twins and values[clusters[twins[name]]]}
    return {name: "reliability" if name in chosen else "generalization" for name in sorted(apis)}


def _near_share(
    programme: Programme,
    reliability: Mapping[str, list[tuple[int, int]]],
    sizes: Mapping[str, int],
    share: Fraction,
) -> Iterator[list[tuple[int, int]]]:
    """Yield the objectives: no API beyond its rounded share, all together near the share, each API near it."""
    for api, terms in reliability.items():
        programme.require(terms, low=1, high=sizes[api] - 1)
    rounded = {api: (math.floor(share * size), math.ceil(share * size)) for api, size in sizes.items()}
    yield [(1, _distance(programme, terms, *rounded[api], sizes[api])) for api, terms in reliability.items()]
    everything, size = [term for terms in reliability.values() for term in terms], sum(sizes.values())
    yield [(1, _distance(programme, everything, round(share * size), round(share * size), size))]
    scale = share.denominator
    scaled = {api: [(count * scale, variable) for count, variable in terms] for api, terms in reliability.items()}
    quotas = {api: share.numerator * size for api, size in sizes.items()}
    yield [
        (1, _distance(programme, terms, quotas[api], quotas[api], sizes[api] * scale)) for api, terms in scaled.items()
    ]


def _distance(programme: Programme, terms: list[tuple[int, int]], low: int, high: int, most: int) -> int:
    """Return a variable that is, once minimised, how far the sum of `terms` is from the range."""
    distance = programme.variable(upper=most)
    programme.require([*terms, (1, distance)], low=low)
    programme.require([*terms, (-1, distance)], high=high)
    return distance
