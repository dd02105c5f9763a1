"""Problems of each change divided into reliability and generalization near the share."""

from collections import Counter
from fractions import Fraction
from itertools import product
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.benchmark.division.integer_programme import InfeasibleError
from edittool.benchmark.division.subsets import divide

SHARE = Fraction(44, 100)


def owned(sizes):
    return {f"{api}{n}": api for api, size in sizes.items() for n in range(size)}


def reliability(subsets, apis):
    return Counter(apis[name] for name, subset in subsets.items() if subset == "reliability")


@pytest.mark.parametrize(("size", "expected"), [(2, 1), (3, 1), (4, 2), (9, 4), (25, 11), (100, 44)])
def test_one_api_gets_its_share(size, expected):
    apis = owned({"x": size})
    assert reliability(divide(apis, {}, seed=0), apis) == {"x": expected}


def test_all_together_are_nearest_to_the_share_though_each_api_alone_would_be_below():
    apis = owned({f"api{n}_": 3 for n in range(50)})  # 1.32 of 3
    counts = reliability(divide(apis, {}, seed=0), apis)
    assert counts.total() == 66
    assert set(counts.values()) == {1, 2}


def test_another_share_can_be_asked_for():
    apis = owned({"x": 10, "y": 10})
    assert reliability(divide(apis, {}, seed=0, share=Fraction(3, 10)), apis) == {"x": 3, "y": 3}


def test_the_seed_decides_which_problems_go_where():
    apis = owned({"x": 20})
    assert divide(apis, {}, seed=0) == divide(dict(reversed(apis.items())), {}, seed=0)
    assert divide(apis, {}, seed=0) != divide(apis, {}, seed=1)


def test_an_api_with_the_problems_of_one_cluster_only_cannot_be_divided():
    cluster = frozenset({"x0", "x1"})
    with pytest.raises(InfeasibleError):
        divide(owned({"x": 2}), dict.fromkeys(cluster, cluster), seed=0)


def cost(apis, chosen):
    """What the programme makes least, in order; None for a division that is not allowed."""
    sizes, counts = Counter(apis.values()), Counter(apis[name] for name in chosen)
    if any(not 0 < counts[api] < size for api, size in sizes.items()):
        return None
    quotas = {api: SHARE * size for api, size in sizes.items()}
    beyond = sum(max(0, floor(quota) - counts[api], counts[api] - ceil(quota)) for api, quota in quotas.items())
    return (beyond, abs(len(chosen) - round(SHARE * len(apis))), sum(abs(counts[api] - q) for api, q in quotas.items()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("xyz"), min_size=4, max_size=9), st.integers(2, 4), st.integers(0, 5))
def test_no_division_is_nearer(owners, width, seed):
    apis = {f"p{n}": api for n, api in enumerate(owners)}
    clusters = [frozenset(f"p{n}" for n in range(start, start + width) if n < len(apis)) for start in (0, width)]
    twins = {name: cluster for cluster in clusters if len(cluster) > 1 for name in cluster}
    units = list({twins.get(name, frozenset({name})) for name in apis})
    divisions = (
        frozenset().union(*(unit for unit, taken in zip(units, flags, strict=True) if taken))
        for flags in product((0, 1), repeat=len(units))
    )
    costs = [found for found in (cost(apis, chosen) for chosen in divisions) if found is not None]
    if not costs:
        with pytest.raises(InfeasibleError):
            divide(apis, twins, seed=seed)
        return
    subsets = divide(apis, twins, seed=seed)
    chosen = {name for name, subset in subsets.items() if subset == "reliability"}
    assert cost(apis, chosen) == min(costs)
    assert all(unit <= chosen or not unit & chosen for unit in units)
