"""Where there is no container, no program runs: no command does without an engine, and no code could."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.command import run as edittool
from .conftest import COUNT

REPOSITORY = Path(__file__).resolve().parents[2]
# Everything that reads programs and does not run inside the sandbox.
PACKAGES = ("analysis", "benchmark", "cli", "editing", "judging", "reporting", "samples", "scaling", "schemas")
RUNS_CODE = {"exec", "eval", "compile", "__import__"}
STARTS_PROCESSES = {"subprocess", "multiprocessing", "runpy", "code", "pty"}
OS_STARTS = ("os.system", "os.popen", "os.fork", "os.posix_spawn", "os.exec", "os.spawn")
# These give nothing of a sample to what they start.
ALLOWED = {
    ("cli/doctor.py", "subprocess"),  # asks torch for GPUs
    ("judging/verify/probe.py", "os.execv"),  # is sent into the sandbox
    ("judging/verify/probe.py", "os.fork"),
    ("judging/image/build.py", "subprocess"),  # makes the base image of Debian packages
    ("judging/image/packages.py", "subprocess"),  # fetches wheels with pip, which runs nothing of them
    ("judging/world_probe.py", "exec"),  # is sent into the sandbox
}


@pytest.mark.parametrize("command", ["judge", "run", "recycled"])
def test_without_an_engine_nothing_of_a_program_runs(command: str, tmp_path: Path, bench_folder: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    program = f"open({str(traces / 'loaded')!r}, 'w')\n{COUNT.solution}    open({str(traces / 'called')!r}, 'w')\n"
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "samples.jsonl").write_text(json.dumps({"task_id": "count", "solution": program}) + "\n")
    judge = ("judge", bench_folder, tmp_path / "samples.jsonl", "-o", tmp_path / "verdicts.jsonl")
    arguments = {
        "judge": judge,
        "recycled": (*judge, "--samples-per-container", "4"),
        "run": ("run", tmp_path / "program.py", "--bench", bench_folder, "--task", "count"),
    }
    done = edittool(*arguments[command], DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 3
    assert "no Docker Engine" in done.stderr
    assert list(traces.iterdir()) == []


def starters(tree: ast.AST) -> Iterator[str]:
    """Yield what code can run a program with, as far as `tree` uses it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from STARTS_PROCESSES.intersection(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from STARTS_PROCESSES.intersection([(node.module or "").split(".")[0]])
        elif isinstance(node, ast.Name) and node.id in RUNS_CODE:
            yield node.id
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith(OS_STARTS):
            yield ast.unparse(node)


def test_no_code_outside_the_sandbox_can_run_a_program() -> None:
    found = {
        (str(path.relative_to(REPOSITORY)), name)
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*.py")
        for name in starters(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("exec('1')", "exec"),
        ("import subprocess as s", "subprocess"),
        ("from runpy import run_path", "runpy"),
        ("import os\nos.execv('/bin/sh', [])", "os.execv"),
    ],
)
def test_such_code_would_be_seen(source: str, name: str) -> None:
    assert list(starters(ast.parse(source))) == [name]
