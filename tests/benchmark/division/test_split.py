"""Which APIs are kept, and whose problem each problem is: the rules, and the optimum against trying everything."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.benchmark.division.split import Candidate, LeftOut, assign
from edittool.schemas.errors import InputError


def candidate(task_id, uses, certified=None, blocked=""):
    uses = frozenset(uses)
    return Candidate(
        task_id, uses, uses - frozenset(blocked) if certified is None else frozenset(certified), frozenset(blocked)
    )


def run(candidates, min_problems=2, clusters=(), seed=0):
    assignment = assign(candidates, min_problems=min_problems, clusters=clusters, seed=seed)
    check(assignment, candidates, min_problems, clusters)
    return assignment


def check(assignment, candidates, min_problems, clusters):
    """Every rule that holds for every assignment."""
    kept = frozenset(assignment.kept)
    assert assignment.subsets.keys() | assignment.left_out.keys() == {c.task_id for c in candidates}
    assert not assignment.subsets.keys() & assignment.left_out.keys()
    for c in candidates:
        api, subset = assignment.apis.get(c.task_id), assignment.subsets.get(c.task_id)
        assert (api is not None) == (subset in ("reliability", "generalization"))
        if api is not None:
            assert api in c.certified & kept
            assert not c.blocked & kept
        if subset == "specificity":
            assert not c.uses & kept
    for api, count in Counter(assignment.apis.values()).items():
        subsets = {assignment.subsets[name] for name, owner in assignment.apis.items() if owner == api}
        assert count >= min_problems
        assert subsets == {"reliability", "generalization"}
    assert set(assignment.apis.values()) == kept
    for cluster in clusters:
        assert len({assignment.subsets[name] for name in cluster if name in assignment.subsets}) <= 1


# The reasons


def test_a_problem_is_assigned_to_a_kept_api_and_one_that_uses_none_is_specificity():
    assignment = run([candidate("a", "x"), candidate("b", "x"), candidate("c", "y"), candidate("d", "")])
    assert assignment.kept == ("x",)
    assert assignment.apis == {"a": "x", "b": "x"}
    assert assignment.subsets["c"] == assignment.subsets["d"] == "specificity"
    assert assignment.left_out == {}


def test_an_uncertified_problem_of_a_kept_api_is_left_out():
    assignment = run([candidate("a", "x"), candidate("b", "x"), candidate("c", "xy", certified="y")])
    assert assignment.left_out == {"c": LeftOut("uncertified", "uses x, and is certified for none of the changes kept")}


def test_a_problem_that_cannot_be_rewritten_for_a_kept_api_is_left_out_though_it_is_certified_for_another():
    xs, ys = [candidate(f"x{n}", "x") for n in range(2)], [candidate(f"y{n}", "y") for n in range(2)]
    assignment = run([*xs, *ys, candidate("c", "xy", blocked="y")])
    assert assignment.left_out == {"c": LeftOut("not_rewritable", "cannot be rewritten for y")}


def test_a_problem_that_cannot_be_rewritten_for_an_api_stays_when_that_api_is_not_kept():
    assignment = run([candidate("a", "x"), candidate("b", "xy", blocked="y")])
    assert assignment.apis == {"a": "x", "b": "x"}


def test_a_cluster_across_specificity_loses_its_smaller_part_and_names_the_twin():
    xs = [candidate(f"x{n}", "x") for n in range(4)]
    assignment = run([*xs, candidate("s1", ""), candidate("s2", "")], clusters=[{"x0", "s1", "s2"}])
    assert assignment.left_out == {
        "x0": LeftOut("duplicate", "is the same task as s1, which uses no changed API, while this one uses x")
    }
    assignment = run([*xs, candidate("s1", "")], clusters=[{"x0", "x1", "s1"}])
    assert assignment.left_out == {
        "s1": LeftOut(
            "duplicate", "is the same task as x0, which is a problem of x, while this one uses no changed API"
        )
    }


def test_twins_share_a_subset_also_across_apis():
    apis = [candidate(f"{api}{n}", api) for api in "xyz" for n in range(5)]
    run(apis, clusters=[{"x0", "y0", "z0"}, {"x1", "x2"}, {"y3", "z3"}])


def test_an_api_with_the_problems_of_one_cluster_only_cannot_be_kept():
    xs, ys = [candidate(f"x{n}", "x") for n in range(2)], [candidate(f"y{n}", "y") for n in range(2)]
    assert run([*xs, *ys], clusters=[{"x0", "x1"}]).kept == ("y",)
    with pytest.raises(InputError, match="all the same task told again"):
        run(xs, clusters=[{"x0", "x1"}])


def test_no_api_with_enough_problems_is_an_error_that_says_what_to_do():
    with pytest.raises(
        InputError, match=r"No API has 3 certified problems; the most that any has is 2\. Lower --min-prob"
    ):
        run([candidate("a", "x"), candidate("b", "xy")], min_problems=3)
    with pytest.raises(InputError, match="the most that any has is 0"):
        run([])
    with pytest.raises(InputError, match="--min-problems is 1"):
        run([candidate("a", "x")], min_problems=1)


# The optimum

APIS = "xyz"
TINY = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from(APIS)), st.frozensets(st.sampled_from(APIS)), st.frozensets(st.sampled_from(APIS))
    ),
    min_size=3,
    max_size=6,
)


def best(candidates, min_problems, clusters):
    """Return the best (kept APIs, problems in the benchmark, specificity, -largest group), by trying everything."""
    found = [(0, 0, 0, 0)]
    for flags in product((0, 1), repeat=len(APIS)):
        kept = {api for api, flag in zip(APIS, flags, strict=True) if flag}
        for places in product(*(list(possible(c, kept)) for c in candidates)):
            sizes = Counter(api for api, _ in filter(None, places) if api)
            if sizes.keys() == kept and all(size >= min_problems for size in sizes.values()):
                subsets = {c.task_id: place[1] for c, place in zip(candidates, places, strict=True) if place}
                in_both = all({p[1] for p in places if p and p[0] == api} == {"r", "g"} for api in kept)
                if in_both and all(len({subsets[n] for n in cluster if n in subsets}) <= 1 for cluster in clusters):
                    unaffected = list(subsets.values()).count("s")
                    found.append((len(kept), len(subsets), unaffected, -max(sizes.values(), default=0)))
    return max(found)


def possible(c, kept):
    yield None
    if not c.uses & kept:
        yield (None, "s")
    elif not c.blocked & kept:
        yield from ((api, side) for api in sorted(c.certified & kept) for side in "rg")


@settings(max_examples=60, deadline=None)
@given(TINY, st.integers(2, 3), st.booleans(), st.integers(0, 3))
def test_nothing_keeps_more_apis_or_more_problems_or_more_specificity_or_has_smaller_groups(
    rows, min_problems, clustered, seed
):
    candidates = [
        Candidate(f"p{n}", uses, uses & certified, uses & blocked - certified)
        for n, (uses, certified, blocked) in enumerate(rows)
    ]
    clusters = [{"p0", "p1"}, {"p2", "p3", "p9"}] if clustered else []
    expected = best(candidates, min_problems, clusters)
    if expected[0] == 0:
        with pytest.raises(InputError):
            run(candidates, min_problems, clusters, seed)
        return
    assignment = run(candidates, min_problems, clusters, seed)
    largest = max(Counter(assignment.apis.values()).values())
    unaffected = list(assignment.subsets.values()).count("specificity")
    assert (len(assignment.kept), len(assignment.subsets), unaffected, -largest) == expected


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_group_is_as_small_as_it_can_be(seed):
    shared, only_x = [candidate(f"s{n}", "xy") for n in range(12)], [candidate(f"x{n}", "x") for n in range(4)]
    assert Counter(run([*shared, *only_x], seed=seed).apis.values()) == {"x": 8, "y": 8}


# The real size


def realistic(seed, problems=1138, apis=98, pairs=1900):
    """Problems as HumanEval and MBPP have them: a few APIs in a hundred problems each, most in two to ten."""
    chance = random.Random(seed)
    weights = [1 / (rank + 2) for rank in range(apis)]
    uses = [set() for _ in range(problems)]
    affected = [used for used in uses if chance.random() > 0.22]
    for api in range(apis):
        for used in chance.sample(affected, 2):
            used.add(api)
    while sum(map(len, uses)) < pairs:
        chance.choice(affected).update(chance.choices(range(apis), weights))
    candidates = []
    for number, used in enumerate(uses):
        names = [f"api{api}" for api in sorted(used)]
        certified = frozenset(name for name in names if chance.random() < 0.95)
        blocked = frozenset(name for name in names if chance.random() < 0.1) - certified
        candidates.append(Candidate(f"T/{number}", frozenset(names), certified, blocked))
    twins = chance.sample([c.task_id for c in candidates], 140)
    return candidates, [twins[start : start + 2] for start in range(0, 140, 2)]


def test_a_benchmark_of_the_real_size_is_divided_in_seconds_and_the_same_in_every_order():
    candidates, clusters = realistic(1)
    start = time.process_time()
    assignment = run(candidates, 3, clusters)
    assert time.process_time() - start < 20
    counts = Counter(assignment.subsets.values())
    affected = counts["reliability"] + counts["generalization"]
    assert counts["reliability"] == round(0.44 * affected)
    assert run(candidates[::-1], 3, [cluster[::-1] for cluster in clusters[::-1]]) == assignment
    assert run(candidates, 3, clusters, seed=1).apis != assignment.apis


def test_the_hash_seed_of_the_process_changes_nothing():
    program = (
        "from edittool.benchmark.division.split import Candidate, assign\n"
        "rows = [Candidate(f'p{n}', *[frozenset({f'a{n % 7}', f'a{n % 5}', f'b{n % 3}'})] * 2) for n in range(60)]\n"
        "print(assign(rows, min_problems=2, clusters=[{f'p{n}', f'p{n + 1}'} for n in range(0, 20, 2)], seed=0))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
