"""`edittool judge` on samples as people publish them: what it prints, and the command that helps."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edittool.schemas.bench import write_bench
from edittool.schemas.jsonl import dump_row
from edittool.schemas.problems import Problem, Test
from edittool.schemas.rejections import Rejection

from .conftest import Run

TWICE = Problem(
    "MBPP/2",
    'def twice(x):\n    """Return x two times."""\n',
    "twice",
    "def twice(x):\n    return 2 * x\n",
    (Test("", "assert candidate(2) == 4"),),
    "specificity",
    None,
    source="MBPP",
)
RIGHT = {"task_id": "MBPP/2", "solution": TWICE.solution}
FENCED = {"task_id": "Mbpp/2", "solution": f"Sure!\n```python\n{TWICE.solution}```\n"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "bench"
    left_out = Rejection("MBPP/3", None, "reference_fails", "1 of 1 tests fail")
    write_bench(folder, "small", [TWICE], [], rejections=[left_out])
    return folder


@pytest.fixture
def judge(bench: Path, tmp_path: Path, edittool: Run):
    """Judge rows, and return the exit code, the summary and the lines on stderr."""

    def run(rows: list[Any], *more: str) -> tuple[int, dict[str, Any] | None, list[str]]:
        samples = tmp_path / "samples.jsonl"
        samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        code, out, err = edittool("judge", bench, samples, "-o", tmp_path / "verdicts.jsonl", "--json", *more)
        return code, json.loads(out) if out else None, err.splitlines()

    return run


@pytest.mark.usefixtures("docker_client")
def test_answers_are_counted_with_the_command_that_helps(judge) -> None:
    code, summary, told = judge([FENCED, FENCED, RIGHT])
    assert (code, summary["outcomes"]) == (0, {"syntax_error": 2, "passed": 1})
    (line,) = [line for line in told if "look like answers" in line]
    assert line.startswith("2 samples look like answers, not programs, and do not parse (2 with fences); 2 of them do")
    assert line.endswith("`edittool judge BENCH SAMPLES -o OTHER --extract auto`")
    (line,) = [line for line in told if "EvalPlus" in line]
    assert line.startswith("2 task ids are EvalPlus's (Mbpp/2), and the benchmark has the original MBPP")


@pytest.mark.usefixtures("docker_client")
def test_extraction_is_counted_by_kind(judge) -> None:
    code, summary, told = judge([FENCED, RIGHT], "--extract", "auto")
    assert (code, summary["outcomes"]) == (0, {"passed": 2})
    assert summary["noticed"]["extraction"] == {"as_is": 1, "fence": 1}
    assert "programs taken from 2 answers: 1 as_is, 1 fence" in told
    assert not [line for line in told if "look like answers" in line]
    code, summary, told = judge([FENCED, RIGHT])
    assert (code, summary) == (2, None)
    assert "was made with --extract auto, and the judge is to go on without --extract" in told[0]


@pytest.mark.usefixtures("docker_client")
def test_what_was_mended_is_told_once(judge) -> None:
    rows = [RIGHT | {"seed": "", "logprob": float("nan"), "sample_index": None, "n": n} for n in range(3)]
    code, summary, told = judge(rows)
    assert (code, summary["outcomes"]) == (0, {"passed": 3})
    assert "fields with values of a foreign type, kept under carried, not read: seed in 3 samples" in told
    assert "3 numbers that JSON does not have, such as NaN, are carried as text" in told


@pytest.mark.usefixtures("docker_client")
def test_a_number_is_taken_for_the_task_that_ends_with_it(judge) -> None:
    code, summary, told = judge([{"task_id": 2, "solution": TWICE.solution}])
    assert (code, summary["outcomes"], told) == (0, {"passed": 1}, [])


@pytest.mark.usefixtures("docker_client")
def test_unknown_tasks_are_an_error_or_skipped(judge, tmp_path: Path) -> None:
    rows = [RIGHT, {"task_id": "Mbpp/3", "solution": "x"}, {"task_id": "other", "solution": "x"}]
    code, summary, told = judge(rows)
    assert (code, summary) == (2, None)
    assert 'samples.jsonl, line 2, the first of 2 such samples: field "task_id" names a problem' in told[0]
    assert '"Mbpp/3" (left out when it was built: reference_fails, 1 of 1 tests fail)' in told[0]
    assert not (tmp_path / "verdicts.jsonl").exists()
    for _ in range(2):
        code, summary, told = judge(rows, "--skip-unknown")
        assert (code, summary["outcomes"]) == (0, {"passed": 1})
        assert summary["noticed"]["skipped"] == {"not_in_benchmark": 1, "reference_fails": 1}
        what = "2 samples are of problems that the benchmark does not have: skipped"
        assert f"{what} (1 not_in_benchmark, 1 reference_fails)" in told


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("samples.jsonl"), content)  # of no time of day: it stands in a table
    return file.getvalue()


BIGCODE = json.dumps([[TWICE.solution]])
ARRAY = json.dumps([RIGHT], indent=1)


@pytest.mark.parametrize(
    ("name", "content", "shape"),
    [
        ("array.json", ARRAY.encode(), "a JSON array of rows"),
        ("generations.json", BIGCODE.encode(), "a list of lists"),
        ("generations.json.gz", gzip.compress(BIGCODE.encode(), mtime=0), "a list of lists"),
        ("samples.zip", zipped(dump_row(RIGHT).encode()), "rows of EvalPlus"),
        ("odd name.json", ARRAY.encode(), "a JSON array of rows"),
    ],
)
def test_another_shape_is_named_with_the_command_that_reads_it(
    bench: Path, tmp_path: Path, edittool: Run, name: str, content: bytes, shape: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    code, out, err = edittool("judge", bench, path, "-o", tmp_path / "verdicts.jsonl")
    assert (code, out) == (2, "")
    assert shape in err
    assert "not one sample a line" in err
    quoted = f"'{path}'" if " " in name else path
    assert f"`edittool import {quoted} --bench {bench} -o samples.jsonl`" in err
    assert sorted(found.name for found in tmp_path.iterdir()) == [name]


def test_a_folder_of_programs_is_named(bench: Path, tmp_path: Path, edittool: Run) -> None:
    program = tmp_path / "run" / "MBPP_2" / "0.py"
    program.parent.mkdir(parents=True)
    program.write_text(TWICE.solution)
    code, _, err = edittool("judge", bench, tmp_path / "run", "-o", tmp_path / "verdicts.jsonl")
    assert code == 2
    assert f"`edittool import {tmp_path / 'run'} --bench" in err


@pytest.mark.parametrize("packed", [False, True])
def test_a_broken_line_keeps_its_own_error(bench: Path, tmp_path: Path, edittool: Run, packed: bool) -> None:
    path = tmp_path / "samples.jsonl"
    content = (dump_row(RIGHT) + "\n" + '{"task_id": \n').encode()
    path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    code, _, err = edittool("judge", bench, path, "-o", tmp_path / "verdicts.jsonl")
    assert code == 2
    assert "line 2, column 13: broken JSON" in err
    assert "takes what can be taken of such a file, and lists the rest" in err


def test_files_given_for_each_other(bench: Path, tmp_path: Path, edittool: Run) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(dump_row(RIGHT) + "\n")
    other = tmp_path / "other.jsonl"
    for arguments, message in (
        ((samples, bench, "-o", other), "BENCH and SAMPLES stand the wrong way round"),
        ((bench, bench, "-o", other), "is a benchmark, and a file of samples is needed"),
        ((samples, samples, "-o", other), "is a file, and BENCH is a folder"),
        ((bench, samples, "-o", samples), "is the file of samples itself"),
        ((bench, samples, "-o", samples, "--worlds-of", samples), "is the file of samples itself"),
        ((bench, other, "-o", samples, "--worlds-of", samples), "is a file of --worlds-of itself"),
        ((bench, other, "-o", samples), "holds samples, not verdicts"),
    ):
        code, out, err = edittool("judge", *arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert samples.read_text() == dump_row(RIGHT) + "\n"
        assert [path.name for path in tmp_path.iterdir()] == ["samples.jsonl"]


def test_report_says_that_samples_are_no_verdicts(bench: Path, tmp_path: Path, edittool: Run) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(dump_row(RIGHT) + "\n")
    code, _, err = edittool("report", bench, samples, "-o", tmp_path / "report")
    assert code == 2
    assert "this is a sample, and a verdict is needed" in err


@pytest.mark.usefixtures("docker_client")
def test_a_name_that_nobody_has_is_not_refused_by_a_world(bench: Path, tmp_path: Path, edittool: Run) -> None:
    samples, verdicts = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    samples.write_text(dump_row(RIGHT | {"solution": "def twice(x: List[int]):\n    return 2 * x\n"}) + "\n")
    assert edittool("judge", bench, samples, "-o", verdicts)[0] == 0
    code, out, _ = edittool("explain", bench, verdicts, "--sample", "MBPP/2:0")
    assert code == 0
    assert "unresolved or ill-called\n  NameError: name 'List' is not defined (missing_name, line 1)" in out
    assert "refused by the world" not in out
