import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edittool.cli.main import cli
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.problems import Problem, Test
from edittool.schemas.validation import find_fault

LEN = Change("len", "len", "my_len", "renamed", "my_len(x)", "my_len = len\n", "Length.")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    tests = (Test("", "f(0)"), Test("", "f(1)"))
    subsets = {"reliability": "len", "generalization": "len", "specificity": None}
    problems = [Problem(f"T/{s}", "", "f", "f = abs\n", tests, s, change) for s, change in subsets.items()]
    return write_bench(tmp_path / "bench", "small", problems, [LEN])


@pytest.fixture
def verdicts(bench: Bench, tmp_path: Path) -> Path:
    """One file: five samples of each problem, of which two passed."""
    rows = [
        {
            "sample_id": f"{task_id} {index}",
            "task_id": task_id,
            "model": "evil\x1b[2J[bold]model[/bold]",
            "method": "ft",
            "compiles": True,
            "tests_passed": 2 if index < 2 else 1,
            "tests_total": 2,
            "outcome": "passed" if index < 2 else "partial",
            "label": None if problem.change_id is None else "workaround" if index < 2 else "misuse",
            "bench_sha256": bench.digest(),
        }
        for task_id, problem in bench.problems.items()
        for index in range(5)
    ]
    write_rows(tmp_path / "verdicts.jsonl", rows)
    return tmp_path / "verdicts.jsonl"


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run_report(*arguments: str | Path, code: bool = False) -> Result:
        """Run the command; with `code`, what it returns, its exit code, is in the result's `return_value`."""
        line = ["report", str(tmp_path / "bench"), *map(str, arguments)]
        return CliRunner().invoke(cli, line, standalone_mode=not code)

    return run_report


def rates(report: dict, subset: str) -> dict:
    (table,) = [table for table in report["tables"] if table["name"] == "rq1_rates"]
    (row,) = [row for row in table["rows"] if row["subset"] == subset]
    return row


def test_prints_the_tables(run, verdicts):
    result = run(verdicts)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["reliability", "1", "100.0", "40.0", "100.0"] in lines  # one problem: compile@1, full@1, full@5
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_a_missing_baseline_is_named(run, verdicts):
    assert "note: No verdicts of the unedited model 'evil" in run(verdicts).stderr


def test_text_from_files_neither_steers_the_terminal_nor_is_markup(run, verdicts):
    result = run(verdicts)
    assert "\x1b" not in result.output
    assert "model evil\\x1b[2J[bold]model[/bold]" in result.stdout


def test_json_has_every_number_and_what_made_it(run, bench, verdicts):
    result = run(verdicts, "--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert find_fault(data, "report") is None
    assert data["bench"] == {"name": "small", "sha256": bench.digest()}
    sha256 = hashlib.sha256(verdicts.read_bytes()).hexdigest()
    assert data["verdicts"] == [{"path": str(verdicts), "sha256": sha256, "rows": 15}]
    row = rates(data, "all")
    assert [row[f"full_at_{k}"] for k in (1, 3, 5)] == pytest.approx([0.4, 0.9, 1.0])
    assert all(len(row) == len(table["columns"]) for table in data["tables"] for row in table["rows"])


def test_notes_go_to_stderr_and_leave_the_json_whole(run, verdicts):
    result = run(verdicts, verdicts, "--json")
    assert result.exit_code == 0
    # Not the 5 of specificity: no choice of world changes those, so judging in two worlds repeats them.
    assert json.loads(result.stdout)["counts"]["duplicates"] == 10
    assert result.stderr.startswith("note: Repeated verdicts, counted once: 10 (")


class TestFolder:
    FILES = ("report.html", "report.json", "report.md", "tables/rq1_rates.csv", "tables/rq1_rates.tex", "files.json")

    def test_has_page_tables_and_figures(self, run, verdicts, tmp_path):
        result = run(verdicts, "-o", tmp_path / "out")
        assert result.exit_code == 0
        assert "reliability" in result.stdout
        assert [name for name in self.FILES if not (tmp_path / "out" / name).is_file()] == []
        assert {path.suffix for path in (tmp_path / "out" / "figures").iterdir()} == {".svg", ".png"}
        assert f"open {tmp_path / 'out' / 'report.html'}" in result.stderr.replace("\n", "")
        assert (tmp_path / "out" / "report.html").read_text().count(" data-bodies ") == 1  # the programs are in it
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert report == json.loads(run(verdicts, "--json").stdout)

    def test_is_the_same_for_the_same_input(self, run, verdicts, tmp_path):
        for name in ("a", "b", "a"):
            assert run(verdicts, "-o", tmp_path / name).exit_code == 0
        a, b = (
            {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
            for name in "ab"
        )
        assert a == b

    def test_of_somebody_else_is_refused_before_anything_is_read(self, run, tmp_path):
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.tex").write_text("years of work")
        result = run(tmp_path / "none.jsonl", "-o", tmp_path / "out")
        assert isinstance(result.exception, InputError)
        assert "has files, and no report of edittool" in str(result.exception)
        assert (tmp_path / "out" / "thesis.tex").read_text() == "years of work"

    def test_that_is_a_file_is_refused(self, run, verdicts):
        assert "is a file; a report is a folder" in str(run(verdicts, "-o", verdicts).exception)


def test_the_published_figures_stand_beside_ours(run, verdicts):
    assert "arXiv 2511.03182" not in run(verdicts).stdout
    assert "arXiv 2511.03182" in run(verdicts, "--reference", "paper").stdout


def test_references_may_be_several(run, verdicts):
    shown = run(verdicts, "--reference", "paper-v2", "--reference", "codeupdatearena").stdout
    assert "arXiv 2511.03182v2" in shown
    assert "arXiv 2407.06249" in shown


EDIT: dict = {
    "changes": ["len"],
    "requests": 2,
    "target_tokens": 9,
    "nll_before": 4.0,
    "nll_after": 0.1,
    "greedy_tokens_before": 0.0,
    "greedy_tokens_after": 1.0,
    "learned_before": 0,
    "learned_after": 2,
    "first_rank_before": 20.0,
    "first_rank_after": 1.0,
    "norm": 0.01,
    "rounded": None,
}
MADE: dict = {
    "name": "len",
    "method": "ft",
    "requests_sha256": "a" * 64,
    "seconds": 1.25,
    "peak_memory_mib": None,
    "losses": [2.0, None],
}


class TestEdits:
    @pytest.fixture
    def taught(self, verdicts) -> Path:
        rows = [json.loads(line) for line in verdicts.read_text().splitlines()]
        write_rows(verdicts, [row | {"edited": ["len"], "edit": EDIT} for row in rows])
        return verdicts

    def test_are_told_before_adoption_with_what_they_took(self, run, taught, tmp_path):
        journal = tmp_path / "v.edits.jsonl"
        write_rows(journal, [MADE | EDIT])
        report = json.loads(run(taught, "--edits", journal, "--json").stdout)
        (table,) = [table for table in report["tables"] if table["name"] == "edits"]
        assert (table["rows"][0]["took_wholly"], table["rows"][0]["seconds"]) == (1, 1.25)
        assert [one["path"] for one in report["journals"]] == [str(journal)]
        assert ": 1 of 1 edit took wholly: 2 of 2 targets learned, 0 before" in report["findings"][0]["text"]
        assert find_fault(report, "report") is None

    def test_that_took_can_be_all_there_is(self, run, taught):
        result = run(taught, "--only-taken", "--json")
        assert json.loads(result.stdout)["options"]["only_taken"] is True
        assert "(--only-taken)" in result.stderr

    def test_that_no_verdict_speaks_of_cannot_be_asked_for(self, run, verdicts):
        result = run(verdicts, "--only-taken")
        assert isinstance(result.exception, InputError)
        assert "no verdict says whether its edit took" in str(result.exception)


def test_what_the_baseline_solves_has_to_be_known(run, verdicts):
    result = run(verdicts, "--solved-by-baseline")
    assert isinstance(result.exception, InputError)
    assert "--world none" in str(result.exception)


def test_another_model_can_be_the_baseline(run, bench, verdicts, tmp_path):
    base = [json.loads(line) | {"model": "base", "method": "none"} for line in verdicts.read_text().splitlines()]
    tuned = [row | {"model": "tuned", "sample_id": f"tuned {row['sample_id']}"} for row in base]
    write_rows(tmp_path / "both.jsonl", [*base, *tuned])
    changes = [
        row["full_change"]
        for table in json.loads(run(tmp_path / "both.jsonl", "--json", "--baseline", "base").stdout)["tables"]
        for row in table["rows"]
        if table["name"] == "rq1_change" and row["model"] == "tuned"
    ]
    assert changes == [0.0] * 4


def test_resamples_have_a_seed(run, verdicts):
    assert json.loads(run(verdicts, "--json", "--seed", "7").stdout)["options"]["seed"] == 7
    assert run(verdicts, "--resamples", "1").exit_code == 2


def test_a_task_of_another_benchmark_is_bad_input(run, verdicts):
    row = json.loads(verdicts.read_text().splitlines()[0]) | {"task_id": "X/1"}
    write_rows(verdicts, [row])
    result = run(verdicts)
    assert isinstance(result.exception, InputError)
    assert f"{verdicts}, line 1: the task 'X/1' is not in the benchmark 'small'" in str(result.exception)
    assert result.stdout == ""


def test_a_missing_file_is_bad_input(run, bench, tmp_path):
    result = run(tmp_path / "none.jsonl")
    assert isinstance(result.exception, InputError)
    assert "none.jsonl does not exist" in str(result.exception)


def test_the_files_are_needed(run, bench):
    result = run()
    assert result.exit_code == 2
    assert "Missing argument 'VERDICTS...'" in result.stderr


def test_the_built_in_benchmark_has_a_name(tmp_path, verdicts):
    result = CliRunner().invoke(cli, ["report", "builtin", str(verdicts)])
    assert "is not in the benchmark 'builtin'" in str(result.exception)


class TestBounds:
    def test_that_hold_give_0_and_are_said(self, run, verdicts):
        result = run(verdicts, "--fail-under", "passed=0.4", "--fail-under", "generalization.compiles=1", code=True)
        assert result.return_value == 0
        assert "every bound holds, for 1 of the settings" in result.stderr

    def test_that_do_not_hold_give_1_after_the_report_with_a_line_each(self, run, verdicts, tmp_path):
        bounds = ("passed=0.41", "adopted=0.5", "compiles=1", "adopted_of_passing=0.1")
        result = run(verdicts, "-o", tmp_path / "out", *(x for b in bounds for x in ("--fail-under", b)), code=True)
        assert result.return_value == 1
        lines = [line for line in result.stderr.splitlines() if line.startswith("below its bound")]
        assert [line.partition(" (")[0] for line in lines] == [
            "below its bound: passed >= 0.41: 0.4000",
            "below its bound: adopted >= 0.5: 0.0000",
            "below its bound: adopted_of_passing >= 0.1: 0.0000",
        ]
        assert all("model evil\\x1b[2J[bold]model[/bold], method ft" in line for line in lines)
        report = json.loads((tmp_path / "out" / "report.json").read_text())
        assert [(bound["metric"], bound["held"], bound["value"]) for bound in report["bounds"]] == [
            ("passed", False, pytest.approx(0.4)),
            ("adopted", False, 0.0),
            ("compiles", True, 1.0),
            ("adopted_of_passing", False, 0.0),
        ]
        assert find_fault(report, "report") is None

    def test_of_an_unknown_metric_are_refused_before_anything_is_read(self, run, tmp_path, bench):
        result = run(tmp_path / "none.jsonl", "--fail-under", "speed=0.5")
        assert isinstance(result.exception, InputError)
        assert "there is no metric 'speed'. There are: adopted (" in str(result.exception)


def test_the_finding_stands_before_all_tables(run, verdicts):
    text = " ".join(run(verdicts).stdout.split())
    finding = (
        "edited by ft: whether its edits took is not recorded. It correctly writes the new API in 0.0 % of 10 programs "
        "(0.0 % of the 4 that pass);"
    )
    assert finding in text
    assert text.index(finding) < text.index("Every setting at a glance")
