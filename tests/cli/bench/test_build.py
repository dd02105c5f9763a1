"""`edittool bench build` as a person meets it: what it makes, and what it says of wrong input."""

import json
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.cli.bench.build import build as build_command
from edittool.schemas.bench import Bench

from ..command import run
from ..small_data_set import contents, rows, write_jsonl

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Double x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 2\n",
}
SHIM = "def my_builtin_sorted(*, values):\n    return sorted(values)\n"
CHANGE = {"deprecated": "sorted", "replacement": "my_builtin_sorted", "shim": SHIM}
FULL_CHANGE = {
    **CHANGE,
    "change_id": "sorted",
    "usage": "keyword_only",
    "signature": "my_builtin_sorted(*, values)",
    "doc": "Sort.",
}
OWN = {
    "task_id": "own/ascending",
    "prompt": "def f(xs):\n",
    "entry_point": "f",
    "solution": "def f(xs):\n    return sorted(xs)\n",
    "tests": [{"setup": "", "code": "assert candidate([2, 1]) == [1, 2]"}],
    "subset": "reliability",
    "change_id": "sorted",
    "updated_solution": "def f(xs):\n    return my_builtin_sorted(values=xs)\n",
}


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write own problems and an own change of theirs, and work in their folder."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "problems.jsonl", [OWN])
    write_jsonl(tmp_path / "changes.jsonl", [FULL_CHANGE])
    return tmp_path


def in_one_line(text):
    return " ".join(text.split())


class TestWhatIsMade:
    def test_certified_changes_of_a_data_set(self, built):
        made = Bench.load(built)
        assert made.name == "mbpp-main"
        assert set(made.changes) == {"sorted", "str.split", "sum"}
        assert Counter(problem.subset for problem in made.problems.values())["specificity"] == 2
        assert {change.usage for change in made.changes.values()}.isdisjoint({"renamed"})
        conditions = made.manifest["certification"]["conditions"]
        assert conditions["reference_passes"]["holds"] == len(made.problems) == 12
        assert conditions["removal_fails"]["holds"] == conditions["rename_fails"]["holds"] == 10
        assert all(states["violated"] == states["unknown"] == 0 for states in conditions.values())

    def test_nothing_but_the_benchmark_is_left_in_its_folder(self, built):
        assert sorted(contents(built)) == ["changes.jsonl", "manifest.json", "problems.jsonl", "rejected.jsonl"]

    @pytest.mark.usefixtures("docker_client")
    def test_only_the_apis_that_were_asked_for(self, edittool, mbpp, tmp_path):
        output = tmp_path / "a folder"
        code, out, err = edittool("bench", "build", "--mbpp", mbpp, "--apis", "sum, sorted", "-o", output)
        made = Bench.load(output)
        assert (code, out) == (0, "")
        assert list(made.changes) == ["sorted", "sum"]
        assert made.manifest["certification"]["plan"]["apis"] == ["sorted", "sum"]
        assert f"left out: 1 task; why: edittool bench show '{output}' --rejected" in err
        assert f"next: edittool bench show '{output}'" in err

    def test_builtin(self, edittool, tmp_path):
        code, out, err = edittool("bench", "build", "--builtin", "-o", tmp_path / "b")
        assert (code, out) == (0, "")
        assert "60 problems (20 reliability, 25 generalization, 15 specificity), 15 changes" in err
        assert "next: edittool bench verify" in err
        assert Bench.load(tmp_path / "b") == load_builtin()

    def test_ordinary_problems_of_several_data_sets(self, edittool, mbpp, tmp_path):
        humaneval = write_jsonl(tmp_path / "humaneval.jsonl", [HUMANEVAL])
        data_sets = ("--humaneval", humaneval, "--mbpp", mbpp)
        code, _, _ = edittool("bench", "build", *data_sets, "--no-changes", "-o", tmp_path / "b")
        made = Bench.load(tmp_path / "b")
        assert code == 0
        assert made.name == "humaneval+mbpp"
        assert list(made.problems) == ["HumanEval/0", *(f"MBPP/{row['task_id']}" for row in rows())]
        assert [source["name"] for source in made.manifest["sources"]] == ["humaneval.jsonl", "mbpp.jsonl"]

    def test_own_changes_as_they_are(self, edittool, tmp_path):
        builtin = load_builtin()
        for name, records in (("problems", builtin.problems), ("changes", builtin.changes)):
            write_jsonl(tmp_path / f"{name}.jsonl", [record.to_row() for record in records.values()])
        own = ("--problems", tmp_path / "problems.jsonl", "--changes", tmp_path / "changes.jsonl")
        code, _, err = edittool("bench", "build", *own, "--no-certify", "--name", "mine", "-o", tmp_path / "b")
        made = Bench.load(tmp_path / "b")
        assert code == 0
        assert (made.name, made.digest()) == ("mine", builtin.digest())
        assert made.manifest["certification"] is None
        assert "next: edittool bench verify" in err


@pytest.mark.usefixtures("docker_client")
class TestOwnChangesAreCertified:
    BUILD = ("bench", "build", "--problems", "problems.jsonl", "--changes", "changes.jsonl", "-o", "b")

    def test_what_holds_is_kept(self, edittool, own):
        assert edittool(*self.BUILD)[0] == 0
        made = Bench.load(own / "b")
        assert list(made.problems) == ["own/ascending"]
        conditions = made.manifest["certification"]["conditions"]
        assert [states["holds"] for states in conditions.values()] == [1, 1, 1, 1, 1]

    def test_what_does_not_is_left_out_and_the_reason_shown(self, edittool, own):
        around = OWN | {"task_id": "own/around", "solution": "def f(xs):\n    xs.sort()\n    return xs\n"}
        write_jsonl(own / "problems.jsonl", [OWN, around])
        code, _, err = edittool(*self.BUILD)
        assert code == 0
        assert "1 problems (1 reliability" in err
        _, out, _ = edittool("bench", "show", "b", "--rejected")
        assert out.startswith("own/around\tremoval_fails\tpassed, workaround")

    def test_without_any_that_holds_there_is_no_benchmark(self, edittool, own):
        write_jsonl(own / "problems.jsonl", [OWN | {"solution": "def f(xs):\n    return xs[::-1]\n"}])
        code, _, err = edittool(*self.BUILD)
        assert code == 2
        assert "no problem can be certified. own/ascending, removal_fails: passed, workaround" in err
        assert not (own / "b" / "manifest.json").exists()

    def test_a_shim_that_cannot_be_loaded(self, edittool, own):
        write_jsonl(own / "changes.jsonl", [FULL_CHANGE | {"shim": f"import boltons\n{SHIM}"}])
        code, _, err = edittool(*self.BUILD)
        assert code == 3
        assert "No module named 'boltons'" in err
        assert "edittool image build --package" in err
        assert not (own / "b").exists()


def with_line_7(text):
    lines = [json.dumps(row) for row in rows()]
    lines[6] = text
    return "\n".join(lines)


def without(row, field):
    return {name: value for name, value in row.items() if name != field}


class TestBrokenFiles:
    """Each is refused with its file, line and field, before anything is written or Docker is asked for anything."""

    @pytest.fixture(autouse=True)
    def _no_docker(self, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")

    def refuse(self, edittool, folder, *options):
        before = contents(folder)
        code, out, err = edittool("bench", "build", *options, "-o", folder / "bench")
        assert (code, out) == (2, "")
        assert contents(folder) == before
        return err

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("task_id,text,code\n1,Sort.,pass\n", "mbpp.jsonl, line 1: not a line of JSON .* it looks like CSV"),
            (with_line_7('{"task_id": 7, "text"'), "mbpp.jsonl, line 7: not a line of JSON"),
            (with_line_7(json.dumps(without(rows()[6], "test_list"))), 'line 7: field "test_list" is missing'),
            (with_line_7(json.dumps(rows()[6] | {"test_list": []})), 'line 7: field "test_list" must be a list'),
            (with_line_7(json.dumps(rows()[0])), "line 7: task_id 1 stands on line 1 already. Remove one"),
            ("", "mbpp.jsonl is empty. Give the JSONL file of MBPP"),
            (json.dumps(HUMANEVAL), "line 1: this looks like HumanEval, not MBPP .* Give it with --humaneval"),
        ],
    )
    def test_data_sets(self, edittool, tmp_path, text, message):
        (tmp_path / "mbpp.jsonl").write_text(text)
        assert re.search(message, self.refuse(edittool, tmp_path, "--mbpp", tmp_path / "mbpp.jsonl"))

    def test_a_file_that_is_not_there(self, edittool, tmp_path):
        said = self.refuse(edittool, tmp_path, "--mbpp", tmp_path / "none.jsonl")
        assert "none.jsonl cannot be read (No such file or directory)" in said

    def test_one_task_in_two_files(self, edittool, mbpp, own):
        write_jsonl(own / "problems.jsonl", [OWN | {"task_id": "MBPP/1", "subset": "specificity", "change_id": None}])
        said = self.refuse(edittool, own, "--mbpp", mbpp, "--problems", "problems.jsonl")
        assert "the task 'MBPP/1' stands twice in what you gave. Remove one." in said

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"shim": "def my_builtin_sorted(:\n"}, 'changes.jsonl, line 1: field "shim" is not Python'),
            ({"deprecated": "str.spilt"}, "line 1: field \"deprecated\": there is no API called 'str.spilt'"),
            ({"deprecated": "str.spilt"}, "did you mean str.split"),
            ({"usage": "shuffled"}, 'line 1: field "usage" must be one of'),
        ],
    )
    def test_own_changes(self, edittool, own, change, message):
        write_jsonl(own / "changes.jsonl", [FULL_CHANGE | change])
        assert message in self.refuse(edittool, own, "--problems", "problems.jsonl", "--changes", "changes.jsonl")

    def test_own_problems_without_the_changes_that_they_name(self, edittool, own):
        said = self.refuse(edittool, own, "--problems", "problems.jsonl")
        assert "line 1: field \"change_id\" names 'sorted', which no change has. Give the file of changes" in said


class TestApis:
    @pytest.mark.parametrize(
        ("apis", "message"),
        [
            ("sorted,sortde", "there is no API called 'sortde': .* did you mean sorted"),
            ("str.spilt", "'str' has no attribute 'spilt'; did you mean str.split"),
            ("ValueError", "ValueError cannot be changed: programs catch and raise exceptions"),
            ("typing.List", "typing.List cannot be changed: it describes types"),
            ("super", "super cannot be changed: it looks at the frame of its caller"),
            ("sorted(xs)", "is no name of an API: write it like len, math.sqrt or str.split"),
            ("collections.Counter.items", "'collections.Counter.items' is defined as 'dict.items': ask for that one"),
            (" , ", "--apis names no API: give names like sorted"),
        ],
    )
    def test_that_cannot_be_had_are_refused_before_anything_runs(
        self, edittool, mbpp, tmp_path, monkeypatch, apis, message
    ):
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
        code, out, err = edittool("bench", "build", "--mbpp", mbpp, "--apis", apis, "-o", tmp_path / "b")
        assert (code, out) == (2, "")
        assert re.search(message, in_one_line(err))
        assert not (tmp_path / "b").exists()

    @pytest.mark.usefixtures("docker_client")
    def test_that_are_not_used(self, edittool, mbpp, tmp_path):
        """What the references showed is kept for the corrected command, which does not run them again."""
        apis = "sum,math.sqrt,bisect.insort"
        code, _, err = edittool("bench", "build", "--mbpp", mbpp, "--apis", apis, "-o", tmp_path / "b")
        assert code == 2
        assert "no problem uses bisect.insort, math.sqrt." in err
        assert list(contents(tmp_path / "b")) == [".building.jsonl"]


class TestWhereItIsWritten:
    def test_never_over_what_is_no_benchmark(self, edittool, mbpp, tmp_path):
        before = contents(tmp_path)
        for source in (("--builtin",), ("--mbpp", mbpp, "--no-changes"), ("--mbpp", mbpp)):
            code, _, err = edittool("bench", "build", *source, "-o", tmp_path)
            assert code == 2
            assert "is not empty and is not a benchmark. Choose another folder" in err
            assert contents(tmp_path) == before

    def test_never_over_a_file(self, edittool, mbpp):
        before = mbpp.read_bytes()
        code, _, err = edittool("bench", "build", "--mbpp", mbpp, "-o", mbpp)
        assert code == 2
        assert "mbpp.jsonl is a file; a benchmark is a folder. Choose another name" in err
        assert mbpp.read_bytes() == before


@pytest.mark.slow  # five benchmarks, four of them certified
@pytest.mark.usefixtures("docker_client")
def test_the_examples_of_the_help_work(edittool, mbpp, own):
    """Each of them in turn, in a folder that has the files they name."""
    write_jsonl(own / "HumanEval.jsonl", [HUMANEVAL])
    for name, row in (("problems", OWN), ("changes", CHANGE)):
        (own / f"{name}.yaml").write_text(json.dumps([row]))  # JSON is YAML
    examples = re.findall(r"^ *edittool (bench build .*)", build_command.help or "", re.MULTILINE)
    for example in examples:
        code, _, err = edittool(*shlex.split(example))
        assert code == 0, err
    assert set(Bench.load(own / "three").changes) == {"sorted", "str.split", "sum"}
    assert "len" in Bench.load(own / "full").changes
    assert len({example.rpartition(" -o ")[2] for example in examples}) == len(examples) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Nothing to build from"),
        (["--builtin", "--no-changes"], "give it alone"),
        (["--builtin", "--mbpp", "m"], "give it alone"),
        (["--builtin", "--apis", "sum", "--seed", "0"], "--apis, --seed say how changes are made, and with --builtin"),
        (["--mbpp", "m", "--no-changes", "--preset", "main"], "--preset say how changes are made, and with --no-ch"),
        (["--problems", "p", "--changes", "c", "--min-problems", "2"], "--min-problems say how changes are made"),
        (["--mbpp", "m", "--changes", "c"], "--changes goes with --problems"),
        (["--problems", "p", "--changes", "c", "--no-changes"], "--changes goes with --problems"),
        (["--mbpp", "m", "--no-certify"], "changes that are made here are always certified"),
        (["--mbpp", "m", "--min-problems", "1"], "1 is not in the range x>=2"),
        (["--humaneval", "h", "--humaneval-plus", "p"], "the same problems with other tests: give one of them"),
        (["--mbpp", "m", "--mbpp-plus", "p"], "--mbpp and --mbpp-plus are the same problems"),
    ],
)
def test_options_that_do_not_go_together(edittool, tmp_path, options, message):
    code, out, err = edittool("bench", "build", *options, "-o", tmp_path / "b")
    assert (code, out) == (2, "")
    assert message in in_one_line(err)
    assert not (tmp_path / "b").exists()


def test_without_an_engine_it_says_how_to_get_one(mbpp, tmp_path):
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = run("bench", "build", "--mbpp", mbpp, "-o", tmp_path / "b", **nowhere)
    assert done.returncode == 3
    assert f"no Docker Engine at unix://{tmp_path}/none.sock: there is no such socket. To fix it:" in done.stderr
    assert not (tmp_path / "b").exists()


@pytest.mark.usefixtures("docker_client")
@pytest.mark.parametrize(("hash_seed", "workers"), [("1", "1"), ("2", "2")])
def test_the_same_bytes_whatever_the_hash_seed_and_the_workers(built, tmp_path, hash_seed, workers):
    mbpp = write_jsonl(tmp_path / "mbpp.jsonl", rows())
    command = ("bench", "build", "--mbpp", mbpp, "--workers", workers, "-o", tmp_path / "b")
    done = run(*command, PYTHONHASHSEED=hash_seed)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "b") == contents(Path(built))
