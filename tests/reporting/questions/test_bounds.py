import pytest

from edittool.reporting.bounds import METRICS, Bound, parse_bound
from edittool.schemas.errors import InputError

UNEDITED = {"model": "m", "method": "none", "regime": "none"}
FT = {"model": "m", "method": "ft", "regime": "instant", "step": 1, "edited": ["len"]}

GOOD = {
    "adopted=0.5": Bound("adopted", "all", 0.5),
    "generalization.adopted=0.4": Bound("adopted", "generalization", 0.4),
    " specificity.passed = 1 ": Bound("passed", "specificity", 1.0),
    "all.pass@5=0": Bound("pass@5", "all", 0.0),
    "reliability.adopted_of_passing=1e-3": Bound("adopted_of_passing", "reliability", 0.001),
}
BAD = {
    "adopted": "has no =",
    "x=0.5": "there is no metric 'x'",
    "=0.5": "there is no metric ''",
    "nowhere.adopted=0.5": "there is no subset 'nowhere'",
    "specificity.adopted=0.5": "no change belongs to specificity",
    "adopted=": "is no number",
    "adopted=50%": "is no number",
    "adopted=50": "a share from 0 to 1",
    "adopted=-0.1": "a share from 0 to 1",
    "adopted=nan": "a share from 0 to 1",
    "adopted=inf": "a share from 0 to 1",
}


def test_a_bound_is_read(subtests):
    for text, bound in GOOD.items():
        with subtests.test(text):
            assert parse_bound(text) == bound


def test_what_is_no_bound_is_refused(subtests):
    for text, said in BAD.items():
        with subtests.test(text), pytest.raises(InputError) as refused:
            parse_bound(text)
        assert said in str(refused.value)


def test_an_unknown_metric_lists_them_all():
    with pytest.raises(InputError) as refused:
        parse_bound("speed=0.5")
    assert [name for name in METRICS if name not in str(refused.value)] == []


def held(made):
    return [(o.method, str(o.bound), o.value, o.held) for o in made.outcomes]


def test_bounds_are_for_edited_models_where_there_are_some(report, verdict):
    rows = [verdict("rel/0", 0, "no_adoption", **UNEDITED), verdict("rel/0", 2, "correct_adoption", **FT)]
    bounds = (Bound("adopted", "all", 1.0), Bound("passed", "reliability", 0.2))
    assert held(report(rows, bounds=bounds)) == [("ft", "adopted", 1.0, True), ("ft", "reliability.passed", 1.0, True)]
    assert held(report(rows[:1], bounds=bounds)) == [
        ("unedited", "adopted", 0.0, False),
        ("unedited", "reliability.passed", 0.0, False),
    ]


def test_adoption_is_not_asked_of_a_world_without_changes(report, verdict):
    rows = [verdict("rel/0", 2, "correct_adoption", **UNEDITED), verdict("rel/0", 2, active_changes=[], **UNEDITED)]
    bounds = (Bound("adopted", "all", 0.5),)
    assert held(report(rows, bounds=bounds)) == [("unedited", "adopted", 1.0, True)]
    (outcome,) = report(rows[1:], bounds=bounds).outcomes
    assert (outcome.held, outcome.value) == (False, None)
    assert "no sample has a label" in str(outcome)


def test_what_has_no_value_does_not_hold_and_says_why(report, verdict, subtests):
    cases = {
        "there is no verdict": ([], Bound("passed", "all", 0.0)),
        "no verdict is about a problem in generalization": ([("rel/0", 2)], Bound("passed", "generalization", 0.0)),
        "no problem has 5 judged samples": ([("rel/0", 2)], Bound("pass@5", "all", 0.0)),
        "no labelled sample passed": ([("rel/0", 0, "misuse")], Bound("adopted_of_passing", "all", 0.0)),
        "no sample has a label": ([("spe/0", 2)], Bound("adopted", "all", 0.0)),
    }
    for reason, (rows, bound) in cases.items():
        with subtests.test(reason):
            (outcome,) = report([verdict(*row) for row in rows], bounds=(bound,)).outcomes
            assert not outcome.held
            assert reason in str(outcome)
    with subtests.test("sandbox"):
        made = report([verdict("rel/0", 0, outcome="sandbox_error")], bounds=(Bound("passed", "all", 0.0),))
        assert "the sandbox could judge none" in str(made.outcomes[0])


def test_a_value_that_is_the_bound_holds_and_one_below_is_told_apart(report, verdict):
    rows = [verdict("spe/0", passed) for passed in [2] * 1 + [0] * 2]
    made = report(rows, bounds=(Bound("passed", "all", 1 / 3), Bound("passed", "all", 0.33334)))
    assert [outcome.held for outcome in made.outcomes] == [True, False]
    assert "passed >= 0.33334: 0.3333 (model without a name, method unedited)" in str(made.outcomes[1])


def test_values_are_those_of_the_tables(report, verdict):
    rows = [verdict(f"{s}/{i}", p, "workaround" if s != "spe" else None) for s in ("rel", "gen", "spe")
            for i in range(2) for p in (2, i)]  # fmt: skip
    names = {"compiles": "compile_at_1", "partial": "partial_at_1", "passed": "full_at_1"}
    subsets = ("reliability", "generalization", "specificity", "all")
    made = report(rows, bounds=tuple(Bound(name, s, 0.0) for s in subsets for name in names))
    (table,) = [table for table in made.tables if table.name == "rq1_rates"]
    written = {(row["subset"], metric): row[name] for row in table.records() for metric, name in names.items()}
    assert {(o.bound.subset, o.bound.metric): o.value for o in made.outcomes} == written
