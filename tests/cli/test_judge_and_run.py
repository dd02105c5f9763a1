"""`judge` and `run` as a user types them: what they print, and how they end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin

PROBLEM = next(problem for problem in load_builtin().problems.values() if problem.change_id == "sorted")


def edittool(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edittool.cli", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)


def run_program(program: str, *more: str) -> subprocess.CompletedProcess[str]:
    return edittool("run", "-", "--bench", "builtin", "--task", PROBLEM.task_id, *more, stdin=program)


@pytest.mark.parametrize(
    ("program", "world", "outcome", "label"),
    [
        (PROBLEM.solution, "none", "passed", None),
        (PROBLEM.solution, "own", "failed", "no_adoption"),
        (PROBLEM.updated_solution, "own", "passed", "correct_adoption"),
        (PROBLEM.updated_solution, "all", "passed", "correct_adoption"),
    ],
)
def test_run_gives_the_verdict_of_one_program(program: str, world: str, outcome: str, label: str | None) -> None:
    done = run_program(program, "--world", world, "--json")
    assert done.returncode == 0, done.stderr
    verdict = json.loads(done.stdout)
    assert (verdict["outcome"], verdict["label"]) == (outcome, label)


def test_run_shows_each_test_and_what_was_printed_without_its_escapes() -> None:
    done = run_program("print('\\x1b]0;owned\\x07 [bold]seen[/bold]')\n" + PROBLEM.solution)
    assert done.returncode == 0, done.stderr
    assert "\x1b]0;" not in done.stdout
    assert "\\x1b]0;owned\\x07 [bold]seen[/bold]" in done.stdout
    assert "NameError: name 'sorted' is not defined (missing_name, line" in done.stdout
    assert done.stdout.count("test ") >= len(PROBLEM.tests)


def test_run_names_the_nearest_task() -> None:
    done = edittool("run", "-", "--bench", "builtin", "--task", PROBLEM.task_id[:-1], stdin="x = 1\n")
    assert done.returncode == 2
    assert f"Did you mean {PROBLEM.task_id}" in done.stderr


def test_an_unknown_runtime_is_an_environment_fault() -> None:
    done = run_program(PROBLEM.solution, "--runtime", "no-such-runtime")
    assert done.returncode == 3
    assert "no-such-runtime" in done.stderr
    assert "Traceback" not in done.stderr


def test_judge_prints_outcomes_and_labels_on_stdout(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    rows = [{"task_id": PROBLEM.task_id, "solution": text} for text in (PROBLEM.solution, PROBLEM.updated_solution)]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = edittool("judge", "builtin", str(samples), "-o", str(tmp_path / "new" / "verdicts.jsonl"))
    assert done.returncode == 0, done.stderr
    for word in ("2 samples judged", "passed", "failed", "correct_adoption", "no_adoption", "50.0%"):
        assert word in done.stdout
