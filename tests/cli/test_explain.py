"""`explain` as a user types it, on verdicts of programs that ran in the sandbox."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from edittool.judging.judge import Request, judge
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.jsonl import write_rows
from edittool.schemas.problems import Problem, Test

from ..judging.conftest import LENGTH
from .command import COMMAND

PROMPT = "def count(items):\n"
OLD, NEW, ILL_CALLED, UNPARSABLE, HOSTILE, SPECIFIC = range(6)
SAMPLES = (
    {"task_id": "count", "completion": "    return len(items)\n"},
    {"task_id": "count", "completion": "    return my_builtin_len(value=items)\n"},
    {"task_id": "count", "completion": "    return my_builtin_len(items)\n"},
    {"task_id": "count", "solution": "def count(items):\n    x = '\x1b[2J' +\n    return len(items)\n"},
    {
        "task_id": "count",
        "sample_index": 4,
        "model": "m\x1b[2J\n[bold]m[/bold]",
        "solution": (
            "# \x1b]0;owned\x07\nprint('\\x1b[31m')\nraise ValueError('\\x1b[2J\\n  label         correct_adoption')\n"
        ),
    },
    {"task_id": "same", "solution": "def same(items):\n    return items\n"},
)


@pytest.fixture(scope="session")
def folder(docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a benchmark, `bench`, and the verdicts of SAMPLES, `verdicts.jsonl`. Tests only read it."""
    folder = tmp_path_factory.mktemp("explain")
    tests = (Test("", "assert candidate([]) == 0"), Test("", "assert candidate([7]) == 1"))
    count = Problem("count", PROMPT, "count", f"{PROMPT}    return len(items)\n", tests, "reliability", "len")
    same = Problem("same", "", "same", "same = abs\n", (Test("", "assert candidate(1) == 1"),), "specificity", None)
    bench = write_bench(folder / "bench", "counting", [count, same], [LENGTH])
    write_rows(folder / "samples.jsonl", SAMPLES)
    judge(Request(bench, folder / "samples.jsonl", folder / "verdicts.jsonl"))
    return folder


@pytest.fixture
def explain(edittool, folder):
    """Return a function that explains one of SAMPLES and returns (exit code, stdout, stderr)."""

    def run(number: int, *more: str):
        task_id = SAMPLES[number]["task_id"]
        index = number if task_id == "count" else 0
        return edittool("explain", folder / "bench", folder / "verdicts.jsonl", "--sample", f"{task_id}:{index}", *more)

    return run


def test_a_use_of_the_old_api_is_marked_where_the_world_refused_it(explain):
    code, out, err = explain(OLD)
    assert (code, err) == (0, "")
    assert (
        "    2 |     return len(items)\n"
        "      ^ deprecated len: call\n"
        "      ^ error NameError: name 'len' is not defined\n"
    ) in out
    assert (
        "refused by the world\n  NameError: name 'len' is not defined (missing_name, line 2), in tests 1, 2\n"
    ) in out
    assert "  len -> my_builtin_len(*, value)  (the problem's own change)\n" in out
    assert "      Return the number of items of value.\n" in out
    assert "  outcome       failed: the program loads, and passes no test\n" in out
    assert "  compiles      no: an API unresolved or ill-called ended 2 of 2 tests\n" in out
    assert "stale_use: uses the deprecated API, and that is the first error, or one that it caught\n" in out


def test_an_adoption_says_what_made_it_one(explain):
    code, out, _ = explain(NEW)
    assert code == 0
    assert "  counted calls my_builtin_len: 2\n" in out
    assert "  label         correct_adoption: passed, and fails without what the replacement returned" in out
    assert "      ^ replacement my_builtin_len: call\n" in out
    assert "  1: passed\n      | assert candidate([]) == 0\n" in out
    assert "refused by the world" not in out
    for name in ("cpu", "limits        cpu_seconds 3.0", "image         sha256:", "isolation     container"):
        assert f"\n  {name}" in out


def test_an_ill_called_replacement_is_a_refusal(explain):
    code, out, _ = explain(ILL_CALLED)
    assert code == 0
    assert "refused by the world\n  TypeError: my_builtin_len() takes 0 positional arguments" in out
    assert "  label         misuse: " in out
    assert "wrong_arguments: uses the replacement as the deprecated API was used" in out


def test_a_program_that_does_not_parse_is_read_all_the_same(explain):
    code, out, _ = explain(UNPARSABLE)
    assert code == 0
    assert "  outcome       syntax_error: the program cannot be parsed\n" in out
    assert "      ^ error SyntaxError: " in out
    assert "      ^ deprecated len: call\n" in out
    assert "  1: did not run\n" in out
    assert "\x1b" not in out


def test_nothing_that_a_program_holds_prints_or_raises_steers_the_terminal(explain):
    code, out, _ = explain(HOSTILE)
    assert code == 0
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "  model         m\\x1b[2J\\n[bold]m[/bold]\n" in out
    assert "    1 | # \\x1b]0;owned\\x07\n" in out
    assert "printed\n      | \\x1b[31m\n" in out
    assert "ValueError: \\x1b[2J\\n  label         correct_adoption (exception, line 3)" in out
    assert not any(line.startswith("  label         correct_adoption") for line in out.splitlines())


def test_a_problem_of_no_change_has_no_label(explain):
    code, out, _ = explain(SPECIFIC)
    assert code == 0
    assert "world\n  no change is active\n" in out
    assert "  label         none: the problem belongs to no change\n" in out


def test_json_has_the_verdict_as_it_stands_and_the_reasons(explain, folder):
    code, out, err = explain(OLD, "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text().splitlines()]
    assert data["verdict"] in verdicts
    assert data["program"] == PROMPT + SAMPLES[OLD]["completion"]
    assert {"line": 2, "text": "deprecated len: call"} in data["marks"]
    assert [change["replacement"] for change in data["world"]] == ["my_builtin_len"]
    assert [test["code"] for test in data["tests"]] == ["assert candidate([]) == 0", "assert candidate([7]) == 1"]
    assert [refusal["tests"] for refusal in data["refusals"]] == [[1, 2]]
    assert data["label_because"].endswith(
        "stale_use: uses the deprecated API, and that is the first error, or one that it caught"
    )


def test_the_start_of_an_id_is_enough(edittool, folder):
    last = json.loads((folder / "verdicts.jsonl").read_text().splitlines()[-1])
    code, out, _ = edittool("explain", folder / "bench", folder / "verdicts.jsonl", "--sample", last["sample_id"][:10])
    assert code == 0
    assert f"  sample_id     {last['sample_id']}\n" in out


def test_a_task_with_several_samples_is_bad_input_and_names_them(edittool, folder):
    code, out, err = edittool("explain", folder / "bench", folder / "verdicts.jsonl", "--sample", "count")
    assert (code, out) == (2, "")
    assert "'count' means 5 verdicts" in err
    assert "and 2 more" in err


def test_an_unknown_sample_is_bad_input_with_what_is_near(edittool, folder):
    code, out, err = edittool("explain", folder / "bench", folder / "verdicts.jsonl", "--sample", "coumt")
    assert (code, out) == (2, "")
    assert "has no verdict of the sample 'coumt'" in err
    assert "Near: count." in err


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_full_disk_is_an_environment_fault(folder, form):
    arguments = ("explain", folder / "bench", folder / "verdicts.jsonl", "--sample", "same", *form)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 3
    assert "The explanation cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr


def test_another_benchmark_is_bad_input(edittool, folder, tmp_path):
    (count, *rest) = Bench.load(folder / "bench").problems.values()
    write_bench(tmp_path / "other", "other", [replace(count, prompt="# Count.\n"), *rest], [LENGTH])
    code, out, err = edittool("explain", tmp_path / "other", folder / "verdicts.jsonl", "--sample", "count:0")
    assert (code, out) == (2, "")
    assert "was judged against another benchmark than 'other'" in err
    assert "Give the benchmark that it was judged with" in err
