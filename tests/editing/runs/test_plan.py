from dataclasses import replace
from typing import Any

import pytest

from edittool.editing.runs.plan import plan, untaught
from edittool.editing.runs.settings import Run
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

from ..conftest import change, problem
from ..short_runs import BATCH, INSTANT, NONE, SEQUENTIAL


def many(count: int) -> Bench:
    """A benchmark of `count` changes, in the order of their numbers."""
    names = [f"c{i:03}" for i in range(count)]
    problems = [problem(name, "reliability", name) for name in names] + [problem("s", "specificity", None)]
    changes = {name: replace(change(name), order=place) for place, name in enumerate(names)}
    return Bench("many", {p.task_id: p for p in problems}, changes)


def steps(bench: Bench, run: Run) -> list[int]:
    return [len(stage.edited) for stage in plan(bench, run)]


def test_every_specificity_problem_gets_a_turn(bench: Bench) -> None:
    stages = plan(bench, replace(INSTANT, specificity_per_change=2))
    shares = {s.edited[0]: {p.task_id for p in s.problems if p.subset == "specificity"} for s in stages}
    assert [len(share) for share in shares.values()] == [2, 2]
    assert shares["len"] | shares["max"] == {"t/s0", "t/s1", "t/s2", "t/s3"}
    (alone,) = plan(bench, replace(INSTANT, specificity_per_change=2, changes=("max",)))
    assert {p.task_id for p in alone.problems if p.subset == "specificity"} == shares["max"]
    last = plan(bench, replace(SEQUENTIAL, specificity_per_change=2))[-1]
    assert {p.task_id for p in last.problems if p.subset == "specificity"} == shares["max"]


@pytest.mark.parametrize("changes", [("max",), ("len", "max")])
def test_the_unedited_model_is_sampled_on_what_edits_with_the_changes_are_sampled_on(
    bench: Bench, changes: tuple[str, ...]
) -> None:
    few = {"changes": changes, "specificity_per_change": 1}
    (unedited,) = plan(bench, replace(NONE, **few))
    edited = [stage for run in (INSTANT, SEQUENTIAL, BATCH) for stage in plan(bench, replace(run, **few))]
    tasks = [problem.task_id for problem in unedited.problems]
    assert tasks == sorted({problem.task_id for stage in edited for problem in stage.problems})
    assert len(tasks) < len(bench.problems)
    (everything,) = plan(bench, replace(NONE, specificity_per_change=1))
    assert len(everything.problems) == len(bench.problems)
    with pytest.raises(InputError, match="no change 'maxx'"):
        plan(bench, replace(NONE, changes=("maxx",)))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (10, [1, 2, 5, 10]), (130, [1, 2, 5, 10, 20, 50, 100, 130])],
)
def test_steps_are_round_numbers_and_the_last(count: int, expected: list[int]) -> None:
    assert steps(many(count), SEQUENTIAL) == expected


def test_steps_can_be_chosen() -> None:
    stages = plan(many(6), replace(SEQUENTIAL, steps=(4, 2, 4)))
    assert [stage.edited for stage in stages] == [("c000", "c001"), ("c000", "c001", "c002", "c003")]
    assert [edit.name for edit in stages[1].edits] == ["0001-c000", "0002-c001", "0003-c002", "0004-c003"]
    with pytest.raises(InputError, match="Step 7 is never reached: 6 changes"):
        plan(many(6), replace(SEQUENTIAL, steps=(1, 7)))


def test_changes_without_a_place_come_last_by_id(bench: Bench) -> None:
    (last,) = [stage for stage in plan(bench, SEQUENTIAL) if len(stage.edited) == 2]
    assert last.edited == ("len", "max")
    placed = replace(bench, changes=bench.changes | {"max": replace(bench.changes["max"], order=7)})
    assert plan(placed, SEQUENTIAL)[-1].edited == ("max", "len")
    assert plan(placed, BATCH)[0].edited == ("max", "len")
    assert [stage.edited for stage in plan(placed, INSTANT)] == [("len",), ("max",)]


@pytest.mark.parametrize("run", [INSTANT, SEQUENTIAL, BATCH], ids=lambda run: run.regime)
def test_changes_that_nothing_teaches_are_left_out(bench: Bench, run: Run) -> None:
    assert untaught(bench, run) == ("min",)
    assert {name for stage in plan(bench, run) for name in stage.edited} == {"len", "max"}
    only = replace(run, changes=("min",))
    assert (plan(bench, only), untaught(bench, only)) == ([], ("min",))
    assert untaught(bench, NONE) == ()


@pytest.mark.parametrize("run", [INSTANT, SEQUENTIAL, BATCH], ids=lambda run: run.regime)
def test_what_cannot_be_taught_is_told_at_once(bench: Bench, run: Run) -> None:
    broken = replace(bench.problems["t/b1"], updated_solution=None)
    with pytest.raises(InputError, match="t/b1"):
        plan(replace(bench, problems=bench.problems | {"t/b1": broken}), run)


def test_ids_are_quoted_in_names(bench: Bench) -> None:
    renamed = replace(bench.changes["len"], change_id="a/b")
    problems = {p.task_id: replace(p, change_id="a/b") for p in bench.problems.values() if p.change_id == "len"}
    odd = Bench("odd", problems, {"a/b": renamed})
    assert [plan(odd, run)[0].edits[0].name for run in (INSTANT, SEQUENTIAL)] == ["a%2Fb", "0001-a%2Fb"]


def test_an_unknown_change(bench: Bench) -> None:
    with pytest.raises(InputError, match=r"no change 'nope'.*len, max, min"):
        plan(bench, replace(INSTANT, changes=("nope",)))


@pytest.mark.parametrize(
    ("run", "other", "fault"),
    [
        (INSTANT, {"regime": "none"}, "do not go together"),
        (NONE, {"regime": "instant"}, "do not go together"),
        (INSTANT, {"regime": "batch"}, "ft cannot take all changes in one edit"),
        (INSTANT, {"steps": (1,)}, "Steps are for the sequential regime"),
        (SEQUENTIAL, {"steps": ()}, "from 1"),
        (SEQUENTIAL, {"steps": (0, 1)}, "from 1"),
        (SEQUENTIAL, {"specificity_per_change": -1}, "0 or more"),
    ],
)
def test_what_does_not_go_together(run: Run, other: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        replace(run, **other)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 9])
def test_shards_in_their_order_are_the_whole_plan(parts: int) -> None:
    bench = many(7)
    shards = [plan(bench, replace(INSTANT, shard=(part, parts))) for part in range(1, parts + 1)]
    assert [stage for shard in shards for stage in shard] == plan(bench, INSTANT)
    assert {len(shard) for shard in shards} <= {7 // parts, 7 // parts + 1}


def test_shards_are_of_the_chosen_changes() -> None:
    run = replace(INSTANT, changes=("c001", "c005"), shard=(2, 2))
    assert [stage.edited for stage in plan(many(7), run)] == [("c005",)]


@pytest.mark.parametrize("shard", [(0, 3), (4, 3), (1, 0), (-1, -1)])
def test_a_shard_that_is_not_there(shard: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"no part {shard[0]} of {shard[1]}"):
        replace(INSTANT, shard=shard)


@pytest.mark.parametrize("run", [SEQUENTIAL, BATCH, NONE], ids=lambda run: run.regime)
def test_only_instant_can_be_sharded(run: Run) -> None:
    with pytest.raises(InputError, match=f"regime {run.regime} cannot be divided"):
        replace(run, shard=(1, 2))
