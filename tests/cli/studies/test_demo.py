"""The whole path with real parts (the tiny model, FT-L, containers, labels), and the demo's steps as commands."""

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.cli.main import cli
from edittool.cli.studies.demo import _steps
from edittool.editing.methods.table import find_method, method_names

CHANGES = "sorted,math.pi,str.join"


@pytest.mark.parametrize(
    ("title", "arguments"),
    [step for full in (False, True) for step in _steps(Path("out"), 0, full)],
    ids=lambda part: str(part)[:20],
)
def test_every_step_is_a_command_that_can_be_parsed(title: str, arguments: list[str]) -> None:
    assert title
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        name, command, arguments = command.resolve_command(context, arguments)
    assert command.make_context(name, arguments).params


def test_every_method_is_shown_and_in_full_every_regime() -> None:
    def shown(full: bool) -> set[tuple[str, str]]:
        edits = [arguments for _, arguments in _steps(Path("out"), 0, full) if arguments[0] == "edit"]
        options = [dict(itertools.pairwise(arguments)) for arguments in edits]
        return {(option["--method"], option.get("--regime", "none")) for option in options}

    methods = set(method_names()) - {"none"}
    assert methods >= {"ft", "grace", "rome", "memit", "pmet"}
    instant = {(method, "instant") for method in methods}
    assert shown(full=False) == {("none", "none"), ("memit", "sequential")} | instant
    sequential = {(method, "sequential") for method, _ in instant}
    batch = {(method, "batch") for method in methods if find_method(method).many}
    assert shown(full=True) == {("none", "none")} | instant | sequential | batch


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(600)  # the tiny model is trained where the cache does not have it yet
@pytest.mark.usefixtures("developers_cache", "docker_client")
def test_the_main_job_end_to_end(tmp_path: Path) -> None:
    unedited, edited = tmp_path / "unedited.jsonl", tmp_path / "edited.jsonl"
    sampling = ("--model", "tiny", "-n", "2", "--seed", "1")
    edittool("edit", "builtin", "-o", unedited, "--method", "none", *sampling)
    teaching = ("--method", "ft", "--changes", CHANGES, "--specificity-per-change", "1")
    edittool("edit", "builtin", "-o", edited, *teaching, *sampling)
    shared = ("--samples-per-container", "16")
    for samples, world, options in ((unedited, "none", shared), (unedited, "own", shared), (edited, "sample", ())):
        verdicts = tmp_path / f"{samples.stem}.{world}"
        edittool("judge", "builtin", samples, "-o", verdicts, "--world", world, "--no-cache", *options)

    plain = read(tmp_path / "unedited.none")
    assert len(plain) == 120
    assert sum(verdict["outcome"] == "passed" for verdict in plain) >= 0.9 * len(plain)
    before = labels(tmp_path / "unedited.own")
    after = labels(tmp_path / "edited.sample")
    assert set(before) == {"no_adoption"}
    assert after["correct_adoption"] > 0
    files = [tmp_path / name for name in ("unedited.none", "unedited.own", "edited.sample")]
    report = json.loads(edittool("report", "builtin", *files, "--json"))
    tables = {table["name"]: table["rows"] for table in report["tables"]}
    settings = {("unedited", "none"), ("unedited", "own"), ("ft", "own")}
    assert {(row["method"], row["world"]) for row in tables["overview"]} == settings
    taught = next(row for row in tables["rq3_labels"] if (row["method"], row["subset"]) == ("ft", "all"))
    assert taught["labelled"] == after.total()
    assert taught["correct_adoption"] == pytest.approx(after["correct_adoption"] / after.total())


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("docker_client")
def test_every_method_visibly_learns(tmp_path: Path) -> None:
    """The demo itself: where nothing is adopted, whoever looks at it would blame the method."""
    told = edittool("demo", "-o", tmp_path / "demo").splitlines()
    assert sum(line.startswith(("Before any edit,", "Taught one change", "Of its programs")) for line in told) == 3
    bench = load_builtin()

    def adopted(method: str, subset: str) -> float:
        rows = read(tmp_path / "demo" / f"{method}.instant.verdicts.jsonl")
        found = [row["label"] for row in rows if bench.problems[row["task_id"]].subset == subset]
        return found.count("correct_adoption") / len(found)

    edits = [method for method in method_names() if method not in ("none", "docs")]
    shares = {method: adopted(method, "reliability") for method in edits}
    assert min(shares.values()) > 0, shares
    assert sum(share > 0.5 for share in shares.values()) >= 4, shares
    assert sum(adopted(method, "generalization") > 0 for method in edits) >= 4


def edittool(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "edittool.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def labels(path: Path) -> Counter[str]:
    return Counter(verdict["label"] for verdict in read(path) if verdict["label"])
