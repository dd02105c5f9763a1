"""What a study costs: counted beforehand, and what it then is."""

from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.cli.studies.running import look
from edittool.scaling.study.counts import Counts, count
from edittool.scaling.study.plan import Entry, Plan, Sampling
from edittool.scaling.study.steps import first_steps, last_steps

FOLDER = Path("out")


@pytest.mark.torch
def test_edits_samples_and_programs() -> None:
    plan = Plan(
        Path("plan.yaml"),
        "0" * 64,
        "builtin",
        "tiny",
        (Entry("ft", "ft", ("instant", "sequential")), Entry("told", "docs", ("instant",))),
        (Sampling("s", n=2),),
        changes=("sorted", "math.pi"),
        specificity_per_change=2,
        steps=(2,),
    )
    bench = load_builtin()
    steps = [*first_steps(plan, FOLDER, plan.methods), *last_steps(plan, FOLDER, ())]
    looks = {step.makes[0]: look(step, bench) for step in steps if step.kind == "edit"}
    found = [count(step, looks) for step in steps]
    own = {
        subset: 2 * sum(p.change_id in plan.changes and p.subset == subset for p in bench.problems.values())
        for subset in ("reliability", "generalization")
    }
    total = sum(own.values())
    unedited, plain, ft, ft_judged, sequential, _, told, told_judged, worlds, report = found
    assert plain == Counts(programs=sum(unedited.samples.values()))
    assert ft == Counts(edits=2, samples={**own, "specificity": 8})
    assert ft_judged == told_judged == Counts(programs=total + 8)
    assert sequential == Counts(edits=2, samples={**own, "specificity": 4})
    assert told == Counts(samples={**own, "specificity": 8})
    assert worlds == Counts(programs=total + 8)
    assert report == Counts()
    assert not report
    assert sum(found, Counts()).edits == 4
    assert str(Counts(1, {"b": 2, "a": 1}, 3)) == "1 edit, 3 samples (1 a, 2 b), 3 programs to judge"
