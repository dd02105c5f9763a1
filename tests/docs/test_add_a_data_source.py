"""docs/how-to/add-a-data-source.md, followed word for word in a copy of the repository."""

import json
from pathlib import Path

import pytest

from .pages import commands, copy_of_the_repository, run, steps

PAGE = "add-a-data-source.md"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with the page's files in it."""
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    for step in steps(PAGE):
        step.follow(copy)
    return copy


@pytest.mark.parametrize("command", commands(PAGE))
def test_the_commands_of_the_page_work(copy: Path, command: str) -> None:
    done = run(command, copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("--exercises FILE" if "--help" in command else "5 passed") in done.stdout


def test_a_benchmark_is_built_from_the_source(copy: Path) -> None:
    row = {
        "id": 7,
        "task": "Add.",
        "function": "add",
        "code": "def add(a, b): return a + b",
        "checks": ["add(1, 2) == 3"],
    }
    (copy / "exercises.jsonl").write_text(json.dumps(row) + "\n")
    built = run("edittool bench build --exercises exercises.jsonl --no-changes -o plain", copy)
    assert built.returncode == 0, built.stderr
    shown = run("edittool bench show plain --task exercises/7 --json", copy)
    assert json.loads(shown.stdout)["problem"]["entry_point"] == "add", shown.stdout
