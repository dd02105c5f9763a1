"""Plan files: what they give, and what is told of those that are none, with the line."""

from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.scaling.study.plan import Entry, Plan, Sampling, read_plan
from edittool.schemas.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[3]
TEXT = """\
bench: builtin
model: tiny
changes: [sorted, math.sqrt]
regimes: [instant]
samplings:
  - name: greedy
    temperature: 0
methods:
  - method: ft
  - method: memit
    name: memit-many
    regimes: [sequential, batch]
    hparams: memit.yaml
"""


def plan_of(folder: Path, text: str) -> Plan:
    path = folder / "plan.yaml"
    path.write_text(text)
    return read_plan(path)


def test_what_a_plan_says(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT)
    assert (plan.bench, plan.model, plan.changes) == ("builtin", "tiny", ("sorted", "math.sqrt"))
    assert plan.samplings == (Sampling("greedy", temperature=0),)
    assert plan.methods == (
        Entry("ft", "ft", ("instant",)),
        Entry("memit-many", "memit", ("sequential", "batch"), hparams=str(tmp_path / "memit.yaml")),
    )


def test_what_a_plan_does_not_say_is_left_to_the_commands(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "bench: builtin\nmodel: tiny\nmethods: [{method: ft}]\n")
    assert plan.samplings == (Sampling("sampled"),)
    assert plan.methods == (Entry("ft", "ft", ("instant",)),)
    assert (plan.changes, plan.steps, plan.chat, plan.dtype, plan.save_edits) == (None, None, False, None, False)


def test_folders_are_beside_the_plan_and_the_command_line_comes_first(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    text = "bench: BENCH\nmodel: model\nstats: {folder: stats}\nmethods: [{method: ft, hparams: ft-tiny}]\n"
    plan = plan_of(tmp_path, text)
    assert (plan.bench, plan.model) == (str(tmp_path / "BENCH"), str(tmp_path / "model"))
    assert plan.stats == {"folder": tmp_path / "stats"}
    assert plan.methods[0].hparams == "ft-tiny"
    (tmp_path / "tiny").mkdir()
    assert plan_of(tmp_path, text.replace("model: model", "model: tiny")).model == "tiny"
    assert plan_of(tmp_path, text.replace("model: model", "model: owner/name")).model == "owner/name"
    given = read_plan(tmp_path / "plan.yaml", bench="builtin", model="FOLDER")
    assert (given.bench, given.model) == ("builtin", "FOLDER")


def test_every_sampling_is_made_with_every_seed(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT + "seeds: [3, 0, 3]\n")
    assert plan.samplings == (
        Sampling("greedy-seed3", temperature=0, seed=3),
        Sampling("greedy-seed0", temperature=0, seed=0),
    )


WRONG = {
    "no_methods": (TEXT.partition("methods:")[0], 1, 'this plan lacks the required field "methods"'),
    "no_method": (TEXT.replace("- method: ft", "- subject: api"), 9, '"methods[0]" lacks the required field "method"'),
    "unknown_method": (TEXT.replace("method: memit\n", "method: memti\n"), 10, "no editing method 'memti'. Is 'memit'"),
    "none": (TEXT.replace("- method: ft", "- method: none"), 9, "the unedited model is in every study"),
    "two_names": (TEXT.replace("memit-many", "ft"), 10, "the name 'ft' is another's already"),
    "unedited": (TEXT.replace("memit-many", "unedited"), 10, "the name 'unedited' is the unedited model's already"),
    "two_samplings": (TEXT.replace("methods:", "  - name: greedy\nmethods:"), 8, "the name 'greedy' is another's"),
    "broken": (TEXT.replace("temperature: 0", "temperature: }"), 7, "broken YAML"),
    "unknown_key": (TEXT.replace("temperature", "temprature"), 7, 'is "temperature" meant?'),
    "unknown_key_on_top": (TEXT.replace("regimes: [instant]", "regime: instant"), 4, 'is "regimes" meant?'),
    "regime": (
        TEXT.replace("[sequential, batch]", "[sequential, all]"),
        12,
        'field "methods[1].regimes[1]" must be one of',
    ),
    "type": (TEXT.replace("[sorted, math.sqrt]", "sorted"), 3, 'field "changes" must be an array'),
    "name_of_a_file": (TEXT.replace("memit-many", "memit/many"), 11, 'field "methods[1].name" must match'),
    "twice": (TEXT + "model: tiny\n", 14, "the field 'model' stands twice"),
    "two_seeds": (TEXT.replace("temperature: 0", "seed: 1") + "seeds: [2]\n", 7, "no seed of its own beside `seeds`"),
    "steps": (TEXT.replace("sequential, ", "") + "steps: [1]\n", 14, "steps are for the regime sequential"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    text, line, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        plan_of(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'plan.yaml'}, line {line}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("field", ["bench", "model"])
def test_what_the_command_line_may_say_instead_is_needed_in_the_end(tmp_path: Path, field: str) -> None:
    text = TEXT.replace(f"{field}: builtin\n", "").replace(f"{field}: tiny\n", "")
    with pytest.raises(InputError, match=f'lacks the field "{field}".*or give --{field}'):
        plan_of(tmp_path, text)


def test_changes_are_held_against_the_benchmark_that_is_opened(tmp_path: Path) -> None:
    plan_of(tmp_path, TEXT).check_changes(load_builtin())
    wrong = plan_of(tmp_path, TEXT.replace("math.sqrt", "\n  math.sqr"))
    with pytest.raises(
        InputError, match=r"line 4: the benchmark builtin has no change 'math.sqr'. Is 'math.sqrt' meant"
    ):
        wrong.check_changes(load_builtin())


def test_methods_are_chosen_by_name_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, TEXT)
    assert [entry.name for entry in plan.only(["memit-many", "ft"])] == ["ft", "memit-many"]
    with pytest.raises(InputError, match=r"no method called 'memit-mny'. Is 'memit-many' meant\?"):
        plan.only(["ft", "memit-mny"])


@pytest.mark.parametrize("path", ["examples/tiny-study.yaml", "docs/studies/qwen2.5-coder-0.5b.yaml"])
def test_the_plans_that_come_with_edittool_can_be_read(path: str) -> None:
    assert read_plan(REPOSITORY / path, bench="builtin", model="tiny").methods
