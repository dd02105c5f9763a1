"""Writing a benchmark's folder: the same bytes each time, and never over anything else."""

from hashlib import sha256

import pytest

from edittool.benchmark.build import build_bench
from edittool.benchmark.builtin import CHANGES, PROBLEMS
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_input_same_bytes(tmp_path):
    build_bench(tmp_path / "a", "own", PROBLEMS, CHANGES)
    build_bench(tmp_path / "b", "own", PROBLEMS, CHANGES)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_sources_are_recorded_by_name_and_hash(tmp_path):
    source = tmp_path / "problems.jsonl"
    source.write_bytes(b"anything")
    made = build_bench(tmp_path / "a", "own", PROBLEMS, CHANGES, [source])
    assert made.manifest["sources"] == [{"name": "problems.jsonl", "sha256": sha256(b"anything").hexdigest()}]


def test_a_benchmark_is_replaced(tmp_path):
    build_bench(tmp_path, "old", PROBLEMS, CHANGES)
    build_bench(tmp_path, "new", PROBLEMS[-1:], [])
    made = Bench.load(tmp_path)
    assert made.name == "new"
    assert list(made.problems) == [PROBLEMS[-1].task_id]
    assert made.changes == {}


@pytest.mark.parametrize(
    "files",
    [
        {"notes.txt": "mine"},
        {"problems.jsonl": "{}"},
        {"manifest.json": '{"name": "an extension", "manifest_version": 3}'},
        {"manifest.json": "[", "problems.jsonl": "", "changes.jsonl": ""},
        {"manifest.json": "[]", "problems.jsonl": "", "changes.jsonl": ""},
    ],
)
def test_nothing_else_is_overwritten(tmp_path, files):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="is not empty and is not a benchmark"):
        build_bench(tmp_path, "own", PROBLEMS, CHANGES)
    assert contents(tmp_path) == before


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        build_bench(tmp_path / "file", "own", PROBLEMS, CHANGES)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_task_that_stands_twice_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match=PROBLEMS[0].task_id):
        build_bench(tmp_path / "a", "own", [*PROBLEMS, PROBLEMS[0]], CHANGES)
    assert not (tmp_path / "a").exists()
