import json
from pathlib import Path
from typing import Any

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.schemas.validation import find_fault

from .conftest import Run


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_rows_and_a_completion_are_a_sample(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    code, stdout, err = edittool("prompts", "builtin", "-o", out, "-n", 2, "--docs", "change")
    assert (code, stdout) == (0, "")
    assert "120 prompts for 60 problems" in err
    first = out.read_bytes()
    rows = rows_of(out)
    assert [(row["task_id"], row["sample_index"]) for row in rows] == [
        (task_id, index) for task_id in load_builtin().problems for index in range(2)
    ]
    assert {row["method"] for row in rows} == {"docs-change"}
    assert all(row["prompt"].startswith("# ") for row in rows)
    for row in rows:
        assert find_fault({name: row[name] for name in row if name != "prompt"} | {"completion": ""}, "sample") is None
    assert edittool("prompts", "builtin", "-o", out, "-n", 2, "--docs", "change")[0] == 0
    assert out.read_bytes() == first


def test_batches(edittool: Run, tmp_path: Path) -> None:
    out, task = tmp_path / "p.jsonl", ("--task", "builtin/is_anagram")
    batch = ["prompts", "builtin", "-o", out, "--format", "openai-batch", "--model", "m", "-n", 2, "--seed", 3, *task]
    assert edittool(*batch, "--style", "chat", "--max-tokens", 9, "--temperature", 0.5)[0] == 0
    rows = rows_of(out)
    assert [row["custom_id"] for row in rows] == ["builtin/is_anagram#0", "builtin/is_anagram#1"]
    assert {(row["method"], row["url"]) for row in rows} == {("POST", "/v1/chat/completions")}
    body = rows[1]["body"]
    assert body | {"messages": []} == {"model": "m", "messages": [], "max_tokens": 9, "temperature": 0.5, "seed": 4}
    assert edittool(*batch)[0] == 0
    assert rows_of(out)[0]["url"] == "/v1/completions"
    assert "stop" in rows_of(out)[0]["body"]


def test_messages(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    assert edittool("prompts", "builtin", "-o", out, "--format", "messages", "--subset", "specificity")[0] == 0
    rows = rows_of(out)
    assert len(rows) == 15
    assert all(row.keys() == {"task_id", "sample_index", "messages"} for row in rows)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "openai-batch"], "--model"),
        (["--max-tokens", "5"], "--max-tokens is for"),
        (["--format", "messages", "--style", "complete"], "--style complete"),
        (["--template", "nowhere.txt"], "nowhere.txt"),
        (["--task", "nope"], "no task 'nope'"),
        (["-n", "0"], "-n"),
        (["-o", "-"], "-o needs a file"),
    ],
)
def test_mistakes(options: list[str], words: str, edittool: Run, tmp_path: Path) -> None:
    code, _, err = edittool("prompts", "builtin", "-o", tmp_path / "p.jsonl", *options)
    assert code == 2
    assert words in err
    assert not (tmp_path / "p.jsonl").exists()


def test_the_folder_is_made_and_an_error_leaves_none(edittool: Run, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert edittool("prompts", "builtin", "-o", folder / ("x" * 300))[0] == 3
    assert list(tmp_path.iterdir()) == []
    assert edittool("prompts", "builtin", "-o", folder / "p.jsonl")[0] == 0
    assert len(rows_of(folder / "p.jsonl")) == 60
