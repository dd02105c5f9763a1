import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError
from edittool.schemas.problems import Problem, Test
from edittool.schemas.rejections import Rejection

CHANGE = Change("len", "len", "my_len", "renamed", "my_len(value)", "my_len = len\n", "Length.", order=0)
FIRST = Problem("MBPP/2", "", "f", "def f(x): return len(x)\n", (Test("", "f('')"),), "reliability", "len", opaque=True)
SECOND = replace(FIRST, task_id="HumanEval/0", subset="specificity", change_id=None, opaque=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bench(tmp_path / "bench", "small", [FIRST, SECOND], [CHANGE], seed=7)
    return tmp_path / "bench"


def refuse(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        Bench.load(folder)
    return str(caught.value)


def test_comes_back_as_it_was_written(folder):
    bench = Bench.load(folder)
    assert bench.problems == {"MBPP/2": FIRST, "HumanEval/0": SECOND}
    assert bench.changes == {"len": CHANGE}
    assert (bench.name, bench.manifest["seed"]) == ("small", 7)
    assert bench.manifest["counts"] == {
        "problems": 2,
        "changes": 1,
        "reliability": 1,
        "generalization": 0,
        "specificity": 1,
    }


def test_the_same_input_gives_the_same_bytes(folder, tmp_path):
    write_bench(tmp_path / "again", "small", iter([FIRST, SECOND]), iter([CHANGE]), seed=7)
    names = sorted(os.listdir(folder))
    assert names == ["changes.jsonl", "manifest.json", "problems.jsonl", "rejected.jsonl"]
    assert names == sorted(os.listdir(tmp_path / "again"))
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_benchmark_without_changes(tmp_path):
    bench = write_bench(tmp_path / "plain", "plain", [SECOND], [])
    assert bench.changes == {}
    assert Bench.load(tmp_path / "plain") == bench


class TestDigest:
    def test_is_that_of_the_same_benchmark_in_memory(self, folder):
        bench = Bench.load(folder)
        assert Bench("other name", bench.problems, bench.changes).digest() == bench.digest()

    def test_differs_with_a_problem_and_with_a_change(self, folder, tmp_path):
        digests = {
            Bench.load(folder).digest(),
            write_bench(tmp_path / "a", "small", [FIRST], [CHANGE]).digest(),
            write_bench(tmp_path / "b", "small", [FIRST, SECOND], [replace(CHANGE, doc="x")]).digest(),
        }
        assert len(digests) == 3


class TestFind:
    @pytest.mark.parametrize("task_id", ["MBPP/2", "Mbpp/2", "mbpp/2"])
    def test_case_does_not_count(self, folder, task_id):
        assert Bench.load(folder).find(task_id) == FIRST

    def test_an_unknown_task_is_none(self, folder):
        assert Bench.load(folder).find("MBPP/3") is None

    def test_case_counts_where_it_tells_problems_apart(self):
        upper, lower = replace(FIRST, task_id="A"), replace(FIRST, task_id="a")
        bench = Bench("b", {"A": upper, "a": lower}, {})
        assert (bench.find("A"), bench.find("a")) == (upper, lower)
        ambiguous = Bench("b", {"AB": upper, "ab": lower}, {})
        assert ambiguous.find("Ab") is None

    def test_a_number_is_the_task_that_ends_with_it(self, folder):
        bench = Bench.load(folder)
        assert bench.find("2") == FIRST
        assert bench.candidates("2") == ()

    def test_a_number_of_a_task_that_was_left_out_is_nobody_elses(self, tmp_path):
        left_out = Rejection("HumanEval/2", None, "reference_fails", "seen")
        bench = write_bench(tmp_path / "bench", "b", [FIRST], [CHANGE], rejections=[left_out])
        assert bench.find("2") is None
        assert bench.candidates("2") == ("HumanEval/2", "MBPP/2")
        assert bench.rejection("humaneval/2") == left_out
        assert bench.rejection("MBPP/2") is None
        assert bench.rejection("MBPP/3") is None


class TestRefusal:
    def test_no_folder(self, tmp_path):
        assert "is not a folder. A benchmark is a folder made by `edittool bench build`" in refuse(tmp_path / "none")

    def test_no_benchmark(self, tmp_path):
        assert f"{tmp_path} is not a benchmark. `edittool bench build` makes one" in refuse(tmp_path)

    @pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"name": NaN}'])
    def test_a_manifest_that_is_not_json(self, folder, content):
        (folder / "manifest.json").write_bytes(content)
        assert "manifest.json cannot be read as JSON" in refuse(folder)

    @pytest.mark.parametrize("content", ["[]", "3"])
    def test_a_manifest_that_is_no_object(self, folder, content):
        (folder / "manifest.json").write_text(content)
        assert "a JSON object is needed" in refuse(folder)

    def test_a_manifest_of_another_version(self, folder):
        path = folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 2}))
        assert 'field "schema_version" must be 1, not 2' in refuse(folder)

    @pytest.mark.parametrize("name", ["problems.jsonl", "changes.jsonl"])
    def test_a_tampered_file_is_named(self, folder, name):
        with (folder / name).open("a") as file:
            file.write("\n")
        message = refuse(folder)
        assert message.startswith(f"{folder / name} is not the file that {folder / 'manifest.json'} describes")
        assert "Build the benchmark again" in message

    @pytest.mark.parametrize("name", ["problems.jsonl", "changes.jsonl"])
    def test_a_missing_file_is_named(self, folder, name):
        (folder / name).unlink()
        assert refuse(folder) == f"{folder / name} does not exist. Build the benchmark again."

    def test_a_folder_in_place_of_a_file(self, folder):
        (folder / "problems.jsonl").unlink()
        (folder / "problems.jsonl").mkdir()
        assert "problems.jsonl cannot be read: Is a directory" in refuse(folder)


class TestWriting:
    def test_an_unknown_change_is_named(self, tmp_path):
        with pytest.raises(
            InputError, match=r"problems\.jsonl, line 2: .* names 'len', which is not in changes\.jsonl"
        ):
            write_bench(tmp_path / "b", "b", [SECOND, FIRST], [])

    def test_a_task_twice_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"problems\.jsonl, line 2: the task 'MBPP/2' stands twice"):
            write_bench(tmp_path / "b", "b", [FIRST, FIRST], [CHANGE])

    def test_a_change_twice_is_named(self, tmp_path):
        with pytest.raises(InputError, match=r"changes\.jsonl, line 2: the change 'len' stands twice"):
            write_bench(tmp_path / "b", "b", [FIRST], [CHANGE, CHANGE])

    def test_no_problem_at_all(self, tmp_path):
        with pytest.raises(InputError, match=r"problems\.jsonl is empty"):
            write_bench(tmp_path / "b", "b", [], [])

    def test_a_file_in_the_way(self, tmp_path):
        (tmp_path / "b").touch()
        with pytest.raises(InputError, match="is a file; a benchmark is a folder"):
            write_bench(tmp_path / "b", "b", [FIRST], [CHANGE])

    def test_a_place_that_cannot_be_made(self, tmp_path):
        (tmp_path / "b").touch()
        with pytest.raises(InputError, match="b is a file; a benchmark is a folder"):
            write_bench(tmp_path / "b" / "c", "b", [FIRST], [CHANGE])
