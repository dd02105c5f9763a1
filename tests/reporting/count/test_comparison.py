"""Units, and what each is held against."""

import numpy as np
import pytest

from edittool.reporting.count.comparison import Study, rates
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_frame import observe
from edittool.schemas.verdicts import Verdict

FT = {"method": "ft", "regime": "instant", "step": 1}


def study_of(bench, verdicts, **options):
    return Study(observe(bench, map(Verdict.from_row, verdicts)), Options(100, **options))


def named(study, **fields):
    (found,) = (n for n in study.settings if all(getattr(n.setting, name) == value for name, value in fields.items()))
    return found


def pairs_of(study, against="same world", **fields):
    """Return task, changes active, passed of n, and base_passed of base_n of each pair."""
    sets = study.observations.sets
    return [
        (row["task"], sets[row["active"]], (row["full"], row["n"]), (row["base_full"], row["base_n"]), row["stand_in"])
        for row in study.pairs(named(study, **(fields or {"method": "ft"})), against).iter_rows(named=True)
    ]


class TestUnits:
    def test_are_problems_under_one_set_of_edits_in_one_world(self, bench, verdict):
        verdicts = [
            verdict("spe/0", passed, edited=edited, active_changes=edited, **FT)
            for edited, passed in ((["len"], 2), (["max"], 0), (["len"], 0))
        ]
        study = study_of(bench, verdicts)
        units = study.units(named(study, method="ft"))
        assert units.select("n", "full").rows() == [(2, 1), (1, 0)]

    def test_have_rates_that_are_unknown_where_nothing_was_judged(self, bench, verdict):
        study = study_of(bench, [verdict("rel/0", 0, outcome="sandbox_error"), verdict("rel/1", 2)])
        units = study.units(study.settings[0])
        assert units["samples"].to_list() == [1, 1]
        assert np.isnan(rates(units)).tolist() == [[True] * 3, [False] * 3]

    def test_are_summed_by_problem_with_its_subset(self, bench, verdict):
        verdicts = [
            verdict("spe/0", 2, active_changes=["len"]),
            verdict("spe/0", 0, active_changes=["max"]),
            verdict("rel/1", 2),
            verdict("gen/0", 0),
        ]
        study = study_of(bench, verdicts)
        units = study.units(study.settings[0])
        strata, sums = study.by_problem(units, rates(units)[:, [2]])
        assert strata == ["generalization", "reliability", "specificity"]
        assert sums.tolist() == [[0.0], [1.0], [1.0]]


class TestPairs:
    def test_are_in_the_same_world_or_with_no_change(self, bench, verdict):
        base = [
            verdict("rel/0", 0),
            verdict("rel/0", 2, active_changes=[]),
            verdict("rel/0", 2, active_changes=["max"]),
        ]
        study = study_of(bench, [*base, verdict("rel/0", 2, edited=["len"], **FT)])
        assert pairs_of(study) == [("rel/0", ("len",), (1, 1), (0, 1), False)]
        assert pairs_of(study, "no change") == [("rel/0", ("len",), (1, 1), (1, 1), False)]

    def test_leave_out_problems_without_a_baseline(self, bench, verdict):
        edited = [verdict(task, 2, edited=["len"], **FT) for task in ("rel/0", "gen/0")]
        study = study_of(bench, [verdict("gen/0", 0), *edited])
        assert pairs_of(study) == [("gen/0", ("len",), (1, 1), (0, 1), False)]
        assert pairs_of(study, "no change") == []

    def test_leave_out_what_was_judged_on_neither_side(self, bench, verdict):
        failed = {"outcome": "sandbox_error"}
        verdicts = [verdict("rel/0", 0, **failed), verdict("gen/0", 2)]
        edited = [verdict("rel/0", 2, edited=["len"], **FT), verdict("gen/0", 0, edited=["len"], **FT, **failed)]
        assert pairs_of(study_of(bench, [*verdicts, *edited])) == []

    def test_hold_a_problem_without_a_change_against_no_change_where_its_world_was_not_judged(self, bench, verdict):
        base = [
            verdict("spe/0", 0, active_changes=["len"]),
            *(verdict(task, 2) for task in ("spe/0", "spe/1")),
        ]
        edited = [verdict(task, 2, edited=["len"], active_changes=["len"], **FT) for task in ("spe/0", "spe/1")]
        study = study_of(bench, [*base, *edited])
        assert pairs_of(study) == [
            ("spe/0", ("len",), (1, 1), (0, 1), False),
            ("spe/1", ("len",), (1, 1), (1, 1), True),
        ]
        assert [(pair[0], pair[3], pair[4]) for pair in pairs_of(study, "no change")] == [
            ("spe/0", (1, 1), False),
            ("spe/1", (1, 1), False),
        ]

    def test_never_let_a_problem_with_a_change_have_a_stand_in(self, bench, verdict):
        base = [verdict("rel/0", 2, active_changes=[])]
        assert pairs_of(study_of(bench, [*base, verdict("rel/0", 2, edited=["len"], **FT)])) == []

    def test_have_a_baseline_each_and_no_unit_twice(self, bench, verdict):
        """Whatever was judged how often: two runs of the unedited model, in both worlds, under names of their own."""
        base = [
            verdict(task, passed, active_changes=active, **fields)
            for task in ("rel/0", "spe/0", "spe/1")
            for passed in (0, 2)
            for active in ([], ["len"])
            for fields in ({}, {"method": "none", "regime": "none"})
        ]
        edited = [
            verdict(task, 2, edited=[change], active_changes=[change], **FT)
            for change in ("len", "max")
            for task in ("rel/0", "spe/0", "spe/1")
        ]
        study = study_of(bench, [*base, *edited])
        for against in ("same world", "no change"):
            pairs = study.pairs(named(study, method="ft", world="own"), against)
            assert len(pairs) == len(pairs.unique(["task", "active", "edited"])) == 5
            assert set(zip(pairs["base_full"], pairs["base_n"], strict=True)) == {(2, 4)}

    def test_count_a_verdict_of_two_worlds_once_in_the_baseline(self, bench, verdict):
        """What ran with no change active stands in both settings of the unedited model."""
        base = [verdict("rel/0", 2), verdict("rel/0", 2, active_changes=[]), verdict("spe/0", 2), verdict("spe/0", 0)]
        study = study_of(bench, [*base, verdict("spe/0", 2, edited=["len"], active_changes=["len"], **FT)])
        assert pairs_of(study) == [("spe/0", ("len",), (1, 1), (1, 2), True)]


class TestBaseline:
    def test_is_the_unedited_model_of_the_same_name(self, bench, verdict):
        verdicts = [verdict("rel/0", 2 * (model == "a"), model=model) for model in "ab"]
        edited = [verdict("rel/0", 2, model=model, edited=["len"], **FT) for model in "ab"]
        study = study_of(bench, [*verdicts, *edited])
        assert [pairs_of(study, method="ft", model=model)[0][3] for model in "ab"] == [(1, 1), (0, 1)]

    def test_is_the_named_one_for_models_that_were_not_edited(self, bench, verdict):
        verdicts = [verdict("rel/0", 0, model="base"), verdict("rel/0", 2, model="tuned")]
        study = study_of(bench, verdicts, baseline="base")
        assert [study.is_compared(n.setting) for n in study.settings] == [False, True]
        assert pairs_of(study, model="tuned") == [("rel/0", ("len",), (1, 1), (0, 1), False)]

    @pytest.mark.parametrize("edited", [["len"], []])
    def test_is_none_of_the_edited_ones(self, bench, verdict, edited):
        """A model that was edited by a method without a name tells by its list of changes."""
        study = study_of(bench, [verdict("rel/0", 2, edited=edited), verdict("rel/0", 0, edited=["len"], **FT)])
        assert study.has_baseline(named(study, method="ft").setting) == (not edited)
