"""Nothing that no import wrote is replaced or removed, and an import that fails leaves nothing behind."""

import json
from pathlib import Path

import pytest

from edittool.samples.importing.run import Request, run_import
from edittool.schemas.errors import InputError

from ..small_bench import program, small_bench

SAMPLE = {"task_id": "MBPP/1", "solution": program("MBPP/1")}
OURS = SAMPLE | {"sample_index": 0, "seed": "", "imported": {"from": "evalplus", "file": "a", "matched": "name"}}
REJECTION = {"file": "a", "line": 1, "from": "chat", "reason": "no_task", "detail": "no id", "row": {}}


@pytest.fixture
def bench(tmp_path):
    return small_bench(tmp_path / "bench")


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(bench, output, *rows):
    given = write(bench.folder.with_name("given.jsonl"), *(rows or (SAMPLE,)))
    return run_import(Request([given], bench, output))


OUTPUTS = [
    ("samples that an import wrote", json.dumps(OURS), True),
    ("samples with a field of verdicts", json.dumps(OURS | {"outcome": "passed"}), True),
    ("nothing", "", True),
    ("samples of another", json.dumps(SAMPLE), False),
    ("notes", "my notes\n", False),
    ("rows of another kind", '{"imported": {}}\n', False),
    ("a blank line", "\n", False),
    ("no text", "\udcff", False),
    ("verdicts", json.dumps(SAMPLE | {"outcome": "passed"}), False),
    ("verdicts of imported samples", json.dumps(OURS | {"outcome": "passed", "sample_id": "a"}), False),
    ("samples that an import wrote, and another", f"{json.dumps(OURS)}\n" * 3 + json.dumps(SAMPLE), False),
]


def test_only_what_an_import_wrote_is_replaced(bench, tmp_path, subtests):
    output = tmp_path / "samples.jsonl"
    for name, content, replaced in OUTPUTS:
        with subtests.test(name=name):
            output.write_text(content, "utf-8", errors="surrogateescape")
            if replaced:
                assert run(bench, output).taken == 1
                assert json.loads(output.read_text())["imported"]["file"] == "given.jsonl"
                continue
            with pytest.raises(InputError, match="else than samples that import wrote") as error:
                run(bench, output)
            assert f"(line {max(1, len(content.splitlines()))}); choose another output" in str(error.value)
            assert output.read_text("utf-8", errors="surrogateescape") == content


def test_only_rejections_of_an_import_are_replaced_or_removed(bench, tmp_path, subtests):
    output, beside = tmp_path / "keep.jsonl", tmp_path / "keep.rejected.jsonl"
    others = [SAMPLE, OURS, REJECTION | {"reason": "rare"}, {"task_id": "T", "reason": "no_task", "detail": ""}]
    for rows in (*([other] for other in others), [REJECTION, SAMPLE], []):
        with subtests.test(rows=str(rows)):
            before = write(beside, *rows).read_bytes()
            for given in ([SAMPLE], [SAMPLE, SAMPLE | {"task_id": "MBPP/99"}]):
                with pytest.raises(InputError, match=r"else than rejections that import wrote.*; choose another"):
                    run(bench, output, *given)
            assert beside.read_bytes() == before
            assert not output.exists()
    write(beside, REJECTION)
    run(bench, output, SAMPLE, SAMPLE | {"task_id": "MBPP/99"})
    assert json.loads(beside.read_text())["detail"] == "the benchmark has no problem 'MBPP/99'"
    run(bench, output, SAMPLE)
    assert not beside.exists()


def test_an_output_that_no_file_can_be_is_refused(bench, tmp_path, subtests):
    for name, told in (("", "-o is empty"), ("a" * 300, "name too long"), ("a" * 250, "name too long")):
        with subtests.test(name=name), pytest.raises(InputError, match=f"(?i){told}"):
            run(bench, tmp_path / name if name else Path(name), SAMPLE, SAMPLE | {"task_id": "MBPP/99"})


def test_an_output_among_the_files_of_the_benchmark_is_refused(bench, tmp_path):
    (tmp_path / "link").symlink_to(bench.folder)
    for output in (bench.folder / "samples.jsonl", tmp_path / "link" / "more" / "problems.jsonl"):
        with pytest.raises(InputError, match="lies in the benchmark"):
            run(bench, output)
        assert not output.exists()


def test_an_import_that_fails_leaves_no_folder(bench, tmp_path):
    output = tmp_path / "new" / "folder" / "samples.jsonl"
    with pytest.raises(InputError):
        run(bench, output, {"nothing": "known"})
    assert not (tmp_path / "new").exists()
    (tmp_path / "new").mkdir()
    with pytest.raises(InputError):
        run(bench, output, {"nothing": "known"})
    assert list((tmp_path / "new").iterdir()) == []
    assert run(bench, output, SAMPLE | {"task_id": "MBPP/99"}).taken == 0
    assert [path.name for path in output.parent.iterdir()] == ["samples.rejected.jsonl"]


PROBLEMS = [
    (
        "HumanEval",
        {"task_id": "HumanEval/0", "prompt": "p", "entry_point": "f", "canonical_solution": "s", "test": "t"},
    ),
    ("MBPP", {"task_id": 1, "text": "t", "code": "c", "test_list": [], "test_setup_code": ""}),
    ("APPS", {"problem_id": 1, "question": "q", "solutions": '["x"]', "input_output": "{}", "difficulty": "d"}),
]


def test_problems_are_not_taken_for_samples(bench, tmp_path, subtests):
    output, folder = tmp_path / "samples.jsonl", tmp_path / "runs"
    for given in (bench.folder, bench.folder / "problems.jsonl"):
        for shape in (None, "evalplus", "chat"):
            with subtests.test(given=given.name, shape=shape), pytest.raises(InputError, match="problems of a bench"):
                run_import(Request([given], bench, output, shape))
    for name, row in PROBLEMS:
        with subtests.test(name=name), pytest.raises(InputError, match="holds problems of a data set, not samples"):
            run(bench, output, row)
    folder.mkdir()
    write(folder / "a.jsonl", SAMPLE)
    write(folder / "b.jsonl", PROBLEMS[0][1])
    (folder / "c.jsonl").write_bytes((bench.folder / "problems.jsonl").read_bytes())
    summary = run_import(Request([folder], bench, output))
    assert summary.taken == 1
    assert summary.passed.names == {
        "problems of a data set": ["runs/b.jsonl"],
        "problems of a benchmark": ["runs/c.jsonl"],
    }
    run(bench, output, *({**PROBLEMS[0][1], "solution": SAMPLE["solution"]}, bench.problems["MBPP/1"].to_row() | OURS))
    assert len(output.read_text().splitlines()) == 2


def test_what_holds_no_rows_is_refused_in_these_words(bench, tmp_path):
    for row in ([], {}):
        with pytest.raises(InputError, match="holds no rows"):
            run(bench, tmp_path / "samples.jsonl", row)
