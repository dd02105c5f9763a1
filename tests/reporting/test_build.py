"""What a report says of verdicts that lack something, and what holds for every report."""

import math
import random
from collections.abc import Iterator
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.reporting.build import build_report
from edittool.reporting.options import REFERENCES, Options
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe
from edittool.reporting.report import Report
from edittool.reporting.table.table import Estimate
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.verdicts import CALLED, LABELS, Verdict

from .conftest import SUBSETS, change, problem
from .known_truth import LETTERS, write_truth

FT = {"model": "m", "method": "ft", "regime": "instant", "step": 1}
UNEDITED = {"model": "m", "method": "none", "regime": "none"}


@pytest.fixture
def report(bench, tmp_path):
    """Make the report of verdicts, as the command does."""

    def make(verdicts, bench=bench, **options):
        path = tmp_path / "verdicts.jsonl"
        write_rows(path, verdicts)
        reader = VerdictReader(bench, [path])
        made = build_report(observe(bench, reader), reader, Options(100, references=("paper",), **options))
        assert_sound(made)
        return made

    return make


def table(made, name):
    return next(table for table in made.tables if table.name == name)


def records(made, name, **fields):
    rows = [row for row in table(made, name).records() if all(row[field] == value for field, value in fields.items())]
    assert rows
    return rows


def notes(made, name=None):
    return " ".join(made.notes if name is None else table(made, name).notes)


# ---- what holds for every report


def numbers(made: Report) -> Iterator[tuple[str, float]]:
    for one in made.tables:
        for row in one.records():
            yield from ((f"{one.name}.{name}", value) for name, value in row.items() if isinstance(value, float))
    for chart in made.charts:
        for series in chain.from_iterable(panel.series for panel in chart.panels):
            values = chain(series.y, series.low, series.high)
            yield from ((chart.name, value) for value in values if isinstance(value, float))


KEPT = {"area_ratio", "full_kept", "adoption_kept"}  # shares of an earlier rate, which a later one may exceed


def assert_sound(made: Report) -> None:
    assert [name for name, value in numbers(made) if not math.isfinite(value)] == []
    for one in made.tables:
        assert one.rows or one.notes, f"{one.name} is empty and does not say why"
        for column, cell in ((c, row[c.name]) for row in one.rows for c in one.columns):
            ends = (cell.low, cell.value, cell.high) if isinstance(cell, Estimate) else (cell,)
            known = [end for end in ends if isinstance(end, int | float)]
            assert known[:1] <= known[-1:], (one.name, column.name, cell)
            if column.kind == "percent" and column.name not in KEPT:
                assert all(0 <= end <= 1 for end in known), (one.name, column.name, cell)
            if column.kind == "p_value":
                assert all(0 < end <= 1 for end in known), (one.name, column.name, cell)
    assert_sums(made)
    assert_told_apart(made)


def assert_sums(made: Report) -> None:
    for row in table(made, "rq4_shapley").records():
        assert row["compilation_part"] + row["after_part"] == pytest.approx(row["loss"], abs=1e-10)
    for name in ("rq3_labels", "rq3_labels_solved", "rq3_by_kind", "rq3_by_usage", "rq3_by_change"):
        for row in table(made, name).records():
            known = [row[label] for label in LABELS]
            assert known == [None] * 4 if not row["labelled"] else sum(known) == pytest.approx(1)
            known = [row[called] for called in CALLED]
            assert known == [None] * 3 if not row["called_known"] else sum(known) == pytest.approx(1)
    for row in table(made, "rq4_instability").records():
        assert row["share"] + row["always"] + row["never"] == pytest.approx(1)


def assert_told_apart(made: Report) -> None:
    """No two rows are of the same: neither by what a reader sees, nor in a chart."""
    for one in made.tables:
        shown = [c.name for c in one.columns if c.kind == "text" or c.name in ("step", "below_half")]
        keys = [tuple(row[name] for name in shown) for row in one.rows]
        assert len(keys) == len(set(keys)), one.name
    for panel in chain.from_iterable(chart.panels for chart in made.charts):
        for series in panel.series:
            assert len(series.x) == len(set(series.x)), series
        names = [series.name for series in panel.series]
        assert len(names) == len(set(names)), names


# ---- what is named


class TestNamed:
    def test_is_a_missing_baseline(self, report, verdict):
        made = report([verdict("rel/0", 2, edited=["len"], **FT)])
        assert "No verdicts of the unedited model 'm': what edits changed cannot be told." in notes(made)
        assert "1 edited problems have no baseline in the same world" in notes(made, "rq1_change")
        assert notes(made, "rq4_shapley") == "No edited model has a baseline: there is no loss to split."
        assert {row["full_change"] for row in records(made, "rq1_change")} == {None}

    def test_is_the_missing_baseline_of_a_model_without_a_name(self, report, verdict):
        made = report([verdict("rel/0", 2, method="ft")])
        assert "No verdicts of the unedited model 'without a name'" in notes(made)

    def test_is_a_baseline_with_no_change_active_that_covers_only_some_problems(self, report, verdict):
        base = [verdict(task, 2, **UNEDITED) for task in ("rel/0", "spe/0")]
        edited = [verdict(task, 2, edited=["len"], active_changes=["len"], **FT) for task in ("rel/0", "spe/0")]
        said = notes(report([*base, *edited]), "rq4_shapley")
        assert "Against no change: 1 edited problems have no baseline and are left out." in said
        assert "--world none" in said
        assert "Against same world" not in said

    def test_are_verdicts_of_another_benchmark(self, report, verdict):
        made = report([verdict("rel/0", 2), verdict("rel/0", 0, bench_sha256="0" * 64)])
        assert made.other_bench == 1
        assert "Verdicts judged against another benchmark, counted all the same: 1" in notes(made)

    def test_are_repeated_samples(self, report, verdict):
        row = verdict("rel/0", 2)
        made = report([row, row])
        assert (made.verdicts, made.duplicates) == (1, 1)
        assert "Repeated verdicts, counted once: 1" in notes(made)
        assert records(made, "overview")[0]["samples"] == 1

    def test_are_several_runs_of_the_same(self, report, verdict):
        made = report([verdict("spe/0", 2, sample_index=0, seed=seed) for seed in (1, 2, 3)])
        assert "2 samples have the setting, problem and sample_index of another" in notes(made)

    def test_are_several_runs_where_each_verdict_counts_in_two_worlds(self, report, verdict):
        both = [verdict("rel/0", 2), verdict("rel/0", 2, active_changes=[])]
        made = report(
            [*both, *(verdict("spe/0", 2, sample_index=index, seed=s) for index in range(50) for s in (1, 2))]
        )
        assert "50 samples have the setting, problem and sample_index of another" in notes(made)

    def test_is_a_subset_without_verdicts(self, report, verdict):
        made = report([verdict("rel/0", 2)])
        assert "No verdict is about a problem in generalization: its rows are empty." in notes(made)
        assert "generalization: some settings have no verdicts; their cells are empty." in notes(made, "rq1_rates")
        (row,) = records(made, "rq1_rates", subset="generalization")
        assert (row["problems"], row["problems_in_bench"], row["full_at_1"]) == (0, 2, None)

    def test_is_a_subset_that_the_benchmark_does_not_have(self, report, verdict, tmp_path):
        only = write_bench(tmp_path / "only", "only", [problem("rel/0", "reliability", "len")], [change("len")])
        made = report([verdict("rel/0", 2, bench_sha256=only.digest())], only)
        assert "specificity: the benchmark has no such problems." in notes(made, "rq1_rates")

    def test_is_a_benchmark_without_changes(self, report, verdict, tmp_path):
        plain = write_bench(tmp_path / "plain", "plain", [problem("spe/0", "specificity", None)], [])
        made = report([verdict("spe/0", 2, bench_sha256=plain.digest())], plain)
        assert "No sample has a label" in notes(made, "rq3_by_kind")
        assert records(made, "overview")[0]["full_at_1"] == 1.0

    def test_are_problems_with_fewer_samples_than_tries(self, report, verdict):
        made = report([*(verdict("rel/0", 2) for _ in range(3)), verdict("rel/1", 0)])
        (row,) = records(made, "rq1_rates", subset="reliability")
        assert [row[f"too_few_{k}"] for k in (1, 3, 5)] == [0, 1, 2]
        assert [row[f"full_at_{k}"] for k in (1, 3, 5)] == [0.5, 1.0, None]
        assert "pass@5 needs 5 judged samples: problems with fewer are left out of it in 2 of 4 rows" in notes(
            made, "rq1_rates"
        )

    def test_are_samples_that_could_not_be_judged(self, report, verdict):
        made = report([verdict("rel/0", 2), verdict("rel/0", 0, outcome="sandbox_error")])
        assert "1 samples could not be judged (sandbox_error)" in notes(made)
        (row,) = records(made, "rq1_rates", subset="reliability")
        assert (row["samples"], row["unjudged"], row["full_at_1"], row["too_few_1"]) == (2, 1, 1.0, 0)

    def test_is_a_setting_of_which_nothing_could_be_judged(self, report, verdict):
        failed = {"outcome": "sandbox_error"}
        edited = [
            verdict(task, 0, edited=["len"], active_changes=["len"], **FT, **failed) for task in ("rel/0", "spe/0")
        ]
        made = report([verdict("rel/0", 2, **UNEDITED), *edited])
        (row,) = records(made, "overview", method="ft")
        assert (row["samples"], row["unjudged"], row["full_at_1"], row["full_change"]) == (2, 2, None, None)
        assert "2 samples could not be judged" in notes(made)

    def test_is_that_nothing_at_all_could_be_judged(self, report, verdict):
        made = report([verdict(task, 0, outcome="sandbox_error") for task in ("rel/0", "spe/1")])
        assert records(made, "overview")[0]["compile_at_1"] is None
        assert "2 samples could not be judged" in notes(made)

    def test_is_that_one_problem_says_nothing_about_others(self, report, verdict):
        made = report([verdict("rel/0", passed) for passed in (2, 0)])
        (row,) = records(made, "rq1_rates", subset="reliability")
        assert (row["full_at_1"], row["full_at_1_low"], row["full_at_1_high"]) == (0.5, None, None)
        assert "A rate without an interval is of one problem alone in each subset" in notes(made, "rq1_rates")

    def test_is_that_nothing_was_edited(self, report, verdict):
        """Verdicts of any program: no model, method, regime, step, label."""
        made = report([verdict("rel/0", 2), verdict("spe/0", 0)])
        (row,) = records(made, "overview")
        assert (row["model"], row["method"], row["regime"], row["step"]) == (None, "unedited", None, None)
        assert notes(made, "rq1_change") == "No edited model is among the verdicts: there is nothing to compare."
        assert notes(made, "rq2_curve") == "No sequence of edits is among the verdicts."

    def test_is_that_no_sequence_was_sampled_twice(self, report, verdict):
        sequence = FT | {"regime": "sequential", "edited": ["len"]}
        made = report([verdict("rel/0", 0, **UNEDITED), verdict("rel/0", 2, **sequence)])
        assert "A sequence that was sampled at one step has no area." in notes(made, "rq2_collapse")
        assert notes(made, "rq2_retention") == "No sequence was sampled at two steps: nothing can be forgotten."
        assert {row["area"] for row in records(made, "rq2_collapse")} == {None}

    def test_are_sequences_that_do_not_say_their_step(self, report, verdict):
        sequence = {"model": "m", "method": "ft", "regime": "sequential"}
        made = report([verdict("rel/0", 0, **UNEDITED), verdict("rel/0", 2, **sequence)])
        assert "1 verdicts of sequences of edits say neither `step` nor `edited`" in notes(made)
        assert {row["full_change"] for row in records(made, "rq1_change", subset="reliability")} == {100.0}

    def test_is_a_baseline_that_nobody_has_judged(self, report, verdict):
        made = report([verdict("rel/0", 2, model="tuned")], baseline="base")
        assert "No verdicts of the unedited model 'base'" in notes(made)

    def test_are_the_hyperparameters_of_one_method(self, report, verdict):
        base = verdict("rel/0", 0, **UNEDITED)
        edited = [verdict("rel/0", p, edited=["len"], hparams_sha256=h * 64, **FT) for h, p in (("a", 2), ("b", 0))]
        made = report([base, *edited])
        rows = records(made, "rq1_change", subset="reliability")
        assert [(row["method"], row["full_change"]) for row in rows] == [
            ("ft (hparams aaaaaaaa)", 100.0),
            ("ft (hparams bbbbbbbb)", 0.0),
        ]


def test_a_model_of_elsewhere_is_held_against_the_named_one(report, verdict):
    made = report([verdict("rel/0", 0, **UNEDITED), verdict("rel/0", 2, model="tuned")], baseline="m")
    (row,) = records(made, "rq1_change", subset="reliability")
    assert (row["model"], row["full_before"], row["full_after"], row["full_change"]) == ("tuned", 0.0, 1.0, 100.0)
    assert not [note for note in made.notes if "unedited model" in note]


class TestCorrection:
    def test_is_for_all_tests_of_the_table_but_those_of_all_subsets_together(self, report, tmp_path):
        """12 problems that all changed by 1: p = 2 / 2^12. With six tests in the table it is six times that."""
        problems = [problem(f"{s[:3]}/{i}", s, "len") for s in SUBSETS[:2] for i in range(12)]
        bench = write_bench(tmp_path / "wide", "wide", problems, [change("len")])

        def verdict(task, passed, **fields):
            return {
                "sample_id": f"{task} {fields}", "task_id": task, "compiles": True, "tests_passed": passed,
                "tests_total": 2, "outcome": "passed" if passed else "failed", "label": None,
            } | fields  # fmt: skip

        base = [verdict(one.task_id, 0, **UNEDITED) for one in problems]
        edited = [verdict(one.task_id, 2 if one.subset == "reliability" else 0, **FT) for one in problems]
        made = report([*base, *edited], bench)
        (row,) = records(made, "rq1_change", subset="reliability")
        assert (row["full_p"], row["partial_p"], row["compile_p"]) == (2 / 2**12, 2 / 2**12, 1.0)
        assert row["full_p_corrected"] == row["partial_p_corrected"] == 6 * 2 / 2**12
        (row,) = records(made, "rq1_change", subset="generalization")
        assert (row["full_p"], row["full_p_corrected"]) == (1.0, 1.0)
        (row,) = records(made, "rq1_change", subset="all")
        assert (row["full_p"], row["full_p_corrected"]) == (2 / 2**12, None)


# ---- any verdicts

MODELS = [{}, UNEDITED, {"model": "m"}]
EDITS = [
    FT | {"edited": ["len"]},
    FT | {"edited": ["max"]},
    FT | {"edited": ["len"], "hparams_sha256": "a" * 64},
    FT | {"regime": "batch", "step": 2, "edited": ["len", "max"]},
    FT | {"edited": ["len"], "style": "chat"},
    {"model": "m", "method": "docs", "regime": "instant", "step": 1, "edited": ["len"]},
    {"model": "m", "method": "ft"},
    {"edited": ["max"]},
    {"model": "m", "method": "rome", "regime": "sequential"},
    *(
        {"model": "m", "method": "rome", "regime": "sequential", "step": n, "edited": ["len", "max"][:n]}
        for n in (1, 2)
    ),
]
RECORDS = [
    {"changes": changes, "requests": 4, "target_tokens": tokens, "learned_before": 0, "learned_after": learned}
    | {"nll_before": 4.0, "nll_after": nll, "greedy_tokens_before": 0.1, "greedy_tokens_after": 0.9}
    for changes in (["len"], ["max"], ["len", "max"])
    for tokens, learned, nll in ((0, 4, 0.5), (9, 2, None), (9, 0, 3.0), (9, 9, 3.0))
]
BENCH = Bench(
    "small",
    {
        f"{s[:3]}/{i}": problem(f"{s[:3]}/{i}", s, None if s == "specificity" else ("len", "max")[i])
        for s in SUBSETS
        for i in range(2)
    },
    {name: change(name) for name in ("len", "max")},
)


@st.composite
def verdict_sets(draw):
    """Draw verdicts of a few settings, some of them alike; labels do not always fit outcomes: they are of any tool."""
    chosen = draw(st.lists(st.sampled_from(MODELS + EDITS), min_size=1, max_size=4))
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(chosen),
                st.sampled_from(sorted(BENCH.problems)),
                st.sampled_from(sorted(LETTERS)),
                st.sampled_from([None, *LABELS]),
                st.sampled_from([None, [], ["len"], ["max"], ["len", "max"]]),
                st.sampled_from([None, 0, 1]),
                st.sampled_from([None, *RECORDS]),
            ),
            min_size=1,
            max_size=24,
        )
    )
    return [_verdict(number, *row) for number, row in enumerate(rows)]


def _verdict(number, setting, task, letter, label, active, index, edit):
    found = LETTERS[letter]
    optional = {"active_changes": active, "sample_index": index, "edit": edit, "called": found.called}
    about = {name: value for name, value in optional.items() if value is not None}
    return (
        setting
        | about
        | {
            "sample_id": str(number),
            "task_id": task,
            "compiles": found.compiles,
            "tests_passed": found.passed,
            "tests_total": 4,
            "outcome": found.outcome,
            "label": label,
        }
    )


def any_report(verdicts, baseline=None, **restrictions):
    options = Options(resamples=20, references=REFERENCES, baseline=baseline, **restrictions)
    return build_report(observe(BENCH, map(Verdict.from_row, verdicts)), VerdictReader(BENCH, []), options)


@given(verdict_sets(), st.sampled_from([None, "m", "nobody"]))
@settings(max_examples=60, deadline=None)
def test_every_report_is_sound(verdicts, baseline):
    made = any_report(verdicts, baseline)
    assert_sound(made)
    samples = sum(row["samples"] for row in table(made, "overview").records())
    assert samples >= len(verdicts) - sum(verdict.get("regime") == "sequential" for verdict in verdicts)


@given(verdict_sets(), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_restricted_report_is_sound_or_refused(verdicts, only_taken, solved_by_baseline):
    try:
        made = any_report(verdicts, only_taken=only_taken, solved_by_baseline=solved_by_baseline)
    except InputError:
        assert only_taken or solved_by_baseline
    else:
        assert_sound(made)


@given(verdict_sets(), st.randoms())
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_verdicts_changes_nothing(verdicts, luck):
    once, again = any_report(verdicts), any_report(luck.sample(verdicts, len(verdicts)))
    assert (once.tables, once.charts, once.notes) == (again.tables, again.charts, again.notes)


def test_the_order_of_files_and_rows_changes_nothing(tmp_path):
    bench, paths = write_truth(tmp_path)

    def make(paths):
        reader = VerdictReader(bench, paths)
        return build_report(observe(bench, reader), reader, Options(100, references=("paper",)))

    once = make(paths)
    luck = random.Random(0)
    for _ in range(3):
        for path in paths:
            rows = path.read_text().splitlines(keepends=True)
            path.write_text("".join(luck.sample(rows, len(rows))))
        again = make(luck.sample(paths, len(paths)))
        assert (once.tables, once.charts, once.notes) == (again.tables, again.charts, again.notes)
