"""Writing a benchmark's folder: the same bytes each time, and never over anything else."""

from hashlib import sha256
from pathlib import Path

import pytest

from edittool.benchmark.build import LOG, Contents, check_unique, prepare_folder, write_contents
from edittool.benchmark.builtin import load_builtin
from edittool.schemas.bench import Bench, load_rejections
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.rejections import Rejection

BUILTIN = load_builtin()
PROBLEMS, CHANGES = list(BUILTIN.problems.values()), list(BUILTIN.changes.values())
OWN = Contents("own", PROBLEMS, CHANGES)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_input_same_bytes(tmp_path):
    write_contents(tmp_path / "a", OWN)
    write_contents(tmp_path / "b", OWN)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_all_contents_are_written(tmp_path):
    rejections = [Rejection("t/1", None, "reference_fails", "failed"), Rejection(None, "sum", "too_few_problems", "1")]
    certified = {"conditions": {"reference_passes": {"holds": 60}}, "hash_seeds": [0, 1], "image": "img"}
    made = write_contents(tmp_path, Contents("own", PROBLEMS, CHANGES, rejections, certified, 7))
    assert list(made.problems.values()) == PROBLEMS
    assert list(made.changes.values()) == CHANGES
    assert (made.name, made.manifest["certification"], made.manifest["seed"]) == ("own", certified, 7)
    assert load_rejections(tmp_path) == rejections


def test_what_was_not_certified_or_drawn_is_not_said_to_be(tmp_path):
    made = write_contents(tmp_path, OWN)
    assert (made.manifest["certification"], made.manifest["seed"]) == (None, None)
    assert load_rejections(tmp_path) == []


def test_sources_are_recorded_by_name_and_hash(tmp_path):
    source = tmp_path / "problems.jsonl"
    source.write_bytes(b"anything")
    made = write_contents(tmp_path / "a", OWN, [source])
    assert made.manifest["sources"] == [{"name": "problems.jsonl", "sha256": sha256(b"anything").hexdigest()}]


def test_a_benchmark_is_replaced(tmp_path):
    write_contents(tmp_path, OWN)
    write_contents(tmp_path, Contents("new", PROBLEMS[-1:]))
    made = Bench.load(tmp_path)
    assert made.name == "new"
    assert list(made.problems) == [PROBLEMS[-1].task_id]
    assert made.changes == {}


def test_an_unfinished_build_goes_on_in_its_folder_and_its_log_goes_when_it_is_done(tmp_path):
    log = prepare_folder(tmp_path / "new" / "bench")
    assert log == tmp_path / "new" / "bench" / LOG
    log.write_text('{"key": "a"}\n')
    assert prepare_folder(log.parent) == log
    assert log.read_text() == '{"key": "a"}\n'
    write_contents(log.parent, OWN)
    assert not log.exists()


def test_a_benchmark_stays_until_it_is_built_anew(tmp_path):
    write_contents(tmp_path, OWN)
    before = contents(tmp_path)
    prepare_folder(tmp_path).write_text('{"key": "a"}\n')
    assert contents(tmp_path) == before | {LOG: b'{"key": "a"}\n'}
    assert Bench.load(tmp_path).name == "own"


@pytest.mark.parametrize("prepare", [prepare_folder, lambda folder: write_contents(folder, OWN)])
@pytest.mark.parametrize(
    "files",
    [
        {"notes.txt": "mine"},
        {"problems.jsonl": "{}"},
        {"manifest.json": '{"name": "an extension", "manifest_version": 3}'},
        {"manifest.json": "[", "problems.jsonl": "", "changes.jsonl": ""},
        {"manifest.json": "[]", "problems.jsonl": "", "changes.jsonl": ""},
        {LOG: "", "notes.txt": "mine"},
    ],
)
def test_nothing_else_is_overwritten(tmp_path, files, prepare):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="is not empty and is not a benchmark"):
        prepare(tmp_path)
    assert contents(tmp_path) == before


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="is a file"):
        write_contents(tmp_path / "file", OWN)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="file is a file; a benchmark is a folder"):
        prepare_folder(tmp_path / "file" / "bench")
    with pytest.raises(EnvironmentFault, match="/proc/bench cannot be written"):
        prepare_folder(Path("/proc/bench"))


def test_a_task_that_stands_twice_is_refused_before_anything_is_written(tmp_path):
    twice = Contents("own", [*PROBLEMS, PROBLEMS[0]], CHANGES)
    with pytest.raises(InputError, match=PROBLEMS[0].task_id):
        write_contents(tmp_path / "a", twice)
    assert not (tmp_path / "a").exists()


def test_unique_tasks_are_none_that_stand_twice():
    check_unique(PROBLEMS)
    with pytest.raises(InputError, match=f"'{PROBLEMS[3].task_id}' stands twice"):
        check_unique([*PROBLEMS, PROBLEMS[3]])
