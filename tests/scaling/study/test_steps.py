"""The steps of a plan: which commands, in which order, and that they are always the same."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.cli.main import cli
from edittool.editing.methods.table import find_method, method_names
from edittool.scaling.study.plan import Entry, Plan, Sampling
from edittool.scaling.study.steps import Step, first_steps, last_steps, report_folder

FOLDER = Path("out")
GREEDY, SAMPLED = Sampling("greedy", n=1, temperature=0.0), Sampling("sampled", n=2, seed=7)

samplings = st.builds(
    Sampling, st.sampled_from(["a", "b", "c"]), n=st.none() | st.integers(1, 3), seed=st.none() | st.integers(0, 3)
)
entries = st.builds(
    lambda name, method, regimes, subject: Entry(name, method, tuple(regimes), subject=subject),
    st.sampled_from(["x", "y", "z"]),
    st.sampled_from([name for name in method_names() if name != "none"]),
    st.lists(st.sampled_from(["instant", "sequential"]), min_size=1, unique=True),
    st.none() | st.just("api"),
)


def by_name(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=3, unique_by=lambda value: value.name).map(tuple)


plans = st.builds(
    lambda **fields: plan(**fields),
    methods=by_name(entries),
    samplings=by_name(samplings),
    changes=st.none() | st.just(("sorted", "len")),
    chat=st.booleans(),
    engine=st.none() | st.just("vllm"),
    save_edits=st.booleans(),
    judge=st.sampled_from([{}, {"samples_per_container": 16, "workers": 2}]),
    references=st.sampled_from([(), ("paper", "paper-v2")]),
)


def plan(**fields: Any) -> Plan:
    usual = {"methods": (Entry("ft", "ft", ("instant",)),), "samplings": (GREEDY,), "bench": "builtin", "model": "tiny"}
    return Plan(**{"path": Path("plan.yaml"), "sha256": "0" * 64, **usual, **fields})


def all_steps(plan: Plan) -> list[Step]:
    return [*first_steps(plan, FOLDER, plan.methods), *last_steps(plan, FOLDER, ())]


def options(step: Step) -> dict[str, str]:
    return dict(itertools.pairwise(step.arguments))


@given(plans)
def test_the_steps_of_a_plan_are_always_the_same_and_each_can_be_parsed(plan: Plan) -> None:
    steps = all_steps(plan)
    assert steps == all_steps(plan)
    for step in steps:
        name, command, arguments = cli.resolve_command(click.Context(cli), list(step.arguments))
        assert command is not None
        assert command.make_context(name, arguments).params


@given(plans)
def test_what_a_step_reads_was_made_before_and_nothing_is_made_twice(plan: Plan) -> None:
    made: list[Path] = []
    for step in all_steps(plan):
        assert set(step.reads) <= set(made)
        assert not set(step.makes) & set(made)
        made += step.makes


def test_the_order_of_a_study() -> None:
    found = all_steps(plan(methods=(Entry("ft", "ft", ("instant", "sequential")), Entry("told", "docs", ("instant",)))))
    made = [step.makes[0].name for step in found]
    assert made == [
        "unedited.greedy.samples.jsonl",
        "unedited.greedy.no-change.verdicts.jsonl",
        "ft.instant.greedy.samples.jsonl",
        "ft.instant.greedy.verdicts.jsonl",
        "ft.sequential.greedy.samples.jsonl",
        "ft.sequential.greedy.verdicts.jsonl",
        "told.instant.greedy.samples.jsonl",
        "told.instant.greedy.verdicts.jsonl",
        "unedited.greedy.same-worlds.verdicts.jsonl",
        "report",
    ]
    journals = [word for word in found[-1].arguments if word.endswith(".edits.jsonl")]
    assert journals == [f"out/ft.{regime}.greedy.samples.edits.jsonl" for regime in ("instant", "sequential")]


def test_what_the_plan_says_stands_in_the_command_and_what_it_does_not_say_does_not() -> None:
    entry = Entry(
        "mine", "memit", ("sequential",), hparams="m.yaml", requests="call", requests_per_change=3, subject="api"
    )
    said = plan(
        methods=(entry,),
        samplings=(Sampling("s", n=2, temperature=0.5, top_p=0.9, max_new_tokens=9, seed=4),),
        changes=("len", "zip"),
        steps=(1, 2),
        specificity_per_change=6,
        batch_size=8,
        dtype="bfloat16",
        device="cuda",
        save_edits=True,
    )
    edit = options(next(step for step in all_steps(said) if step.kind == "edit" and step.entry))
    assert edit["edit"] == "builtin"
    assert {name: edit[name] for name in edit if name.startswith("-")} == {
        "-o": "out/mine.sequential.s.samples.jsonl",
        "--model": "tiny",
        "--method": "memit",
        "--regime": "sequential",
        "--hparams": "m.yaml",
        "--requests": "call",
        "--requests-per-change": "3",
        "--subject": "api",
        "--steps": "1,2",
        "--save-edits": "out/edits/mine.sequential.seed4",
        "--drafts": "out/unedited.s.samples.jsonl",
        "--changes": "len,zip",
        "--specificity-per-change": "6",
        "--samples": "2",
        "--temperature": "0.5",
        "--top-p": "0.9",
        "--max-new-tokens": "9",
        "--seed": "4",
        "--batch-size": "8",
        "--dtype": "bfloat16",
        "--device": "cuda",
    }
    short = next(step for step in all_steps(plan(samplings=(Sampling("s"),))) if step.entry)
    assert [word for word in short.arguments if word.startswith("-")] == [
        "-o",
        "--model",
        "--method",
        "--regime",
        "--drafts",
    ]


def test_drafts_are_not_for_vllm() -> None:
    steps = all_steps(plan(engine="vllm"))
    assert not any("--drafts" in step.arguments for step in steps)
    assert all(options(step)["--engine"] == "vllm" for step in steps if step.kind == "edit")


def test_steps_are_for_the_regime_sequential_alone() -> None:
    both = plan(methods=(Entry("ft", "ft", ("instant", "sequential")),), steps=(1,))
    edits = [step for step in all_steps(both) if step.kind == "edit" and step.entry]
    assert ["--steps" in step.arguments for step in edits] == [False, True]


@pytest.mark.parametrize("method", [name for name in method_names() if name != "none"])
def test_statistics_are_computed_where_a_method_needs_them(method: str) -> None:
    kinds = [step.kind for step in all_steps(plan(methods=(Entry("x", method, ("instant",)),)))]
    needed = method in {"memit", "pmet", "emmet", "alphaedit"}
    assert find_method(method).name == method
    assert kinds == ["edit", "judge", *(["stats"] * needed), "edit", "judge", "judge", "report"]


def test_the_same_statistics_are_computed_once_for_all_that_need_them() -> None:
    twins = (Entry("one", "memit", ("instant",)), Entry("two", "memit", ("instant",), subject="api"))
    (step,) = [step for step in all_steps(plan(methods=twins, stats={"samples": 9})) if step.kind == "stats"]
    assert [served.makes[0].name for served in step.serves] == [
        "one.instant.greedy.samples.jsonl",
        "two.instant.greedy.samples.jsonl",
    ]
    assert options(step)["--samples"] == "9"
    assert {served.needs for served in step.serves} == {step.arguments}


def test_statistics_that_the_plan_describes_stand_where_no_others_can_be() -> None:
    def folders(**stats: Any) -> tuple[str | None, ...]:
        steps = all_steps(plan(methods=(Entry("x", "memit", ("instant",)),), stats=stats))
        (statistics,) = [step for step in steps if step.kind == "stats"]
        (edit,) = statistics.serves
        return options(statistics).get("--output"), options(edit).get("--stats")

    assert folders() == (None, None)
    assert folders(folder=Path("own"), samples=9) == ("own", "own")
    nine, ten = folders(samples=9), folders(samples=10)
    assert nine[0] == nine[1]
    assert str(nine[0]).startswith("out/stats/")
    assert nine != ten


def test_every_sampling_has_its_own_files_and_report() -> None:
    two = plan(samplings=(GREEDY, SAMPLED))
    *_, worlds, other_worlds, report, other_report = all_steps(two)
    for step, name in ((worlds, "greedy"), (other_worlds, "sampled"), (report, "greedy"), (other_report, "sampled")):
        assert {word.split(".")[-3] for word in step.arguments if word.endswith(".samples.jsonl")} <= {name}
    assert [report_folder(two, FOLDER, one) for one in two.samplings] == [
        FOLDER / "report" / "greedy",
        FOLDER / "report" / "sampled",
    ]
    assert report_folder(plan(), FOLDER, GREEDY) == FOLDER / "report"


def test_what_is_missing_is_in_no_world_and_no_report() -> None:
    two = plan(methods=(Entry("ft", "ft", ("instant",)), Entry("told", "docs", ("instant",))))
    worlds, report = last_steps(two, FOLDER, [FOLDER / "ft.instant.greedy.verdicts.jsonl"])
    assert options(worlds)["--worlds-of"] == "out/told.instant.greedy.samples.jsonl"
    assert not any("ft.instant" in word for word in report.arguments)
    everything = [path for step in all_steps(two) if step.entry for path in step.makes]
    (alone,) = last_steps(two, FOLDER, everything)
    assert alone.reads == (FOLDER / "unedited.greedy.no-change.verdicts.jsonl",)


def test_a_report_takes_what_edits_took_from_the_command_that_learned_them() -> None:
    fields = {"methods": (Entry("ft", "ft", ("instant",)),), "samplings": (GREEDY, replace(SAMPLED, seed=None))}
    learned = FOLDER / "ft.instant.greedy.samples.edits.jsonl"
    saved = all_steps(plan(**fields, save_edits=True))
    assert [step.arguments[-3:-1] for step in saved if step.kind == "report"] == [(f"{learned}", "-o")] * 2
    assert [path.name for step in saved for path in step.makes if "edits" in path.name] == [learned.name]
    each = all_steps(plan(**fields))
    own = [f"{learned}", f"{FOLDER / 'ft.instant.sampled.samples.edits.jsonl'}"]
    assert [options(step)["--edits"] for step in each if step.kind == "report"] == own


def test_a_report_goes_without_a_journal_that_is_missing() -> None:
    two = plan(samplings=(GREEDY, replace(SAMPLED, seed=None)), save_edits=True)
    missing = (FOLDER / "ft.instant.greedy.samples.jsonl", FOLDER / "ft.instant.greedy.samples.edits.jsonl")
    of_greedy, of_sampled = (step for step in last_steps(two, FOLDER, missing) if step.kind == "report")
    assert "ft.instant.greedy.verdicts.jsonl" not in of_greedy.command
    assert "ft.instant.sampled.verdicts.jsonl" in of_sampled.command
    assert "--edits" not in of_greedy.command + of_sampled.command
