from edittool.reporting.questions.answers import MOST_ROWS, answer_of
from edittool.reporting.table.table import Estimate

CASES = {
    "all of enough": (Estimate(1.0, 1.0, 1.0), (1.0, 1.0), 5, 2, "yes"),
    "at the bound": (Estimate(0.7, 0.5, 0.9), (0.8, 0.5), 20, 4, "yes"),
    "the interval reaches below one half": (Estimate(0.7, 0.499, 0.9), (0.8, 0.6), 20, 4, "sometimes"),
    "not in generalization": (Estimate(2 / 3, 2 / 3, 2 / 3), (1.0, 0.0), 15, 3, "sometimes"),
    "one subset alone": (Estimate(1.0, 1.0, 1.0), (1.0, None), 5, 2, "yes"),
    "none": (Estimate(0.0, 0.0, 0.0), (0.0, 0.0), 5, 2, "no"),
    "one of twenty": (Estimate(0.05, 0.0, 0.2), (0.1, 0.0), 20, 4, "no"),
    "more than one of twenty": (Estimate(0.06, 0.0, 0.2), (0.1, 0.0), 50, 4, "sometimes"),
    "four samples": (Estimate(1.0, 1.0, 1.0), (1.0, 1.0), 4, 2, "too few samples"),
    "one problem": (Estimate(1.0), (1.0, None), 50, 1, "too few samples"),
    "no interval": (Estimate(1.0), (1.0, 1.0), 10, 2, "sometimes"),
    "nothing": (Estimate(None), (None, None), 0, 0, "too few samples"),
}


def test_the_rule(subtests):
    for name, (adopted, by_subset, samples, problems, word) in CASES.items():
        with subtests.test(name):
            assert answer_of(adopted, by_subset, samples, problems) == word


def test_each_change_has_a_row_and_a_terminal_the_edited_models_first(report, verdict):
    base = [verdict(f"rel/{i}", 0, "no_adoption", model="m", method="none", regime="none") for i in range(2)]
    tuned = [
        verdict(f"rel/{i}", 2, "correct_adoption", model="m", method=f"ft{n}", edited=["len"], step=1)
        for n in range(10)
        for i in range(2)
    ]
    made = report([*base, *tuned])
    (table,) = [table for table in made.tables if table.name == "answers"]
    rows = list(table.records())
    assert [(row["method"], row["change"], row["replacement"]) for row in rows[:3]] == [
        ("unedited", "len", "my_len"),
        ("unedited", "max", "my_max"),
        ("ft0", "len", "my_len"),
    ]
    assert (rows[2]["adopted"], rows[2]["adopted_generalization"], rows[2]["samples"]) == (1.0, None, 1)
    assert table.brief is not None
    assert len(table.brief) == MOST_ROWS < len(rows) == 22
    assert "unedited" not in {row["method"] for row in table.brief}


def test_changes_without_samples_are_counted(report, verdict):
    made = report([verdict("rel/0", 2, "correct_adoption")])
    (table,) = [table for table in made.tables if table.name == "answers"]
    assert "1 of 2 changes have no labelled sample: they are not listed." in table.notes
