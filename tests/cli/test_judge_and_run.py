"""`judge` and `run` as a user types them: what they print, and how they end."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin

PROBLEM = next(problem for problem in load_builtin().problems.values() if problem.change_id == "sorted")


AROUND = load_builtin().problems["builtin/repeated"]
BYPASS = """import collections
import gc


def repeated(values):
    counter = next(c for c in gc.get_objects() if isinstance(c, type) and c.__name__ == "Counter")
    return [value for value, count in counter(values).items() if count > 1]
"""


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


def test_judge_counts_the_ways_around_a_removal(tmp_path: Path) -> None:
    samples, verdicts = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    rows = [{"task_id": AROUND.task_id, "solution": text} for text in (BYPASS, AROUND.updated_solution)]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = edittool("judge", "builtin", str(samples), "-o", str(verdicts))
    assert done.returncode == 0, done.stderr
    assert re.search(r"bypass: gc +│ +1 │ +50\.0% ", done.stdout)
    judged = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    (around,) = [verdict for verdict in judged if verdict.get("bypass")]
    assert around["bypass"] == ["class_of_value", "gc"]  # found, and used as what it is
    assert (around["outcome"], around["label"], around["label_detail"]) == ("passed", "workaround", "bypass")

    again = edittool("judge", "builtin", str(samples), "-o", str(verdicts), "--json")
    assert json.loads(again.stdout)["bypasses"] == {"class_of_value": 1, "gc": 1}


def test_judge_says_nothing_of_bypasses_where_there_are_none(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": AROUND.task_id, "solution": AROUND.solution}), encoding="utf-8")
    done = edittool("judge", "builtin", str(samples), "-o", str(tmp_path / "verdicts.jsonl"))
    assert done.returncode == 0, done.stderr
    assert "bypass" not in done.stdout


def test_run_names_the_way_around() -> None:
    done = edittool("run", "-", "--bench", "builtin", "--task", AROUND.task_id, stdin=BYPASS)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^bypass +class_of_value, gc *$", done.stdout, re.MULTILINE)
    assert "workaround (bypass)" in done.stdout


def test_judge_says_what_it_did_not_run(tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    rows = [{"task_id": PROBLEM.task_id, "solution": PROBLEM.solution, "sample_index": n} for n in range(3)]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = []
    for name, *more in (("a",), ("b",), ("c", "--no-cache")):
        done = edittool("judge", "builtin", str(samples), "-o", str(tmp_path / name), *more)
        assert done.returncode == 0, done.stderr
        told += [line for line in done.stderr.splitlines() if line.startswith("nothing ran")]
    assert told == [
        "nothing ran for 2 samples: 2 the same as another sample",
        "nothing ran for 3 samples: 3 answered from the cache",
        "nothing ran for 2 samples: 2 the same as another sample",
    ]
