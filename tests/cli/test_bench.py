"""`edittool bench` as a person meets it: output, errors and exit codes of the whole command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.cli.main import main
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Double x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 2\n",
}
MBPP = {
    "task_id": 7,
    "text": "Halve a number.",
    "code": "def halve(x):\n    return x // 2",
    "test_setup_code": "",
    "test_list": ["assert halve(4) == 2"],
}


@pytest.fixture
def edittool(monkeypatch, capsys):
    """Return a function that runs the command line and returns (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["edittool", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


@pytest.fixture
def files(tmp_path):
    (tmp_path / "humaneval.jsonl").write_text(json.dumps(HUMANEVAL))
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(MBPP))
    return tmp_path


def test_build_builtin(edittool, tmp_path):
    code, out, err = edittool("bench", "build", "--builtin", "-o", tmp_path / "b")
    assert (code, out) == (0, "")
    assert "60 problems (20 reliability, 25 generalization, 15 specificity), 15 changes" in err
    assert Bench.load(tmp_path / "b") == load_builtin()


def test_build_from_data_sets(edittool, files):
    code, _, _ = edittool(
        *("bench", "build", "--humaneval", files / "humaneval.jsonl", "--mbpp", files / "mbpp.jsonl"),
        *("--no-changes", "-o", files / "b"),
    )
    made = Bench.load(files / "b")
    assert code == 0
    assert made.name == "humaneval+mbpp"
    assert list(made.problems) == ["HumanEval/0", "MBPP/7"]
    assert [source["name"] for source in made.manifest["sources"]] == ["humaneval.jsonl", "mbpp.jsonl"]


def test_changes_on_data_sets_are_refused_and_the_remedy_named(edittool, files):
    code, out, err = edittool("bench", "build", "--humaneval", files / "humaneval.jsonl", "-o", files / "b")
    assert (code, out) == (2, "")
    assert "not there yet" in err
    assert "--no-changes" in err
    assert not (files / "b").exists()


def test_build_own_problems(edittool, tmp_path):
    builtin = load_builtin()
    for name, records in (("problems", builtin.problems), ("changes", builtin.changes)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(r.to_row()) + "\n" for r in records.values()))
    code, _, _ = edittool(
        *("bench", "build", "--problems", tmp_path / "problems.jsonl", "--changes", tmp_path / "changes.jsonl"),
        *("--name", "mine", "-o", tmp_path / "b"),
    )
    made = Bench.load(tmp_path / "b")
    assert code == 0
    assert made.name == "mine"
    assert made.digest() == builtin.digest()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to build from"),
        (["--builtin", "--no-changes"], "give it alone"),
        (["--builtin", "--mbpp", "mbpp.jsonl"], "give it alone"),
        (["--mbpp", "mbpp.jsonl", "--changes", "c.jsonl"], "--changes goes with --problems"),
        (["--problems", "p.jsonl", "--changes", "c.jsonl", "--no-changes"], "--changes goes with --problems"),
        (["--mbpp", "absent.jsonl", "--no-changes"], "absent.jsonl cannot be read"),
    ],
)
def test_build_refuses(edittool, files, monkeypatch, options, message):
    monkeypatch.chdir(files)
    code, out, err = edittool("bench", "build", *options, "-o", "b")
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not Path("b").exists()


def test_build_never_overwrites_what_is_no_benchmark(edittool, files):
    code, _, err = edittool("bench", "build", "--builtin", "-o", files)
    assert code == 2
    assert "is not empty and is not a benchmark" in err
    assert sorted(path.name for path in files.iterdir()) == ["humaneval.jsonl", "mbpp.jsonl"]


def test_show(edittool):
    code, out, err = edittool("bench", "show", "builtin")
    rows = [line.split() for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert rows[0][:3] == ["builtin:", "60", "problems"]
    assert ["zip", "my_builtin_zip", "packed", "2", "1"] in rows
    assert len(rows) == 2 + 1 + 15


def test_show_json(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["sha256"] == load_builtin().digest()
    assert shown["manifest"]["counts"]["problems"] == 60
    assert shown["changes"][0]["problems"] == {"reliability": 1, "generalization": 2}


def test_show_a_task_as_a_diff(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "BUILTIN/dot_product")
    lines = out.splitlines()
    assert code == 0
    assert "-    return sum(x * y for x, y in zip(a, b))" in lines
    assert "+    return sum(x * y for x, y in my_builtin_zip([a, b]))" in lines
    assert " def dot_product(a, b):" in lines
    assert "assert candidate([2], [-3]) == -6" in lines


def test_the_diff_is_coloured_on_a_terminal():
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"}
    command = [sys.executable, "-c", "from edittool.cli.main import main; main()"]
    shown = subprocess.run(
        [*command, "bench", "show", "builtin", "--task", "builtin/average"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    ).stdout
    assert "\x1b[31m-    return round(" in shown
    assert "\x1b[32m+    return my_builtin_round(" in shown


def test_show_a_task_of_specificity(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "builtin/clamp")
    assert code == 0
    assert "def clamp(value, low, high):" in out.splitlines()
    assert "@@" not in out


def test_show_a_task_as_json(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "builtin/average", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["problem"]["task_id"] == "builtin/average"
    assert shown["change"]["change_id"] == "round"


def test_an_unknown_task_is_named_with_its_neighbours(edittool):
    code, out, err = edittool("bench", "show", "builtin", "--task", "builtin/dotproduct")
    assert (code, out) == (2, "")
    assert "Did you mean builtin/dot_product" in err


def test_hostile_text_of_a_benchmark_is_shown_harmless(edittool, tmp_path):
    row = HUMANEVAL | {"prompt": 'def double(x):\n    """\x1b[2J [bold]loud[/bold]"""\n'}
    (tmp_path / "h.jsonl").write_text(json.dumps(row))
    edittool("bench", "build", "--humaneval", tmp_path / "h.jsonl", "--no-changes", "-o", tmp_path / "b")
    _, out, _ = edittool("bench", "show", tmp_path / "b", "--task", "HumanEval/0")
    assert "\x1b" not in out
    assert r"\x1b[2J [bold]loud[/bold]" in out


def test_verify_files_only(edittool):
    code, out, _ = edittool("bench", "verify", "builtin", "--files-only", "--json")
    assert code == 0
    assert json.loads(out) == {"bench": "builtin", "sha256": load_builtin().digest()}


def test_verify_finds_a_file_that_was_changed(edittool, tmp_path):
    edittool("bench", "build", "--builtin", "-o", tmp_path / "b")
    with (tmp_path / "b" / "problems.jsonl").open("a") as file:
        file.write("\n")
    code, _, err = edittool("bench", "verify", tmp_path / "b", "--files-only")
    assert code == 2
    assert "problems.jsonl" in err


def test_a_folder_that_is_no_benchmark(edittool, tmp_path):
    code, _, err = edittool("bench", "show", tmp_path)
    assert code == 2
    assert "edittool bench build" in err


@pytest.mark.parametrize("command", [[], ["build"], ["show"], ["verify"]])
def test_help_has_examples(edittool, command):
    code, out, _ = edittool("bench", *command, "--help")
    assert code == 0
    assert " ".join(["edittool", "bench", *command]) in out


def write_one(edittool, folder, solution, **fields):
    """Write a benchmark of one problem, whose change is sorted, and return its folder."""
    change = Change(
        *("sorted", "sorted", "my_builtin_sorted", "keyword_only", "my_builtin_sorted(*, values)"),
        "def my_builtin_sorted(*, values):\n    return sorted(values)\n",
        "Sort.",
    )
    problem = Problem(
        task_id="own/f",
        prompt="def f(xs):\n",
        entry_point="f",
        solution=f"def f(xs):\n    return {solution}\n",
        tests=(Test("", "assert candidate([2, 1]) == [1, 2]"),),
        subset="reliability",
        change_id="sorted",
        updated_solution="def f(xs):\n    return my_builtin_sorted(values=xs)\n",
        **fields,
    )
    (folder / "p.jsonl").write_text(json.dumps(problem.to_row()))
    (folder / "c.jsonl").write_text(json.dumps(change.to_row()))
    arguments = ("--problems", folder / "p.jsonl", "--changes", folder / "c.jsonl", "-o", folder / "b")
    assert edittool("bench", "build", *arguments)[0] == 0
    return folder / "b"


@pytest.mark.usefixtures("docker_client")
def test_verify_in_the_sandbox(edittool, tmp_path):
    code, out, err = edittool("bench", "verify", write_one(edittool, tmp_path, "sorted(xs)"))
    assert (code, err) == (0, "")
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["reference_passes", "1", "0"],
        ["removal_fails", "1", "0"],
        ["updated_passes", "1", "0"],
        ["all_changes_pass", "1", "0"],
        ["rename_fails", "1", "0"],
    ]


@pytest.mark.usefixtures("docker_client")
def test_verify_finds_a_wrong_problem(edittool, tmp_path):
    code, out, err = edittool("bench", "verify", write_one(edittool, tmp_path, "xs[::-1]"))
    assert code == 2
    assert "violated: own/f, removal_fails: passed, workaround" in out
    assert "is not certified" in err


@pytest.mark.usefixtures("docker_client")
def test_verify_json_and_what_the_sandbox_could_not_judge(edittool, tmp_path):
    bench = write_one(edittool, tmp_path, "sorted(xs)", helpers="1 / 0")
    code, out, _ = edittool("bench", "verify", bench, "--json")
    certificate = json.loads(out)
    assert code == 1
    assert certificate["holds"] is False
    assert {check["state"] for check in certificate["checks"]} == {"unknown"}
