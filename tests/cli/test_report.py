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
    def run_report(*arguments: str | Path) -> Result:
        return CliRunner().invoke(cli, ["report", str(tmp_path / "bench"), *map(str, arguments)])

    return run_report


def test_prints_the_tables(run, verdicts):
    result = run(verdicts)
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if line.startswith("reliability"))
    assert line.split() == ["reliability", "1", "5", "100.0", "100.0", "40.0", "40.0", "90.0", "100.0"]
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert result.stderr == ""


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
    row = next(row for row in data["rows"] if row["subset"] == "all")
    assert row["full"] == 0.4
    assert [each["value"] for each in row["pass_at_k"]] == pytest.approx([0.4, 0.9, 1.0])
    assert row["labels"] == {"correct_adoption": 0.0, "misuse": 0.6, "workaround": 0.4, "no_adoption": 0.0}


def test_notes_go_to_stderr_and_leave_the_json_whole(run, verdicts):
    result = run(verdicts, verdicts, "--json")
    assert result.exit_code == 0
    # Not the 5 of specificity: no choice of world changes those, so judging in two worlds repeats them.
    assert json.loads(result.stdout)["duplicates"] == 10
    assert result.stderr.startswith("note: Repeated verdicts, counted once: 10 (")


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
