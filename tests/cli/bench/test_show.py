"""`edittool bench show` as a person meets it."""

import json
import os
import subprocess

import pytest

from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

from ..command import COMMAND


def words(text):
    return [line.split() for line in text.splitlines()]


def test_the_tables(edittool, built):
    code, out, err = edittool("bench", "show", built)
    shown = words(out)
    assert (code, err) == (0, "")
    assert shown[0][:3] == ["mbpp-main:", "12", "problems"]
    assert shown[1] == ["sha256", Bench.load(built).digest()]
    heading = shown.index(["kind", "of", "API", "changes", "rel.", "gen."])
    assert [row[:2] for row in shown[heading + 1 : heading + 3]] == [["builtin_function", "2"], ["builtin_method", "1"]]
    assert sum(int(count) for row in shown[heading + 1 : heading + 3] for count in row[2:]) == 10
    assert any(row[:3] == ["str.split", "my_str_split", "function"] for row in shown)
    assert ["certified", "holds", "violated", "unknown", "unchecked"] in shown
    assert ["reference_passes", "12", "0", "0", "0"] in shown
    assert ["rename_fails", "10", "0", "0", "0"] in shown


def test_a_benchmark_that_nobody_certified(edittool):
    code, out, _ = edittool("bench", "show", "builtin")
    shown = words(out)
    assert code == 0
    assert shown[0][:3] == ["builtin:", "60", "problems"]
    assert ["zip", "my_builtin_zip", "packed", "2", "1"] in shown
    assert "no certification is recorded: `edittool bench verify` makes one" in out
    assert "reference_passes" not in out


def test_long_names_are_never_cut(edittool, tmp_path):
    name, replacement = "collections.Counter.most_common", "my_collections_Counter_most_common"
    change = Change(name, name, replacement, "keyword_only", f"{replacement}(*, n)", f"def {replacement}(): ...\n", "")
    problem = Problem("T/0", "", "f", "def f(): ...\n", (Test("", "f()"),), "reliability", name)
    write_bench(tmp_path / "b", "long", [problem], [change])
    _, out, _ = edittool("bench", "show", tmp_path / "b")
    assert [name, replacement, "keyword_only", "1", "0"] in words(out)


def test_json(edittool, built):
    code, out, _ = edittool("bench", "show", built, "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["sha256"] == Bench.load(built).digest()
    assert shown["manifest"]["counts"]["problems"] == 12
    assert [change["change_id"] for change in shown["changes"]] == ["sorted", "str.split", "sum"]
    assert sum(sum(change["problems"].values()) for change in shown["changes"]) == 10


def test_what_was_left_out(edittool, built):
    code, out, err = edittool("bench", "show", built, "--rejected")
    assert code == 0
    rejections = [line.split("\t") for line in out.splitlines()]
    assert rejections[0][:2] == ["MBPP/13", "reference_fails"]
    assert rejections[0][2].startswith("failed, AssertionError")
    assert ["len", "untouched"] in [rejection[:2] for rejection in rejections]
    assert {"reference_fails: 1 task", "untouched: 1 API"} <= set(err.splitlines())


def test_what_was_left_out_as_json(edittool, built):
    code, out, _ = edittool("bench", "show", built, "--rejected", "--json")
    rejection = json.loads(out)[0]
    assert code == 0
    assert (rejection["task_id"], rejection["change_id"], rejection["reason"]) == ("MBPP/13", None, "reference_fails")


def test_nothing_left_out(edittool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    edittool("bench", "build", "--builtin", "-o", "builtin")  # a folder of that name is not what `builtin` means
    (tmp_path / "builtin" / "rejected.jsonl").write_text("edited\n")
    code, out, err = edittool("bench", "show", "builtin", "--rejected")
    assert (code, out, err) == (0, "", "builtin: nothing was left out\n")


def test_tasks(edittool, built):
    code, out, _ = edittool("bench", "show", built, "--tasks")
    fields = [line.split("\t") for line in out.splitlines()]
    assert code == 0
    assert [task for task, _, _ in fields] == [f"MBPP/{number}" for number in range(1, 13)]
    assert fields[-1] == ["MBPP/12", "specificity", "-"]
    _, out, _ = edittool("bench", "show", built, "--tasks", "--json")
    assert [list(row.values()) for row in json.loads(out)][:-2] == fields[:-2]
    assert json.loads(out)[-1] == {"task_id": "MBPP/12", "subset": "specificity", "change_id": None}


def test_a_task_as_a_diff(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "BUILTIN/dot_product")
    lines = out.splitlines()
    assert code == 0
    assert "-    return sum(x * y for x, y in zip(a, b))" in lines
    assert "+    return sum(x * y for x, y in my_builtin_zip([a, b]))" in lines
    assert " def dot_product(a, b):" in lines
    assert "assert candidate([2], [-3]) == -6" in lines


def test_the_diff_is_coloured_on_a_terminal():
    shown = subprocess.run(
        [*COMMAND, "bench", "show", "builtin", "--task", "builtin/average"],
        capture_output=True,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1", "TERM": "xterm"},
        check=True,
    ).stdout
    assert "\x1b[31m-    return round(" in shown
    assert "\x1b[32m+    return my_builtin_round(" in shown


def test_a_task_of_specificity(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "builtin/clamp")
    assert code == 0
    assert "def clamp(value, low, high):" in out.splitlines()
    assert "@@" not in out


def test_a_task_as_json(edittool):
    code, out, _ = edittool("bench", "show", "builtin", "--task", "builtin/average", "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["problem"]["task_id"] == "builtin/average"
    assert shown["change"]["change_id"] == "round"


def test_an_unknown_task_is_named_with_its_neighbours(edittool):
    code, out, err = edittool("bench", "show", "builtin", "--task", "builtin/dotproduct")
    assert (code, out) == (2, "")
    assert "Did you mean builtin/dot_product" in err


def test_one_thing_at_a_time(edittool):
    code, out, err = edittool("bench", "show", "builtin", "--rejected", "--tasks")
    assert (code, out) == (2, "")
    assert "--task, --tasks and --rejected show different things" in err


def test_hostile_text_of_a_benchmark_is_shown_harmless(edittool, tmp_path):
    row = {
        "task_id": "HumanEval/0",
        "prompt": 'def double(x):\n    """\x1b[2J [bold]loud[/bold]"""\n',
        "entry_point": "double",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    }
    (tmp_path / "h.jsonl").write_text(json.dumps(row))
    edittool("bench", "build", "--humaneval", tmp_path / "h.jsonl", "--no-changes", "-o", tmp_path / "b")
    _, out, _ = edittool("bench", "show", tmp_path / "b", "--task", "HumanEval/0")
    assert "\x1b" not in out
    assert r"\x1b[2J [bold]loud[/bold]" in out


@pytest.mark.parametrize("command", ["show", "verify"])
class TestWhatIsNoBenchmark:
    def refuse(self, edittool, command, name):
        code, out, err = edittool("bench", command, name)
        assert (code, out) == (2, "")
        return err

    def test_another_folder(self, edittool, command, tmp_path):
        assert "is not a benchmark. `edittool bench build` makes one" in self.refuse(edittool, command, tmp_path)

    def test_no_folder(self, edittool, command, mbpp):
        for name in (mbpp, mbpp.parent / "none"):
            said = self.refuse(edittool, command, name)
            assert f"{name} is not a folder. A benchmark is a folder made by `edittool bench build`" in said

    @pytest.mark.parametrize("name", ["problems.jsonl", "changes.jsonl", "rejected.jsonl"])
    def test_a_file_that_was_edited_or_lost(self, edittool, command, tmp_path, name):
        edittool("bench", "build", "--builtin", "-o", tmp_path / "b")
        file = tmp_path / "b" / name
        file.write_bytes(file.read_bytes() + b"\n")
        said = self.refuse(edittool, command, tmp_path / "b")
        assert f"{file} is not the file that {tmp_path / 'b' / 'manifest.json'} describes: it was changed after" in said
        assert "Build the benchmark again" in said
        file.unlink()
        assert f"{file} does not exist. Build the benchmark again" in self.refuse(edittool, command, tmp_path / "b")
