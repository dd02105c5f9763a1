"""What tells groups of verdicts apart."""

import random
from dataclasses import replace

import pytest

from edittool.reporting.count.comparison import Study
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_frame import observe
from edittool.schemas.bench import write_bench
from edittool.schemas.verdicts import Verdict


def settings_of(bench, verdicts):
    return observe(bench, map(Verdict.from_row, verdicts)).settings


def samples_of(bench, verdicts):
    """Return how many verdicts each setting has in each subset, by the setting's world."""
    found = observe(bench, map(Verdict.from_row, verdicts))
    counts = {}
    for place, subset in found.frame.select("setting", "subset").iter_rows():
        world = counts.setdefault(found.settings[place].world, {})
        world[subset] = world.get(subset, 0) + 1
    return counts


def names_of(bench, verdicts):
    return [named.name for named in Study(observe(bench, map(Verdict.from_row, verdicts)), Options(100)).settings]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("model", "ab"),
        ("method", "ab"),
        ("regime", ("none", "instant", "sequential", "batch")),
        ("step", (2, 10)),
        ("hparams_sha256", "ab"),
        ("subject", "ab"),
        ("target", "ab"),
        ("requests", "ab"),
        ("style", ("chat", "complete")),
    ],
)
def test_each_field_makes_a_setting_of_its_own_in_order(bench, verdict, field, values):
    verdicts = [verdict("rel/0", 2, **{field: value}) for value in reversed(values)]
    assert [getattr(setting, field) for setting in settings_of(bench, verdicts)] == list(values)


def test_named_and_unnamed_methods_stand_side_by_side(bench, verdict):
    verdicts = [verdict("rel/0", 2, method="ft"), verdict("rel/0", 2)]
    assert [setting.method for setting in settings_of(bench, verdicts)] == [None, "ft"]


def test_told_models_stand_between_the_unedited_one_and_the_edited(bench, verdict):
    methods = ["ft", "docs-all", "none", "docs", "docs-change"]
    verdicts = [verdict("rel/0", 2, method=method, step=int(method == "docs")) for method in methods]
    assert [setting.method for setting in settings_of(bench, verdicts)] == [
        "none",
        "docs",
        "docs-all",
        "docs-change",
        "ft",
    ]
    assert [setting.edited for setting in settings_of(bench, verdicts)] == [False, False, False, False, True]


def test_have_one_order_whatever_that_of_the_verdicts(bench, verdict):
    fields = ({"step": 0}, {}, {"regime": ""}, {"model": ""}, {"model": "m", "step": 1}, {"hparams_sha256": ""})
    verdicts = [verdict("rel/0", 2, **each) for each in fields]
    expected = settings_of(bench, verdicts)
    for seed in range(10):
        assert settings_of(bench, random.Random(seed).sample(verdicts, len(verdicts))) == expected


class TestEdited:
    @pytest.mark.parametrize("fields", [{}, {"method": "none"}, {"method": "none", "step": 0}, {"edited": []}])
    def test_is_no_model_without_an_edit(self, bench, verdict, fields):
        assert not settings_of(bench, [verdict("rel/0", 2, **fields)])[0].edited

    @pytest.mark.parametrize("fields", [{"method": "ft"}, {"step": 1}, {"edited": ["len"]}])
    def test_is_a_model_whose_verdicts_name_a_method_a_step_or_changes(self, bench, verdict, fields):
        assert settings_of(bench, [verdict("rel/0", 2, **fields)])[0].edited

    def test_has_as_many_steps_as_changes_where_its_verdicts_do_not_say(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, regime="sequential", edited=["len", "max"][:n]) for n in (1, 2)]
        assert [setting.step for setting in settings_of(bench, verdicts)] == [1, 2]


class TestWorlds:
    @pytest.mark.parametrize(
        ("active", "world"), [(["len"], "own"), ([], "none"), (["max", "len"], "all"), (["max"], "other")]
    )
    def test_of_a_problem_with_a_change(self, bench, verdict, active, world):
        (setting,) = settings_of(bench, [verdict("rel/0", 2, active_changes=active)])
        assert setting.world == world

    @pytest.mark.parametrize(("changes", "world"), [(["len"], "own"), (["len", "max"], "all")])
    def test_of_an_edited_model_is_one_for_all_subsets(self, bench, verdict, changes, world):
        verdicts = [verdict(task, 2, edited=changes, active_changes=changes) for task in ("rel/0", "gen/0", "spe/0")]
        assert samples_of(bench, verdicts) == {world: {"reliability": 1, "generalization": 1, "specificity": 1}}

    def test_of_some_edited_changes_is_one_for_all_subsets(self, bench, verdict, tmp_path):
        third = replace(bench.changes["len"], change_id="min")
        wider = write_bench(tmp_path / "wider", "wider", bench.problems.values(), [*bench.changes.values(), third])
        both = ["len", "max"]
        verdicts = [verdict(task, 2, edited=both, active_changes=both) for task in ("rel/0", "gen/1", "spe/0")]
        assert [setting.world for setting in settings_of(wider, verdicts)] == ["edited"]

    def test_of_several_edits_is_one_setting(self, bench, verdict):
        verdicts = [
            verdict(task, 2, edited=[name], active_changes=[name], step=1)
            for task, name in (("rel/0", "len"), ("spe/0", "len"), ("rel/1", "max"), ("spe/0", "max"))
        ]
        assert samples_of(bench, verdicts) == {"own": {"reliability": 2, "specificity": 2}}

    @pytest.mark.parametrize("background", [["max"], []])
    def test_of_a_sequence_of_edits_is_one_setting(self, bench, verdict, background):
        worlds = (("rel/0", ["len"]), ("rel/1", ["max"]), ("spe/0", background))
        verdicts = [verdict(task, 2, edited=["len", "max"], active_changes=active, step=2) for task, active in worlds]
        assert samples_of(bench, verdicts) == {"own": {"reliability": 2, "specificity": 1}}

    def test_is_the_problems_own_where_the_verdict_does_not_say(self, bench, verdict):
        row = verdict("rel/0", 2)
        del row["active_changes"]
        assert settings_of(bench, [row])[0].world == "own"


ONE_OF_EACH = {"reliability": 1, "specificity": 1}


class TestWorldsOfProblemsWithoutAChange:
    """With no change active, their own world and none are the same."""

    def test_are_those_of_the_problems_they_were_judged_with(self, bench, verdict):
        verdicts = [verdict("spe/0", 2), verdict("rel/0", 2, active_changes=[]), verdict("spe/1", 0)]
        assert samples_of(bench, verdicts) == {"none": {"reliability": 1, "specificity": 2}}

    def test_are_both_where_the_unedited_model_was_judged_in_both(self, bench, verdict):
        verdicts = [verdict("spe/0", 2), verdict("rel/0", 2, active_changes=[]), verdict("rel/0", 2)]
        assert samples_of(bench, verdicts) == {"own": ONE_OF_EACH, "none": ONE_OF_EACH}

    def test_are_their_own_where_there_are_no_others(self, bench, verdict):
        assert samples_of(bench, [verdict("spe/0", 2)]) == {"own": {"specificity": 1}}

    def test_are_those_of_the_edits_where_the_unedited_model_was_judged_there(self, bench, verdict):
        verdicts = [
            verdict("rel/0", 2),
            verdict("rel/0", 2, active_changes=[]),
            verdict("spe/0", 2),
            verdict("spe/0", 2, active_changes=["len"]),
        ]
        assert samples_of(bench, verdicts) == {"own": ONE_OF_EACH, "none": ONE_OF_EACH}

    def test_of_an_edit_that_was_judged_with_no_change_active_too_count_once(self, bench, verdict):
        """`judge --world none` of what `edit` sampled: the verdicts of the edit's own world stand beside them."""
        edit = {"method": "ft", "regime": "instant", "step": 1, "edited": ["len"]}
        verdicts = [
            verdict(task, 2, active_changes=active, **edit) for task in ("rel/0", "spe/0") for active in (["len"], [])
        ]
        assert samples_of(bench, verdicts) == {"own": ONE_OF_EACH, "none": ONE_OF_EACH}

    def test_of_a_batch_count_in_both(self, bench, verdict):
        """A batch has no newest change: its own world is none, in which it need not be judged again."""
        edit = {"method": "ft", "regime": "batch", "step": 2, "edited": ["len", "max"]}
        verdicts = [
            verdict("rel/0", 2, **edit),
            verdict("rel/0", 2, active_changes=[], **edit),
            verdict("spe/0", 2, **edit),
        ]
        assert samples_of(bench, verdicts) == {"own": ONE_OF_EACH, "none": ONE_OF_EACH}


class TestNames:
    def test_are_those_of_the_methods(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, method=method, regime="instant") for method in ("ft", "none", "rome")]
        assert names_of(bench, verdicts) == ["unedited", "ft", "rome"]

    @pytest.mark.parametrize(
        ("field", "values", "words"),
        [
            ("hparams_sha256", ("a" * 64, "b" * 64), ("hparams aaaaaaaa", "hparams bbbbbbbb")),
            ("hparams_sha256", (None, "b" * 64), ("hparams none", "hparams bbbbbbbb")),
            ("subject", ("call", "last"), ("subject call", "subject last")),
            ("target", ("call", "doc"), ("target call", "target doc")),
            ("step", (2, 3), ("edits 2", "edits 3")),
        ],
    )
    def test_tell_apart_what_a_method_was_given(self, bench, verdict, field, values, words):
        fields = [{} if value is None else {field: value} for value in values]
        verdicts = [verdict("rel/0", 2, method="ft", regime="batch", **each) for each in fields]
        assert names_of(bench, verdicts) == [f"ft ({word})" for word in words]

    def test_are_one_for_all_steps_of_a_sequence(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, method="ft", regime="sequential", step=step) for step in (1, 2)]
        assert names_of(bench, verdicts) == ["ft", "ft"]

    def test_of_sequences_that_do_not_say_their_step_say_so(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, method="ft", regime="sequential", **step) for step in ({}, {"step": 2})]
        assert names_of(bench, verdicts) == ["ft, step unknown", "ft"]

    def test_of_unedited_models_tell_how_they_are_called(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, **method) for method in ({}, {"method": "none"})]
        assert names_of(bench, verdicts) == ["unedited (method not named)", "unedited (method none)"]

    def test_of_an_edit_by_an_unknown_method_say_so(self, bench, verdict):
        assert names_of(bench, [verdict("rel/0", 2, edited=["len"])]) == ["?"]
