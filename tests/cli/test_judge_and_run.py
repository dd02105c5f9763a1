"""`judge` and `run` as a user types them: what they print, and how they end."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER

pytestmark = pytest.mark.usefixtures("docker_client")

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


# The worlds of other files

OTHERS = [problem for problem in load_builtin().problems.values() if problem.change_id is None]


def write_file(path: Path, *rows: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_judge_takes_worlds_from_several_files_and_says_what_it_left_out(tmp_path: Path) -> None:
    there, missing = OTHERS[:2]
    tasks = (there, there, missing, PROBLEM)
    unedited = write_file(
        tmp_path / "unedited.jsonl",
        *({"task_id": problem.task_id, "solution": problem.solution, "active_changes": []} for problem in tasks),
    )
    edited = {"task_id": there.task_id, "solution": "x = 1\n", "active_changes": ["sorted"]}
    rome = write_file(tmp_path / "rome.jsonl", edited, {"task_id": PROBLEM.task_id, "solution": "x = 1\n"})
    memit, output = tmp_path / "memit.verdicts.jsonl", tmp_path / "baseline.jsonl"
    batch = write_file(tmp_path / "memit.jsonl", edited | {"active_changes": []})
    assert edittool("judge", "builtin", batch, "-o", str(memit)).returncode == 0
    command = ("judge", "builtin", unedited, "-o", str(output), "--worlds-of", rome, "--worlds-of", str(memit))
    for counted in (5, 0):
        done = edittool(*command)
        assert done.returncode == 0, done.stderr
        told = "1 samples are of problems that the files of --worlds-of do not have: left out"
        assert told in done.stderr.splitlines()
        assert ("5 samples are judged already" in done.stderr.splitlines()) == (counted == 0)
    judged = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert sorted((row["task_id"], row["sample_index"], row["active_changes"]) for row in judged) == sorted(
        [(there.task_id, n, world) for n in (0, 1) for world in ([], ["sorted"])] + [(PROBLEM.task_id, 0, ["sorted"])]
    )


def test_judge_says_nothing_of_samples_left_out_where_there_are_none(tmp_path: Path) -> None:
    samples = write_file(tmp_path / "samples.jsonl", {"task_id": PROBLEM.task_id, "solution": PROBLEM.solution})
    for name, *more in (("a",), ("b", "--worlds-of", samples)):
        done = edittool("judge", "builtin", samples, "-o", str(tmp_path / name), *more)
        assert done.returncode == 0, done.stderr
        assert "left out" not in done.stderr


@pytest.mark.parametrize("world", ["sample", "none"])
def test_worlds_of_and_world_exclude_each_other(tmp_path: Path, world: str) -> None:
    samples = write_file(tmp_path / "samples.jsonl", {"task_id": PROBLEM.task_id, "solution": PROBLEM.solution})
    output = tmp_path / "verdicts.jsonl"
    done = edittool("judge", "builtin", samples, "-o", str(output), "--worlds-of", samples, "--world", world)
    assert done.returncode == 2
    assert "--worlds-of and --world both choose the worlds: give one of them." in done.stderr
    assert not output.exists()


def test_limits_on_time_that_contradict_each_other_or_what_was_judged_are_named(tmp_path: Path) -> None:
    samples = write_file(tmp_path / "samples.jsonl", {"task_id": PROBLEM.task_id, "solution": PROBLEM.solution})
    output = tmp_path / "verdicts.jsonl"
    command = ("judge", "builtin", samples, "-o", str(output))
    done = edittool(*command, "--cpu-seconds", "4", "--total-cpu-seconds", "2")
    assert done.returncode == 2
    assert "--total-cpu-seconds 2 is less than --cpu-seconds 4" in done.stderr
    assert not output.exists()
    assert edittool(*command).returncode == 0
    [row] = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    del row["limits"]["total_cpu_seconds"]  # as verdicts of an earlier version are
    write_file(output, row)
    done = edittool(*command, "--cpu-seconds", "4")
    assert done.returncode == 2
    assert "other limits (cpu_seconds: 3.0 then, 4.0 now; total_cpu_seconds: none then, 40.0 now)" in done.stderr


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ('{"task_id": ', "line 7, column 13: broken JSON"),
        ('{"task_id": "nowhere/1", "solution": ""}', 'line 7: field "task_id" names a problem'),
        (
            json.dumps({"task_id": PROBLEM.task_id, "solution": "", "active_changes": ["nothing"]}),
            "line 7: field \"active_changes\" names 'nothing'",
        ),
        (None, "does not exist. Check the path."),
    ],
    ids=["broken", "unknown task", "unknown change", "missing"],
)
def test_a_bad_file_of_worlds_stops_before_anything_is_judged(tmp_path: Path, last: str | None, message: str) -> None:
    sample = {"task_id": PROBLEM.task_id, "solution": PROBLEM.solution}
    samples, edited = write_file(tmp_path / "samples.jsonl", sample), tmp_path / "rome.jsonl"
    if last is not None:
        edited.write_text((json.dumps(sample) + "\n") * 6 + last + "\n", encoding="utf-8")
    output = tmp_path / "verdicts.jsonl"
    done = edittool("judge", "builtin", samples, "-o", str(output), "--worlds-of", samples, "--worlds-of", str(edited))
    assert done.returncode == 2
    assert str(edited) in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not output.exists()


# Several samples to a container

PROGRAMS = (
    PROBLEM.solution,
    PROBLEM.updated_solution,
    "def f(:\n",
    "raise ValueError\n",
    "import os\nos._exit(0)\n",
    f"{PROBLEM.updated_solution}\nprint('once more')\n",
)
# What the program did; nothing of how long that took, or where.
FACTS = ("outcome", "label", "label_detail", "stage", "compiles", "tests", "error", "calls", "output")


def judge(folder: Path, programs: Sequence[str], *more: str) -> Path:
    """Run `programs`, but those that the file of verdicts in `folder` holds already, and return that file."""
    samples, verdicts = folder / "samples.jsonl", folder / "verdicts.jsonl"
    rows = [{"task_id": PROBLEM.task_id, "solution": program} for program in programs]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = edittool("judge", "builtin", str(samples), "-o", str(verdicts), "--no-cache", *more)
    assert done.returncode == 0, done.stderr
    return verdicts


def read(verdicts: Path) -> dict[str, dict[str, Any]]:
    """Return the verdicts by sample; each sample has one."""
    rows = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    by_sample = {row["sample_id"]: row for row in rows}
    assert len(by_sample) == len(rows)
    return by_sample


def facts(verdicts: Path) -> dict[str, dict[str, Any]]:
    return {sample: {name: row.get(name) for name in FACTS} for sample, row in read(verdicts).items()}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the verdicts of PROGRAMS, each from a container of its own."""
    return judge(tmp_path_factory.mktemp("strict"), PROGRAMS)


@pytest.mark.parametrize("number", [2, MAX_JOBS_PER_CONTAINER])
def test_shared_containers_change_how_a_verdict_was_made_and_not_what_it_says(
    strict: Path, tmp_path: Path, number: int
) -> None:
    recycled = judge(tmp_path, PROGRAMS, "--samples-per-container", str(number))
    assert {row["isolation"] for row in read(strict).values()} == {"container"}
    assert {row["isolation"] for row in read(recycled).values()} == {"recycled"}
    assert facts(recycled) == facts(strict)
    outcomes = Counter(row["outcome"] for row in read(strict).values())
    assert outcomes == {"failed": 1, "passed": 2, "syntax_error": 1, "load_error": 1, "crashed": 1}


def test_what_was_judged_alone_stays_when_the_rest_shares_containers(strict: Path, tmp_path: Path) -> None:
    half = len(PROGRAMS) // 2
    before = judge(tmp_path, PROGRAMS[:half]).read_bytes()
    mixed = judge(tmp_path, PROGRAMS, "--samples-per-container", "2")
    assert mixed.read_bytes().startswith(before)
    made = [row["isolation"] for row in read(mixed).values()]
    assert made == ["container"] * half + ["recycled"] * (len(PROGRAMS) - half)
    assert facts(mixed) == facts(strict)


@pytest.mark.parametrize("number", [0, MAX_JOBS_PER_CONTAINER + 1, 1000])
def test_a_container_takes_no_other_number_of_samples(tmp_path: Path, number: int) -> None:
    samples, verdicts = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    samples.write_text(json.dumps({"task_id": PROBLEM.task_id, "solution": "x = 1"}), encoding="utf-8")
    done = edittool("judge", "builtin", str(samples), "-o", str(verdicts), "--samples-per-container", str(number))
    assert done.returncode == 2
    assert f"{number} is not in the range 1<=x<={MAX_JOBS_PER_CONTAINER}" in done.stderr
    assert not verdicts.exists()
