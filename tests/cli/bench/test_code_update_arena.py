"""`edittool bench build --code-update-arena`: the authors' example certified and judged, and what is told of others."""

import json
from pathlib import Path

import pytest

from ...benchmark.sources.test_code_update_arena import row
from ..command import run

pytestmark = [pytest.mark.usefixtures("docker_client"), pytest.mark.slow]

DOUBLED = "    return math.hypot(x, y, times=times)\n"
BY_HAND = "    return times * math.hypot(x, y)\n"
WRONG = "    return math.hypot(x, y, factor=times)\n"


def build(tmp_path: Path, *rows: object) -> Path:
    (tmp_path / "arena.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    ended = run("bench", "build", "--code-update-arena", tmp_path / "arena.jsonl", "-o", tmp_path / "bench")
    assert ended.returncode == 0, ended.stderr
    return tmp_path / "bench"


def test_the_authors_example_is_certified(datasets: Path, tmp_path: Path) -> None:
    example = datasets / "code_update_arena_example.json"
    if not example.is_file():
        pytest.skip(f"no {example}: the example does not ship with the project")
    ended = run("bench", "build", "--code-update-arena", example, "-o", tmp_path / "bench")
    assert ended.returncode == 0, ended.stderr
    assert "1 problems (1 reliability, 0 generalization, 0 specificity), 1 changes" in ended.stderr


def test_an_update_is_certified_and_judged(tmp_path: Path) -> None:
    bench = build(tmp_path, row(0), row(1, unit_tests=["def test_no():\n    assert scaled(3.0, 4.0, 2) == 11.0"]))
    rejected = [json.loads(line) for line in (bench / "rejected.jsonl").read_text().splitlines()]
    assert [(one["task_id"], one["reason"]) for one in rejected if one["reason"] != "some_tests"] == [
        ("task-1", "updated_passes")
    ]
    samples = [{"task_id": "task-0", "completion": text} for text in (DOUBLED, BY_HAND, WRONG)]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(one) + "\n" for one in samples))
    ended = run("judge", bench, tmp_path / "s.jsonl", "-o", tmp_path / "v.jsonl")
    assert ended.returncode == 0, ended.stderr
    verdicts = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    found = {one["completion"]: (one["outcome"], one["label"]) for one in verdicts}
    assert found == {
        DOUBLED: ("passed", "correct_adoption"),
        BY_HAND: ("passed", "workaround"),
        WRONG: ("failed", "misuse"),
    }


def test_where_nothing_is_left_it_says_why(tmp_path: Path) -> None:
    (tmp_path / "arena.jsonl").write_text(json.dumps(row(0, ref_solution="def scaled(:")))
    ended = run("bench", "build", "--code-update-arena", tmp_path / "arena.jsonl", "-o", tmp_path / "bench")
    assert ended.returncode == 2
    assert "no problem is left of what you gave:\n  task-0, not_python: " in ended.stderr
