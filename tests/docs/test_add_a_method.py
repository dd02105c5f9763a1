"""docs/how-to/add-a-method.md, followed word for word in a copy of the repository."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text

from .pages import commands, copy_of_the_repository, run, steps

PAGE = "add-a-method.md"
HELP, EDIT, *TESTS = commands(PAGE)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with the page's files in it."""
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    for step in steps(PAGE):
        step.follow(copy)
    return copy


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model in a folder called `tiny`: its presets are those of the tiny model, which takes long to train."""
    settings = TinySettings(vocabulary=300, layers=4, hidden=16, mlp=16, heads=2, context=1024, epochs=1)
    lessons = Lessons((Text("def f():\n", "    pass\n"),))
    made = tiny_model(lessons, settings, cache=tmp_path_factory.mktemp("models"))
    return made.rename(made.with_name("tiny"))


def passed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_makes_a_method_a_preset_a_row_and_a_paragraph() -> None:
    assert [step.path for step in steps(PAGE)] == [
        "editing/methods/nudge.py",
        "editing/methods/presets/nudge-tiny.yaml",
        "tests/editing/methods/test_every_method.py",
        "docs/editing.md",
    ]


def test_the_help_lists_the_method(copy: Path) -> None:
    assert "memit, none, nudge, pmet" in " ".join(passed(run(HELP, copy)).split())


def test_the_command_line_edits_with_the_method(copy: Path, model: Path) -> None:
    assert EDIT.count("--model tiny ") == 1
    short = EDIT.replace("--model tiny ", f"--model {model} --max-new-tokens 4 --save-edits edits ")
    passed(run(short, copy))
    rows = [json.loads(line) for line in (copy / "nudge.jsonl").read_text().splitlines()]
    assert {row["method"] for row in rows} == {"nudge"}
    assert {tuple(row["edited"]) for row in rows} == {("sorted",), ("zip",)}
    assert {path.name for path in (copy / "edits").iterdir()} == {"sorted.safetensors", "zip.safetensors"}


@pytest.mark.parametrize("command", TESTS)
def test_the_tests_that_the_page_names_pass(copy: Path, command: str) -> None:
    said = passed(run(f"{command} -rs", copy))
    assert "passed" in said
    skipped = [line for line in said.splitlines() if line.startswith("SKIPPED")]
    assert [line for line in skipped if "GPU" not in line] == []


def test_a_method_that_does_not_undo_itself_is_noticed(copy: Path, tmp_path: Path) -> None:
    """The row's tests are not passed by whatever is there."""
    broken = tmp_path / "edittool"
    shutil.copytree(copy, broken)
    file = broken / "editing/methods/nudge.py"
    text = file.read_text(encoding="utf-8")
    kept = "    with torch.no_grad(), restored(model, list(names.values())) as weights:\n"
    wrong = text.replace(kept, "    weights = dict(model.named_parameters())\n    with torch.no_grad():\n")
    assert wrong != text
    file.write_text(wrong, encoding="utf-8")
    done = run(f"{TESTS[0]} -x", broken)
    assert done.returncode == 1, done.stdout
    assert "1 failed" in done.stdout
    assert "nudge" in done.stdout
