"""Files given for each other are told before anything is written."""

import gzip
import os
from pathlib import Path

import pytest

from edittool.judging.judge import Request, judge
from edittool.judging.places import check_arguments, check_output
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import dump_row

SAMPLE = dump_row({"task_id": "count", "solution": "x = 1\n"}) + "\n"
VERDICT = {"sample_id": "a", "task_id": "count", "compiles": True, "tests_passed": 0, "tests_total": 1}
VERDICT |= {"outcome": "failed", "label": None}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text(SAMPLE)
    return path


def same(path: Path) -> Path:
    return path


def other_way(path: Path) -> Path:
    return path.parent / ".." / path.parent.name / path.name


def symlink(path: Path) -> Path:
    link = path.with_name("symlink")
    link.symlink_to(path)
    return link


def hard_link(path: Path) -> Path:
    link = path.with_name("link")
    os.link(path, link)
    return link


@pytest.mark.parametrize("name", [same, other_way, symlink, hard_link])
def test_an_output_that_is_the_file_of_samples_is_left_as_it_is(bench: Bench, samples: Path, name) -> None:
    output = name(samples)
    before = {path.name for path in samples.parent.iterdir()}
    with pytest.raises(InputError, match=r"is the file of samples itself .*choose another output"):
        judge(Request(bench, samples, output))
    assert samples.read_text() == SAMPLE
    assert {path.name for path in samples.parent.iterdir()} == before


def test_an_output_without_a_name_is_refused(samples: Path) -> None:
    with pytest.raises(InputError, match="-o is empty"):
        check_output(Path(""), samples)


def test_an_output_that_is_a_file_of_worlds_is_left_as_it_is(samples: Path) -> None:
    other = samples.with_name("other")
    other.write_text(SAMPLE)
    with pytest.raises(InputError, match="is a file of --worlds-of itself"):
        check_output(hard_link(other), samples, [other])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SAMPLE.encode(), "holds samples, not verdicts"),
        (b"\n\n" + SAMPLE.encode(), "holds samples, not verdicts"),
        (SAMPLE.rstrip().encode(), "holds samples, not verdicts"),
        (gzip.compress(b"{}\n", mtime=0), "is packed with gzip"),
        (b'{\n "a": 1\n}\n', "holds something else than rows of JSON"),
        (b"[1, 2]\n", "holds something else than rows of JSON"),
        (b"import os\n", "holds something else than rows of JSON"),
        (b"\xff\xfe\n", "holds something else than rows of JSON"),
        (b'{"a": 1}\n', "holds no verdicts: this verdict lacks the required field"),
    ],
)
def test_an_output_that_holds_something_else_is_left_as_it_is(
    bench: Bench, samples: Path, content: bytes, message: str
) -> None:
    output = samples.with_name("verdicts.jsonl")
    output.write_bytes(content)
    with pytest.raises(InputError, match=f"the output .*{message}.*Choose another output file"):
        judge(Request(bench, samples, output))
    assert output.read_bytes() == content
    assert {path.name for path in samples.parent.iterdir()} == {"samples.jsonl", "verdicts.jsonl"}


@pytest.mark.parametrize(
    "content",
    [None, b"", b"\n", dump_row(VERDICT).encode() + b"\n", dump_row(VERDICT).encode(), b'{"sample_id": "a", "ta'],
    ids=["missing", "empty", "blank", "verdict", "no line end", "torn"],
)
def test_an_output_that_a_judge_goes_on_with_is_taken(samples: Path, content: bytes | None) -> None:
    output = samples.with_name("verdicts.jsonl")
    if content is not None:
        output.write_bytes(content)
    check_output(output, samples, [samples])


def test_arguments_the_wrong_way_round(bench_folder: Path, samples: Path) -> None:
    with pytest.raises(InputError) as caught:
        check_arguments(str(samples), bench_folder)
    assert "the wrong way round" in str(caught.value)
    assert f"`edittool judge {bench_folder} {samples} -o VERDICTS`" in str(caught.value)


@pytest.mark.parametrize("bench", ["builtin", None])
def test_a_benchmark_given_for_samples(bench_folder: Path, bench: str | None) -> None:
    with pytest.raises(InputError, match="is a benchmark, and a file of samples is needed"):
        check_arguments(bench or str(bench_folder), bench_folder)


def test_a_file_given_for_a_benchmark(samples: Path) -> None:
    with pytest.raises(InputError, match="is a file, and BENCH is a folder"):
        check_arguments(str(samples), samples)


def test_problems_given_for_samples(bench_folder: Path, samples: Path) -> None:
    with pytest.raises(InputError, match="holds problems of a benchmark, not samples"):
        check_arguments(str(bench_folder), bench_folder / "problems.jsonl")
    (problem, *_) = Bench.load(bench_folder).problems.values()
    samples.write_text(dump_row(problem.to_row() | {"model": "m"}) + "\n")
    check_arguments(str(bench_folder), samples)


def test_arguments_in_their_places(bench_folder: Path, samples: Path, tmp_path: Path) -> None:
    check_arguments(str(bench_folder), samples)
    check_arguments("builtin", samples)
    check_arguments(str(bench_folder), tmp_path / "missing")
