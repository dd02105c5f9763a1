"""Judging in the worlds of other files: which verdicts there are, what is left out, resuming, worlds that changed."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.judge import Observer, Request, Summary, judge
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.world_choice import WorldsOf, read_worlds
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.validation import find_fault

from .conftest import SIZE, TOTAL

pytestmark = pytest.mark.usefixtures("docker_client")

COUNTED = "def count(items):\n    return my_builtin_len(value=items)\n"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def outcomes(path: Path) -> dict[tuple[str, int, tuple[str, ...]], str]:
    """Return what was found by task, index and world; fails where one of them, or an id, has two verdicts."""
    rows = rows_of(path)
    assert len({row["sample_id"] for row in rows}) == len(rows)
    found = {(row["task_id"], row["sample_index"], tuple(row["active_changes"])): row["outcome"] for row in rows}
    assert len(found) == len(rows)
    return found


def write_edited(path: Path, *pairs: tuple[str, list[str]]) -> Path:
    """Write samples as an edited model has them: a task, and the world it was sampled for."""
    write_rows(path, ({"task_id": task, "solution": "x = 1\n", "active_changes": world} for task, world in pairs))
    return path


@pytest.fixture
def unedited(tmp_path: Path) -> Path:
    """Return samples of the unedited model: a problem of a change, and two without, which name no world."""
    rows = [
        {"task_id": "count", "solution": COUNTED, "active_changes": ["len"]},
        {"task_id": "size", "solution": SIZE.solution, "active_changes": []},
        {"task_id": "size", "solution": "def size(items):\n    return 2\n", "active_changes": []},
        {"task_id": "total", "solution": TOTAL.solution, "active_changes": []},
    ]
    write_rows(tmp_path / "unedited.jsonl", rows)
    return tmp_path / "unedited.jsonl"


@pytest.fixture
def worlds(specific_bench: Bench, tmp_path: Path) -> WorldsOf:
    """Return the worlds of the edits of len and of sum, in which the problems without a change were sampled."""
    rome = write_edited(tmp_path / "rome.jsonl", ("count", ["len"]), ("size", ["len"]), ("size", ["sum"]))
    memit = write_edited(tmp_path / "memit.jsonl", ("size", ["sum"]), ("total", ["len", "sum"]))
    return read_worlds([rome, memit], specific_bench)


EVERY_WORLD = {
    ("count", 0, ("len",)): "passed",
    ("size", 0, ("len",)): "failed",
    ("size", 0, ("sum",)): "passed",
    ("size", 1, ("len",)): "passed",
    ("size", 1, ("sum",)): "passed",
    ("total", 0, ("len", "sum")): "failed",
}


@pytest.mark.parametrize("together", [1, 16], ids=["strict", "recycled"])
def test_each_sample_is_judged_in_each_world_of_its_problem(
    specific_bench: Bench, unedited: Path, worlds: WorldsOf, tmp_path: Path, together: int
) -> None:
    output = tmp_path / "baseline.jsonl"
    options = SandboxOptions(jobs_per_container=together)
    summary = judge(Request(specific_bench, unedited, output, worlds, options))
    assert outcomes(output) == EVERY_WORLD
    assert (summary.samples, summary.judged, summary.left_out) == (6, 6, 0)
    for row in rows_of(output):
        assert find_fault(row, "verdict") is None
        said = [] if row["task_id"] != "count" else ["len"]  # by the sample
        assert row.get("carried") == (None if said == row["active_changes"] else {"active_changes": said})


def test_the_worlds_of_verdicts_are_those_they_were_made_in(
    specific_bench: Bench, unedited: Path, worlds: WorldsOf, tmp_path: Path
) -> None:
    judge(Request(specific_bench, unedited, tmp_path / "baseline.jsonl", worlds))
    assert read_worlds([tmp_path / "baseline.jsonl"], specific_bench) == worlds
    judge(Request(specific_bench, unedited, tmp_path / "none.jsonl", "none"))
    of_none = read_worlds([tmp_path / "none.jsonl"], specific_bench)
    assert of_none.by_task == {"count": ((),), "size": ((),), "total": ((),)}


def test_the_cache_keeps_worlds_apart_and_answers_for_each(
    specific_bench: Bench, unedited: Path, worlds: WorldsOf, tmp_path: Path
) -> None:
    request = Request(specific_bench, unedited, tmp_path / "first.jsonl", worlds)
    assert not judge(request).reused
    assert judge(replace(request, output=tmp_path / "second.jsonl")).reused == {"cache": 6}
    assert outcomes(tmp_path / "second.jsonl") == EVERY_WORLD
    assert not judge(replace(request, output=tmp_path / "none.jsonl", world="none")).reused


def test_samples_of_other_problems_are_left_out_and_counted_whenever_it_is_asked(
    specific_bench: Bench, unedited: Path, tmp_path: Path
) -> None:
    worlds = read_worlds([write_edited(tmp_path / "rome.jsonl", ("total", ["sum"]))], specific_bench)
    request = Request(specific_bench, unedited, tmp_path / "baseline.jsonl", worlds)
    for judged in (1, 0):
        summary = judge(request)
        assert (summary.samples, summary.judged, summary.left_out) == (1, judged, 3)
        assert summary.to_json()["left_out"] == 3
    assert outcomes(request.output) == {("total", 0, ("sum",)): "failed"}


def test_files_that_share_no_problem_with_the_samples_are_an_error(
    specific_bench: Bench, tmp_path: Path, unedited: Path
) -> None:
    worlds = read_worlds([write_edited(tmp_path / "rome.jsonl", ("total", ["sum"]))], specific_bench)
    others = tmp_path / "others.jsonl"
    others.write_text("".join(unedited.read_text().splitlines(keepends=True)[:3]), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(InputError, match=r"others\.jsonl: none of its 3 samples .* Give files"):
            judge(Request(specific_bench, others, tmp_path / "baseline.jsonl", worlds))
    assert not (tmp_path / "baseline.jsonl").exists()


class Interrupting(Observer):
    """Interrupts at the first verdict."""

    def judged(self, summary: Summary, verdict: Any) -> None:
        raise KeyboardInterrupt


def test_other_worlds_than_before_are_judged_beside_the_verdicts_that_are_there(
    specific_bench: Bench, unedited: Path, worlds: WorldsOf, tmp_path: Path
) -> None:
    request = Request(specific_bench, unedited, tmp_path / "baseline.jsonl", worlds, cached=False)
    with pytest.raises(KeyboardInterrupt):
        judge(request, Interrupting())
    kept = rows_of(request.output)
    pairs = (("count", ["len"]), ("size", ["sum"]), ("size", []), ("total", []))
    changed = read_worlds([write_edited(tmp_path / "rome.jsonl", *pairs)], specific_bench)
    wanted = {
        ("count", 0, ("len",)): "passed",
        ("size", 0, ()): "passed",
        ("size", 0, ("sum",)): "passed",
        ("size", 1, ()): "passed",
        ("size", 1, ("sum",)): "passed",
        ("total", 0, ()): "passed",
    }
    strangers = [row for row in kept if (row["task_id"], row["sample_index"], (*row["active_changes"],)) not in wanted]
    summary = judge(replace(request, world=changed))
    assert rows_of(request.output)[: len(kept)] == kept
    assert (summary.strangers, summary.already_judged) == (len(strangers), len(kept) - len(strangers))
    assert wanted.items() <= outcomes(request.output).items()
    assert len(rows_of(request.output)) == len(wanted) + len(strangers)


@pytest.mark.parametrize("more", [(), ("--samples-per-container", "4")], ids=["strict", "recycled"])
def test_after_a_kill_every_sample_has_one_verdict_in_each_world(
    specific_bench_folder: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    programs = [f"import time\ntime.sleep(0.3 + {n} * 1e-6)\n{SIZE.solution}" for n in range(6)]
    samples, output = tmp_path / "unedited.jsonl", tmp_path / "baseline.jsonl"
    write_rows(samples, ({"task_id": "size", "solution": program} for program in programs))
    edited = write_edited(tmp_path / "rome.jsonl", ("size", ["len"]), ("size", ["sum"]), ("size", []))
    command = [sys.executable, "-m", "edittool.cli", "judge", specific_bench_folder, samples, "-o", output]
    command += ["--worlds-of", edited, "--json", *more]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ) as process:
        deadline = time.monotonic() + 60
        while not output.exists() or output.read_bytes().count(b"\n") < 2:
            assert time.monotonic() < deadline, "no verdict within a minute"
            time.sleep(0.02)
        process.kill()
    assert process.returncode == -9
    whole = output.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["already_judged"] == kept.count(b"\n") < 18
    assert output.read_bytes().startswith(kept)
    worlds = {(): "passed", ("len",): "failed", ("sum",): "passed"}
    assert outcomes(output) == {("size", n, world): found for n in range(6) for world, found in worlds.items()}
