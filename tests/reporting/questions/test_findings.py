"""The sentences before all tables: true in every corner, and of no other numbers than the overview's."""

import re

import pytest
from hypothesis import given, settings

from edittool.reporting.build import build_report
from edittool.reporting.options import Options
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import observe
from edittool.reporting.table.format import format_cell
from edittool.reporting.table.table import Estimate
from edittool.schemas.bench import write_bench

from ..conftest import problem
from ..known_truth import write_truth
from ..test_build import any_report, verdict_sets

UNEDITED = {"model": "m", "method": "none", "regime": "none"}
FT = {"model": "m", "method": "ft", "regime": "instant", "step": 1}
ADOPTED = "correct_adoption"


def texts(made):
    return [finding.text for finding in made.findings]


def edited(verdict, task, passed, label=None, **fields):
    change = "max" if task.endswith("1") else "len"
    return verdict(task, passed, label, edited=[change], active_changes=[change], **{**FT, **fields})


def test_an_edited_model_is_said_beside_the_unedited_one(report, verdict):
    tasks = ("rel/0", "rel/1", "gen/0", "gen/1")
    base = [verdict(task, 0, "no_adoption", **UNEDITED) for task in tasks]
    base += [verdict(f"spe/{i}", 2, **UNEDITED) for i in range(2)]
    labels = [ADOPTED, ADOPTED, ADOPTED, "workaround"]
    found = [edited(verdict, task, 2, label) for task, label in zip(tasks, labels, strict=True)]
    found += [edited(verdict, "spe/0", 2), edited(verdict, "spe/1", 0)]
    made = report([*base, *found])
    assert texts(made) == [
        "Model m, unedited: correctly writes the new API in 0.0 % [0.0, 0.0] of 4 programs (none passes); "
        "in reliability 0.0 %, in generalization 0.0 %; of 2 changes: too few samples for 2.",
        "Model m, edited by ft, one change at a time: whether its edits took is not recorded. It correctly "
        "writes the new API in 75.0 % [50.0, 100.0] of 4 "
        "programs (75.0 % [50.0, 100.0] of the 4 that pass); in reliability 100.0 %, in generalization 50.0 %; "
        "+75.0 points [+50.0, +100.0] against the unedited model; on specificity problems pass@1 changes by "
        "-50.0 points [-100.0, 0.0]; of 2 changes: too few samples for 2.",
    ]
    assert "over problems, not over samples" in made.reading
    assert "correct adoption" in made.reading


CORNERS = {
    "a model that was told, not edited": (
        lambda v: [v("rel/0", 2, ADOPTED, model="x", method="docs-change", regime="none")],
        "Model x, with documentation in the prompt: correctly writes the new API in 100.0 % of 1 program (100.0 % of "
        "the 1 that pass); the unedited model has no verdicts to compare with in the same world; of 1 change: too few "
        "samples for 1.",
    ),
    "one sample": (
        lambda v: [v("rel/0", 2, ADOPTED, model="x")],
        "Model x: correctly writes the new API in 100.0 % of 1 program (100.0 % of the 1 that pass); of 1 change: too "
        "few samples for 1.",
    ),
    "nothing could be judged": (
        lambda v: [v("rel/0", 0, outcome="sandbox_error", **UNEDITED) for _ in range(2)],
        "Model m, unedited: the sandbox could judge none of its 2 samples, so nothing is known.",
    ),
    "some could not be judged": (
        lambda v: [v("spe/0", 2), v("spe/1", 2), v("spe/1", 0, outcome="sandbox_error")],
        "A model without a name: pass@1 is 100.0 % [100.0, 100.0] over 2 problems; 1 of 3 samples could not be judged "
        "and are in no rate.",
    ),
    "no baseline": (
        lambda v: [edited(v, "rel/0", 2, ADOPTED), edited(v, "rel/1", 0, "misuse")],
        "Model m, edited by ft, one change at a time: whether its edits took is not recorded. It correctly "
        "writes the new API in 50.0 % [0.0, 100.0] of 2 "
        "programs (100.0 % of the 1 that pass); the unedited model has no verdicts to compare with in the same world; "
        "of 2 changes: too few samples for 2.",
    ),
    "a baseline of some problems": (
        lambda v: [
            v("rel/0", 0, "no_adoption", **UNEDITED),
            edited(v, "rel/0", 2, ADOPTED),
            edited(v, "rel/1", 0, "misuse"),
        ],
        "+100.0 points against the unedited model, on the 1 of 2 problems that can be compared;",
    ),
    "no change active": (
        lambda v: [v("rel/0", 2, active_changes=[], **UNEDITED), v("rel/1", 0, active_changes=[], **UNEDITED)],
        "Model m, unedited, with no change active: pass@1 is 50.0 % [0.0, 100.0] over 2 problems.",
    ),
    "a sequence": (
        lambda v: [
            v(
                "rel/0", 2, ADOPTED, model="m", method="rome", regime="sequential", step=n, edited=["len", "max"][:n]
            )
            for n in (1, 2)
        ],
        "Model m, edited by rome, after 2 edits, one on top of the other: whether its edits took is not "
        "recorded. It correctly writes the new API in 100.0 % of 1",
    ),
    "a batch": (
        lambda v: [v("spe/0", 2, model="m", method="memit", regime="batch", step=2, edited=["len", "max"])],
        "Model m, edited by memit, with 2 changes at once",
    ),
}  # fmt: skip


def test_corners(report, verdict, subtests):
    for name, (make, said) in CORNERS.items():
        with subtests.test(name):
            made = texts(report(make(verdict)))
            assert any(said in text for text in made), made


def test_a_benchmark_without_changes_has_no_word_of_adoption(report, verdict, tmp_path):
    problems = [problem(f"spe/{i}", "specificity", None) for i in range(2)]
    plain = write_bench(tmp_path / "plain", "plain", problems, [])
    rows = [verdict(f"spe/{i}", passed, bench_sha256=plain.digest()) for i in range(2) for passed in (2, 0)]
    made = report(rows, plain)
    assert texts(made) == ["A model without a name: pass@1 is 50.0 % [50.0, 50.0] over 2 problems."]
    assert "adopt" not in made.reading
    assert "answers" not in {table.name for table in made.tables}


def test_without_any_verdict_there_is_none(report):
    made = report([])
    assert (made.findings, made.reading) == ((), "")
    overview = next(table for table in made.tables if table.name == "overview")
    assert overview.notes == ("There is no verdict.",)


def test_another_baseline_is_named(report, verdict):
    made = report([verdict("spe/0", 0, **UNEDITED), verdict("spe/0", 2, model="tuned")], baseline="m")
    assert "Model tuned: pass@1 is 100.0 % over 1 problem; +100.0 points against model m." in texts(made)


def assert_numbers_are_those_of_the_overview(made):
    overview = next(table for table in made.tables if table.name == "overview")
    for finding, row in zip(made.findings, overview.rows, strict=True):
        shown = {format_cell(row[c.name], c) for c in overview.columns if isinstance(row[c.name], Estimate)}
        plain = {format_cell(row[c.name].value, c) for c in overview.columns if isinstance(row[c.name], Estimate)}
        for value, interval in re.findall(r"([-+]?[\d.]+) (?:%|points)(?: (\[[^\]]*\]))?", finding.text):
            assert f"{value} {interval}".strip() in shown | plain, (finding.text, shown)
        assert (finding.model, finding.method, finding.world) == (row["model"], row["method"], row["world"])
        assert finding.text.count("\n") == 0


def test_every_number_is_in_the_overview(tmp_path):
    bench, paths = write_truth(tmp_path)
    reader = VerdictReader(bench, paths)
    made = build_report(observe(bench, reader), reader, Options(100))
    assert len(made.findings) == 7
    assert_numbers_are_those_of_the_overview(made)


@given(verdict_sets())
@settings(max_examples=40, deadline=None)
def test_of_any_verdicts_every_number_is_in_the_overview(verdicts):
    assert_numbers_are_those_of_the_overview(any_report(verdicts))


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "x: correctly writes the new API in 100 %"])
def test_a_hostile_name_is_kept_as_it_is_for_writers_to_show(report, verdict, name):
    (text,) = texts(report([verdict("spe/0", 2, model=name)]))
    assert text.startswith(f"Model {name}: pass@1")


def test_a_long_name_is_cut(report, verdict):
    (text,) = texts(report([verdict("spe/0", 2, model="m" * 500)]))
    assert text == f"Model {'m' * 79}\u2026: pass@1 is 100.0 % over 1 problem."
