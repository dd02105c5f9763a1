import random
import weakref
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from edittool.reporting.export import report_as_json
from edittool.reporting.reading import VerdictReader
from edittool.reporting.tables import build_report
from edittool.reporting.terminal import render_report
from edittool.schemas.bench import write_bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.validation import find_fault


def rows_of(bench, verdicts):
    """Return the rows of the only block, by subset."""
    (block,) = build_report(bench, verdicts).blocks
    return {row.subset: row for row in block.rows}


def settings_of(bench, verdicts):
    return [block.setting for block in build_report(bench, verdicts).blocks]


def shown(bench, verdicts, width=100, show=Text):
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(render_report(build_report(bench, verdicts), show))
    return capture.get()


class TestRates:
    def test_are_shares_of_the_judged_samples(self, bench, verdict):
        row = rows_of(bench, [verdict("rel/0", passed) for passed in (0, 1, 2, 2)])["reliability"]
        assert (row.compiles, row.partial, row.full) == (0.75, 0.75, 0.5)
        assert (row.problems, row.problems_in_bench, row.samples, row.unjudged) == (1, 2, 4, 0)

    def test_a_program_that_compiles_and_passes_nothing_is_not_partial(self, bench, verdict):
        row = rows_of(bench, [verdict("rel/0", 0, compiles=True)])["all"]
        assert (row.compiles, row.partial, row.full) == (1.0, 0.0, 0.0)

    def test_a_sandbox_error_counts_against_nothing(self, bench, verdict):
        good = [verdict("rel/0", 2, "correct_adoption") for _ in range(3)]
        failed = verdict("rel/0", 0, outcome="sandbox_error")
        without, with_error = (rows_of(bench, rows)["reliability"] for rows in (good, [*good, failed]))
        assert (with_error.samples, with_error.unjudged) == (4, 1)
        assert (with_error.full, with_error.labelled) == (1.0, 3)
        assert with_error.pass_at_k == without.pass_at_k

    def test_of_nothing_judged_are_none(self, bench, verdict):
        row = rows_of(bench, [verdict("rel/0", 0, outcome="sandbox_error")])["reliability"]
        assert (row.compiles, row.partial, row.full, row.labels) == (None,) * 4
        assert [estimate.value for estimate in row.pass_at_k] == [None] * 3

    def test_all_is_every_subset_together(self, bench, verdict):
        rows = rows_of(bench, [verdict("rel/0", 2), verdict("gen/1", 2), verdict("spe/0", 0)])
        assert (rows["all"].samples, rows["all"].problems, rows["all"].problems_in_bench) == (3, 3, 6)
        assert rows["all"].full == 2 / 3


class TestPassAtK:
    def test_is_the_mean_over_problems(self, bench, verdict):
        verdicts = [verdict("rel/0", 2)] + [verdict("rel/1", passed) for passed in (2, 0, 0, 0)]
        at_one, at_three, at_five = rows_of(bench, verdicts)["reliability"].pass_at_k
        assert (at_one.value, at_one.problems) == (0.625, 2)
        assert (at_three.value, at_three.problems, at_three.too_few) == (0.75, 1, 1)
        assert (at_five.value, at_five.too_few) == (None, 2)

    def test_samples_of_differently_edited_models_are_not_tries_of_one(self, bench, verdict):
        verdicts = [verdict("spe/0", passed, edited=[name]) for name, passed in (("len", 2), ("max", 0))]
        row = rows_of(bench, verdicts * 3)["specificity"]
        assert row.problems == 1
        assert row.pass_at_k[1].value == 0.5  # 1 under the one edit, 0 under the other; pooled it would be 0.95


class TestLabels:
    def test_are_shares_of_labelled_and_of_passing_samples(self, bench, verdict):
        labels = [(2, "correct_adoption"), (2, "workaround"), (2, "workaround"), (0, "misuse"), (1, "no_adoption")]
        row = rows_of(bench, [verdict("gen/0", *each) for each in labels])["generalization"]
        assert (row.labelled, row.labelled_passing) == (5, 3)
        assert row.labels == {"correct_adoption": 0.2, "misuse": 0.2, "workaround": 0.4, "no_adoption": 0.2}
        assert row.labels_passing["workaround"] == 2 / 3

    def test_a_verdict_without_label_is_in_no_share(self, bench, verdict):
        row = rows_of(bench, [verdict("spe/0", 2), verdict("rel/0", 2, "workaround")])["all"]
        assert (row.samples, row.labelled, row.labels["workaround"]) == (2, 1, 1.0)


class TestSettings:
    @pytest.mark.parametrize(
        ("field", "values"),
        [("model", "ab"), ("method", "ab"), ("regime", "ab"), ("step", (2, 10)), ("hparams_sha256", "ab")],
    )
    def test_each_field_makes_a_block_of_its_own(self, bench, verdict, field, values):
        verdicts = [verdict("rel/0", 2, **{field: value}) for value in reversed(values)]
        assert [getattr(setting, field) for setting in settings_of(bench, verdicts)] == list(values)

    def test_named_and_unnamed_methods_stand_together_in_one_report(self, bench, verdict):
        verdicts = [verdict("rel/0", 2, method="ft"), verdict("rel/0", 2)]
        assert [setting.method for setting in settings_of(bench, verdicts)] == [None, "ft"]

    def test_the_order_of_the_verdicts_does_not_matter(self, bench, verdict):
        verdicts = [
            verdict(task, passed, method=method)
            for task in ("rel/0", "gen/1", "spe/0")
            for passed in (0, 2)
            for method in ("ft", "rome")
        ]
        shuffled = random.Random(0).sample(verdicts, len(verdicts))
        assert build_report(bench, verdicts) == build_report(bench, shuffled)


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
        (block,) = build_report(bench, verdicts).blocks
        assert block.setting.world == world
        assert [row.samples for row in block.rows] == [1, 1, 1, 3]

    def test_of_some_edited_changes_is_one_for_all_subsets(self, bench, verdict, tmp_path):
        third = replace(bench.changes["len"], change_id="min")
        wider = write_bench(tmp_path / "wider", "wider", bench.problems.values(), [*bench.changes.values(), third])
        both = ["len", "max"]
        verdicts = [verdict(task, 2, edited=both, active_changes=both) for task in ("rel/0", "gen/1", "spe/0")]
        assert [setting.world for setting in settings_of(wider, verdicts)] == ["edited"]

    def test_of_several_edits_is_one_block(self, bench, verdict):
        verdicts = [
            verdict(task, 2, edited=[name], active_changes=[name], step=1)
            for task, name in (("rel/0", "len"), ("spe/0", "len"), ("rel/1", "max"), ("spe/0", "max"))
        ]
        (block,) = build_report(bench, verdicts).blocks
        assert [row.samples for row in block.rows] == [2, 0, 2, 4]

    @pytest.mark.parametrize("background", [["max"], []])
    def test_of_a_sequence_of_edits_is_one_block(self, bench, verdict, background):
        worlds = (("rel/0", ["len"]), ("rel/1", ["max"]), ("spe/0", background))
        verdicts = [verdict(task, 2, edited=["len", "max"], active_changes=active, step=2) for task, active in worlds]
        (block,) = build_report(bench, verdicts).blocks
        assert block.setting.world == "own"
        assert [row.samples for row in block.rows] == [2, 0, 1, 3]

    def test_is_the_problems_own_where_the_verdict_does_not_say(self, bench, verdict):
        row = verdict("rel/0", 2)
        del row["active_changes"]
        assert settings_of(bench, [row])[0].world == "own"

    def test_specificity_joins_the_problems_it_was_judged_with(self, bench, verdict):
        verdicts = [verdict("spe/0", 2), verdict("rel/0", 2, active_changes=[]), verdict("spe/1", 0)]
        (block,) = build_report(bench, verdicts).blocks
        assert block.setting.world == "none"
        assert [row.samples for row in block.rows] == [1, 0, 2, 3]
        assert block.rows[-1].full == 2 / 3

    def test_specificity_of_an_unedited_model_counts_in_both_its_worlds(self, bench, verdict):
        verdicts = [verdict("spe/0", 2), verdict("rel/0", 2, active_changes=[]), verdict("rel/0", 2)]
        own, none = build_report(bench, verdicts).blocks
        assert [row.samples for row in own.rows] == [1, 0, 1, 2]
        assert [row.samples for row in none.rows] == [1, 0, 1, 2]


def test_an_unknown_task_is_refused(bench, verdict):
    with pytest.raises(InputError, match="the task 'X/1' is not in the benchmark 'small'"):
        build_report(bench, [verdict("X/1", 2)])


class Row(dict):
    """A dict that can be referred to weakly."""


def test_verdicts_are_counted_as_they_come_and_not_kept(bench, verdict):
    references, most_alive = [], 0

    def stream():
        nonlocal most_alive
        for _ in range(50):
            row = Row(verdict("rel/0", 2))
            references.append(weakref.ref(row))
            yield row
            most_alive = max(most_alive, sum(reference() is not None for reference in references))

    build_report(bench, stream())
    assert most_alive <= 2


class TestTerminal:
    def every_setting(self, verdict):
        return [
            verdict(task, passed, label, model="org/model-7b", method="memit", regime="sequential", step=13)
            for task, label in (("rel/0", "workaround"), ("gen/0", "correct_adoption"), ("spe/1", None))
            for passed in (2, 0, 2)
        ]

    def test_fits_100_columns_with_the_longest_numbers(self, bench, verdict):
        verdicts = [*self.every_setting(verdict), verdict("rel/0", 0, outcome="sandbox_error")]
        text = shown(bench, verdicts)
        assert max(map(len, text.splitlines())) <= 100
        assert "…" not in text
        assert "model org/model-7b · method memit · regime sequential · step 13 · world: the problem's own" in text

    def test_shows_percent_and_estimates(self, bench, verdict):
        lines = shown(bench, self.every_setting(verdict)).splitlines()
        line = next(line for line in lines if line.startswith("reliability"))
        assert line.split() == ["reliability", "1/2", "3", "66.7", "66.7", "66.7", "66.7", "100.0", "-"]

    def test_too_few_samples_are_explained(self, bench, verdict):
        text = shown(bench, [verdict("rel/0", 2)] * 3 + [verdict("rel/1", 2)])
        assert "100.0*" in text
        assert "-  no problem has k judged samples, which pass@k needs." in text
        assert "*  over the problems that have k judged samples; some have fewer." in text

    def test_an_empty_subset_says_so(self, bench, verdict, tmp_path):
        assert "generalization: no verdicts." in shown(bench, [verdict("rel/0", 2)])
        only = write_bench(tmp_path / "only", "only", [bench.problems["rel/0"]], bench.changes.values())
        assert "specificity: the benchmark has no such problems." in shown(only, [verdict("rel/0", 2)])

    def test_sandbox_errors_have_a_column_only_where_there_are_any(self, bench, verdict):
        assert "unjudged" not in shown(bench, [verdict("rel/0", 2)])
        assert "unjudged: the sandbox failed." in shown(bench, [verdict("rel/0", 0, outcome="sandbox_error")])

    def test_a_benchmark_without_changes_has_no_label_columns(self, bench, verdict, tmp_path):
        plain = write_bench(tmp_path / "plain", "plain", [bench.problems["spe/0"]], [])
        text = shown(plain, [verdict("spe/0", 2)])
        assert "pass@1" in text
        assert not any(word in text for word in ("adoption", "misuse", "labelled", "world"))

    def test_every_text_of_a_file_goes_through_show(self, bench, verdict):
        seen = []
        names = {"model": "[red]m", "method": "f\tt\n", "regime": "r", "hparams_sha256": "abcdef0123"}
        shown(bench, [verdict("rel/0", 2, **names)], show=lambda text: seen.append(text) or Text("safe"))
        assert seen == ["small", "[red]m", "f t", "r", "abcdef01"]


def test_the_json_is_what_its_schema_says_and_agrees_with_the_tables(bench, verdict, tmp_path):
    path = tmp_path / "v.jsonl"
    first = verdict("rel/0", 2, "workaround", method="ft", step=1.0)
    write_rows(path, [first, first, verdict("spe/0", 0), verdict("gen/0", 0, outcome="sandbox_error")])
    reader = VerdictReader(bench, [path])
    report = build_report(bench, reader)
    data = report_as_json(report, reader)
    assert find_fault(data, "report") is None
    assert (data["duplicates"], data["verdicts"][0]["rows"]) == (1, 4)
    assert data["bench"] == {"name": "small", "sha256": bench.digest()}
    assert len(data["rows"]) == 4 * len(report.blocks) == 8
