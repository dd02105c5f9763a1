"""Whether the edits took: each record counted once, what is missing told, journals matched, tables restricted."""

import json
from pathlib import Path

import pytest

from edittool.reporting.build import build_report
from edittool.reporting.options import Options
from edittool.reporting.read.edit_journals import EditCosts
from edittool.reporting.read.edits import EditRecord
from edittool.reporting.read.settings import Setting
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows

ADOPTED = "correct_adoption"
UNEDITED = {"model": "m", "method": "none", "regime": "none"}
FT = {"model": "m", "method": "ft", "regime": "instant", "step": 1}
CHANGE = {"0": "len", "1": "max"}


def record(change, before=0, after=4, **fields):
    return {
        "changes": [change],
        "requests": 4,
        "target_tokens": 10,
        "nll_before": 4.0,
        "nll_after": 0.5,
        "greedy_tokens_before": 0.1,
        "greedy_tokens_after": 0.9,
        "learned_before": before,
        "learned_after": after,
        "first_rank_before": 12.0,
        "first_rank_after": 1.0,
        "norm": 0.01,
        "rounded": 0.0,
    } | fields


def edited(verdict, task, passed, label=None, edit=None, **fields):
    change = CHANGE[task[-1]]
    said = {"edit": edit} if edit else {}
    made = {**FT, "edited": [change], "active_changes": [change], **said, **fields}
    return verdict(task, passed, label, **made)


def table(made, name):
    return next(table for table in made.tables if table.name == name)


def rows(made, name="edits"):
    return list(table(made, name).records())


def test_a_record_that_many_rows_repeat_is_counted_once(report, verdict):
    several = [edited(verdict, task, 2, ADOPTED, record("len")) for task in ("rel/0", "gen/0", "rel/0")]
    several += [edited(verdict, "spe/0", 2, edit=record("len"))]
    (row,) = rows(report(several))
    counts = {name: row[name] for name in ("changes", "edits", "took_wholly", "targets", "learned_after")}
    assert counts == {"changes": 1, "edits": 1, "took_wholly": 1, "targets": 4, "learned_after": 4}


def test_one_state_of_a_model_judged_in_two_worlds_has_its_edits_once(report, verdict):
    worlds = (["len"], ["len", "max"])
    made = report([edited(verdict, "rel/0", 2, ADOPTED, record("len"), active_changes=world) for world in worlds])
    (row,) = rows(made)
    assert (row["edits"], row["changes"]) == (1, 1)
    assert [row["world"] for row in rows(made, "overview")] == ["own", "all"]


def test_the_first_sentence_says_whether_the_edits_took(report, verdict):
    made = report(
        [
            edited(verdict, "rel/0", 0, "misuse", record("len", 1, 4)),
            edited(verdict, "rel/1", 0, "misuse", record("max", 0, 0, nll_before=6.0, nll_after=5.5)),
        ]
    )
    assert made.findings[0].text.startswith(
        "Model m, edited by ft, one change at a time: 1 of 2 edits took wholly, 1 not: 4 of 8 targets learned, 1 "
        "before; NLL per target token 5, then 3. It correctly writes the new API in 0.0 %"
    )


def test_a_sequence_says_what_is_left_of_it(report, verdict):
    at = {**FT, "regime": "sequential", "step": 2, "edited": ["len", "max"]}
    now = {"nll_now": 3.0, "greedy_tokens_now": 0.2, "learned_now": 1, "first_rank_now": 9.0}
    made = report([edited(verdict, f"rel/{i}", 2, ADOPTED, record(CHANGE[str(i)], **now), **at) for i in (0, 1)])
    (row,) = rows(made)
    assert (row["learned_after"], row["learned_now"], row["kept_share"]) == (8, 2, 0.25)
    assert "8 of 8 targets learned, 0 before, 2 still at this step" in made.findings[0].text
    assert {chart.name for chart in made.charts} >= {"edits_took", "edits_nll", "edits_kept"}


class TestToldNotZero:
    def test_verdicts_of_an_earlier_version(self, report, verdict):
        made = report([edited(verdict, "rel/0", 2, ADOPTED), edited(verdict, "rel/1", 2, ADOPTED, method="rome")])
        assert all(row[name] is None for row in rows(made) for name in ("took_wholly", "targets", "nll_after"))
        assert table(made, "edits").notes == (
            "Not known of 2 of 2 edited models (ft, rome): their verdicts have no edit record. Samples of an earlier "
            "version lack it; edit and sample again to have it.",
        )
        assert not [chart for chart in made.charts if chart.question == "edits"]

    def test_a_change_none_of_whose_problems_was_sampled(self, report, verdict):
        at = {"regime": "sequential", "step": 2, "edited": ["len", "max"]}
        made = report([edited(verdict, "rel/0", 2, ADOPTED, record("len"), **at)])
        assert rows(made)[0]["changes"] == 2
        assert any(note.startswith("Of 1 of the edited changes no verdict says") for note in table(made, "edits").notes)

    def test_two_runs_in_one_setting(self, report, verdict):
        made = report([edited(verdict, "rel/0", 2, ADOPTED, record("len", after=n)) for n in (4, 2)])
        assert rows(made)[0]["edits"] == 1
        assert any("several runs" in note for note in table(made, "edits").notes)

    def test_an_edit_that_is_not_finite(self, report, verdict):
        lost = record("max", after=0, nll_before=100.0, nll_after=None)
        made = report(
            [edited(verdict, "rel/0", 2, ADOPTED, record("len")), edited(verdict, "rel/1", 0, "misuse", lost)]
        )
        (row,) = rows(made)
        assert (row["nll_before"], row["nll_after"], row["not_finite"]) == (4.0, 0.5, 1)
        assert (
            "After 1 of 2 edits the NLL is NaN or infinite: these are in no mean, before or after."
            in table(made, "edits").notes
        )

    @pytest.mark.parametrize("odd", [record("len", after=5), record("len", before=5), record("len", learned_now=5)])
    def test_a_record_that_does_not_agree_with_itself(self, report, verdict, odd):
        good, bad = edited(verdict, "rel/0", 2, ADOPTED, record("len")), edited(verdict, "gen/0", 2, ADOPTED, odd)
        made = report([good, bad])
        assert rows(made)[0]["edits"] == 1
        assert any(
            "field `edit` that is no edit record, and is not read: 1." in note for note in table(made, "edits").notes
        )

    @pytest.mark.parametrize(
        "odd", [None, "yes", {}, {"changes": []}, record("len", after=1.5), record("len", requests=0, after=0)]
    )
    def test_a_field_that_is_no_record(self, odd):
        assert EditRecord.from_row(odd) is None


def test_requests_keyed_on_the_api_are_a_share_of_all(report, verdict):
    keyed = [{"api": 3, "function": 1}, {"function": 4}]
    made = report(
        [
            edited(verdict, f"rel/{i}", 2, ADOPTED, taught={"requests": 4, "kinds": {}, "keyed_on": keyed[i]})
            for i in (0, 0, 1)
        ]
    )
    assert rows(made)[0]["keyed_on_api"] == 3 / 8


def test_unedited_and_told_models_have_no_edits(report, verdict):
    told = {"model": "m", "method": "docs", "regime": "instant", "step": 1, "edited": ["len"]}
    made = report([verdict("rel/0", 2, ADOPTED, **UNEDITED), verdict("rel/0", 2, ADOPTED, **told)])
    assert not [table for table in made.tables if table.question == "edits"]


def made_line(edit, **fields):
    """Return the line of a journal."""
    took = {"method": "ft", "seconds": 1.0, "peak_memory_mib": None, "losses": []}
    return {"name": "n", "requests_sha256": "a" * 64, **took, **edit, **fields}


class TestJournals:
    def test_seconds_and_memory_are_of_the_edit_with_that_record(self, bench, verdict, tmp_path):
        write_rows(
            tmp_path / "v.jsonl",
            [
                edited(verdict, "rel/0", 2, ADOPTED, record("len") | {"learned_now": 1, "nll_now": 2.0}),
                edited(verdict, "rel/1", 2, ADOPTED, record("max", after=2)),
            ],
        )
        other = {"model": "m", "regime": "sequential"}
        lines = [
            made_line(record("len"), seconds=2.5, peak_memory_mib=100.0),
            made_line(record("max", after=2), seconds=7.5, model="m", regime="instant"),
            made_line(record("max", after=2), seconds=50.0, **other),
            made_line(record("max", after=2), seconds=99.0, method="rome"),
        ]
        write_rows(tmp_path / "v.edits.jsonl", lines)
        reader = VerdictReader(bench, [tmp_path / "v.jsonl"])
        costs = EditCosts([tmp_path / "v.edits.jsonl"])
        made = build_report(observe(bench, reader), reader, Options(100), costs=costs)
        (row,) = rows(made)
        assert (row["seconds"], row["peak_memory_mib"]) == (5.0, 100.0)
        assert [one["seconds"] for one in rows(made, "edits_by_change")] == [2.5, 7.5]
        assert not [note for note in table(made, "edits").notes if "--edits" in note]

    def test_a_file_that_is_none_is_refused(self, tmp_path: Path):
        (tmp_path / "x.jsonl").write_text(json.dumps({"task_id": "T", "completion": ""}) + "\n")
        with pytest.raises(InputError, match=r"x\.jsonl, line 1: .*edit\.schema\.json"):
            EditCosts([tmp_path / "x.jsonl"])

    def test_a_line_cut_short_is_left_out(self, tmp_path: Path):
        whole = json.dumps(made_line(record("len")))
        (tmp_path / "x.jsonl").write_text(f"{whole}\n{whole[:40]}")
        costs = EditCosts([tmp_path / "x.jsonl"])
        assert [source.rows for source in costs.sources] == [1]
        setting = Setting(**dict.fromkeys(Setting.__dataclass_fields__) | {"method": "ft", "world": "own"})
        assert costs.of(setting, EditRecord.from_row(record("len"))).seconds == 1.0


class TestOnlyTaken:
    @pytest.fixture
    def verdicts(self, verdict):
        return [
            *(verdict(task, 0, "no_adoption", **UNEDITED) for task in ("rel/0", "rel/1")),
            edited(verdict, "rel/0", 2, ADOPTED, record("len")),
            edited(verdict, "spe/0", 2, edit=record("len")),
            edited(verdict, "rel/1", 0, "misuse", record("max", after=3)),
            edited(verdict, "spe/1", 0, edit=record("max", after=3)),
        ]

    def test_the_tables_are_of_edits_that_took_wholly(self, report, verdicts):
        made = report(verdicts, only_taken=True)
        unedited, ft = rows(made, "overview")
        assert (unedited["labelled"], ft["labelled"], ft["adopted"], ft["full_at_1"]) == (2, 1, 1.0, 1.0)
        assert "Left of the changes with verdicts: m ft (instant) 1 of 2." in made.notes[0]
        assert rows(made)[0]["edits"] == 2  # the table of edits has all of them
        assert made.verdicts == 6

    def test_a_sequence_keeps_its_specificity_problems(self, report, verdict):
        at = {"regime": "sequential", "step": 2, "edited": ["len", "max"]}
        made = report(
            [
                edited(verdict, "rel/0", 2, ADOPTED, record("len"), **at),
                edited(verdict, "rel/1", 0, "misuse", record("max", after=0), **at),
                edited(verdict, "spe/1", 0, edit=record("max", after=0), **at),
            ],
            only_taken=True,
        )
        (row,) = rows(made, "overview")
        assert (row["labelled"], row["problems"]) == (1, 2)

    def test_nothing_that_says_so_is_refused(self, report, verdict):
        with pytest.raises(InputError, match="--only-taken: no verdict says whether its edit took"):
            report([edited(verdict, "rel/0", 2, ADOPTED)], only_taken=True)

    def test_nothing_that_is_left_is_refused(self, report, verdict):
        with pytest.raises(InputError, match=r"Nothing is left to report\. .* ft \(instant\) 0 of 1"):
            report([edited(verdict, "rel/0", 2, ADOPTED, record("len", after=0))], only_taken=True)


class TestSolvedByBaseline:
    @pytest.fixture
    def verdicts(self, verdict):
        plain = [
            verdict("rel/0", 2, active_changes=[], **UNEDITED),
            *(verdict("rel/1", passed, active_changes=[], **UNEDITED) for passed in (0, 0, 2)),
            verdict("spe/0", 2, **UNEDITED),
        ]
        found = [
            edited(verdict, "rel/0", 2, ADOPTED),
            edited(verdict, "rel/1", 0, "misuse"),
            edited(verdict, "spe/0", 2),
        ]
        return [*plain, *found]

    def test_a_table_beside_the_labels(self, report, verdicts):
        made = report(verdicts)
        taught = {"subset": "reliability", "method": "ft"}
        (all_of,) = (row for row in rows(made, "rq3_labels") if row.items() >= taught.items())
        (solved,) = (row for row in rows(made, "rq3_labels_solved") if row.items() >= taught.items())
        assert (all_of["labelled"], all_of["correct_adoption"]) == (2, 0.5)
        assert (solved["labelled"], solved["correct_adoption"]) == (1, 1.0)

    def test_every_table(self, report, verdicts):
        made = report(verdicts, solved_by_baseline=True)
        rates = {row["method"]: row["problems"] for row in rows(made, "rq1_rates") if row["subset"] == "all"}
        assert rates == {"unedited": 2, "ft": 2}
        assert "(--solved-by-baseline): 2 of 3 with verdicts." in made.notes[0]

    def test_without_such_verdicts_it_is_told_and_refused(self, report, verdict):
        found = [edited(verdict, "rel/0", 2, ADOPTED)]
        assert "1 settings are left out" in table(report(found), "rq3_labels_solved").notes[0]
        with pytest.raises(InputError, match=r"--solved-by-baseline: no verdict says .* --world none"):
            report(found, solved_by_baseline=True)


class TestCalled:
    def test_a_misuse_may_be_a_right_call(self, report, verdict):
        found = [edited(verdict, "rel/0", 0, "misuse", called=word) for word in ("right", "right", "ill_called")]
        made = report([*found, edited(verdict, "rel/0", 0, "misuse")])
        (row,) = rows(made, "rq3_called")
        assert (row["label"], row["samples"], row["right"], row["ill_called"]) == ("misuse", 3, 2, 1)
        (shares,) = (row for row in rows(made, "rq3_labels") if row["subset"] == "reliability")
        assert (shares["labelled"], shares["called_known"], shares["right"]) == (4, 3, 2 / 3)
        assert any("not known of 1 of 4 labelled samples" in note for note in table(made, "rq3_labels").notes)
        assert "calls it rightly, whether it passes or not, in 66.7 %" in made.findings[0].text

    def test_verdicts_that_do_not_say_have_no_zero(self, report, verdict):
        made = report([edited(verdict, "rel/0", 0, "misuse")])
        assert rows(made, "overview")[0]["called_right"] is None
        assert "rq3_called" not in {table.name for table in made.tables}
        assert "rightly" not in made.findings[0].text


class TestBaselines:
    def test_documentation_in_the_prompt_stands_next_to_the_unedited_model(self, report, verdict):
        docs = {"model": "m", "regime": "instant", "step": 1, "edited": ["len"]}
        made = report(
            [
                edited(verdict, "rel/0", 2, ADOPTED),
                verdict("rel/0", 0, "misuse", method="docs", **docs),
                verdict("rel/0", 0, "no_adoption", **UNEDITED),
            ]
        )
        assert [row["method"] for row in rows(made, "overview")] == ["unedited", "documentation in the prompt", "ft"]
        changes = {row["method"]: row["adopted_change"] for row in rows(made, "overview")}
        assert changes == {"unedited": None, "documentation in the prompt": 0.0, "ft": 100.0}

    def test_styles_stand_apart_and_have_baselines_of_their_own(self, report, verdict):
        rows_of = {"chat": 0, "complete": 2}
        found = [verdict("spe/0", passed, style=style, **UNEDITED) for style, passed in rows_of.items()]
        found += [edited(verdict, "spe/0", 2, style=style) for style in rows_of]
        made = report(found)
        changes = {row["method"]: row["full_change"] for row in rows(made, "overview") if row["regime"] == "instant"}
        assert changes == {"ft (style chat)": 100.0, "ft (style complete)": 0.0}
        assert {row["style"] for row in rows(made, "rq1_rates")} == {"chat", "complete"}

    def test_a_style_without_a_baseline_is_told(self, report, verdict):
        made = report([verdict("spe/0", 2, style="complete", **UNEDITED), edited(verdict, "spe/0", 2, style="chat")])
        assert [row["full_change"] for row in rows(made, "overview")] == [None, None]
        assert any("'m' asked in the style 'chat'" in note for note in made.notes)

    def test_verdicts_that_do_not_say_their_style_are_compared(self, report, verdict):
        made = report([verdict("spe/0", 0, **UNEDITED), edited(verdict, "spe/0", 2, style="complete")])
        assert [row["full_change"] for row in rows(made, "overview")] == [None, 100.0]

    def test_requests_of_one_method_stand_apart(self, report, verdict):
        made = report([edited(verdict, "rel/0", 2, ADOPTED, requests=kind) for kind in ("call", "statement")])
        assert [row["method"] for row in rows(made, "overview")] == ["ft (requests call)", "ft (requests statement)"]


@pytest.mark.parametrize("reference", ["paper", "paper-v2", "edapibench", "codeupdatearena"])
def test_each_reference_stands_beside_ours(report, verdict, reference):
    docs = {"model": "m", "method": "docs", "regime": "instant", "step": 1, "edited": ["len"]}
    found = [verdict("rel/0", 0, "no_adoption", **UNEDITED), verdict("rel/0", 2, ADOPTED, **docs)]
    found += [edited(verdict, "gen/0", 2, ADOPTED, method=method) for method in ("ft", "rome", "adalora")]
    made = report(found, references=(reference,))
    (one,) = (table for table in made.tables if table.question == "reference")
    records = {row["measure"]: row for row in one.records()}
    assert one.name == f"reference_{reference.replace('-', '_')}"
    assert records["changed APIs"]["ours_low"] == 2
    if reference == "codeupdatearena":
        assert records["documentation in the prompt: correct adoption"]["ours_high"] == 100.0
        assert records["editing: correct adoption in generalization"]["figures"] == 3
    if reference == "edapibench":
        assert (records["editing methods"]["ours_low"], records["models"]["ours_low"]) == (3, 1)
        assert records["new API written, by AdaLoRA"]["figures"] == 1


def test_several_references_are_several_tables(report, verdict):
    made = report([verdict("rel/0", 2, ADOPTED, **UNEDITED)], references=("paper", "paper-v2"))
    assert [table.name for table in made.tables][-2:] == ["reference_paper", "reference_paper_v2"]
