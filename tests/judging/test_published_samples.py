"""Samples as people publish them, judged: extraction, unknown tasks, packed files, and what an error leaves behind."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.judge import Observer, Request, Summary, judge
from edittool.judging.resume.journal import journal_path
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.world_choice import read_worlds
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import dump_row
from edittool.schemas.rejections import Rejection
from edittool.schemas.samples import row_digest
from edittool.schemas.validation import find_fault

from .conftest import COUNT, LENGTH

pytestmark = pytest.mark.usefixtures("docker_client")

PROGRAM = "def count(items):\n    return my_builtin_len(value=items)\n"
ANSWER = f"Here it is:\n\n```python\n{PROGRAM}```\n\nIt counts."
BODY = "    return my_builtin_len(value=items)\n"


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(dump_row({"task_id": "count"} | row) + "\n" for row in rows), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(find_fault(row, "verdict") is None for row in rows)
    return sorted(rows, key=lambda row: row["sample_index"])


def outcomes(path: Path) -> list[str]:
    return [row["outcome"] for row in read(path)]


# Extraction


def test_without_a_mode_programs_run_as_they_stand(bench: Bench, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s", {"solution": ANSWER}, {"solution": PROGRAM}), tmp_path / "v"
    summary = judge(Request(bench, samples, output))
    assert outcomes(output) == ["syntax_error", "passed"]
    assert not any(row.keys() & {"raw", "extraction", "extracted"} for row in read(output))
    assert +summary.noticed.looks == {"answers": 1, "fences": 1, "tried": 1, "extracted": 1}
    assert summary.to_json()["noticed"]["looks"]["answers"] == 1


def test_a_mode_takes_the_program_out_and_says_how(bench: Bench, tmp_path: Path) -> None:
    rows = [{"solution": ANSWER}, {"completion": BODY + "<|endoftext|>"}, {"solution": "I cannot do that."}]
    samples, output = write(tmp_path / "s", *rows), tmp_path / "v"
    summary = judge(Request(bench, samples, output, mode="auto"))
    first, second, third = read(output)
    assert outcomes(output)[:2] == ["passed", "passed"]
    assert (first["solution"], second["completion"]) == (PROGRAM, BODY)
    assert [row["raw"] for row in (first, second, third)] == [next(iter(row.values())) for row in rows]
    assert first["extraction"]["kind"] == "fence"
    assert first["extraction"]["taken"] == [1]
    assert third["error"]["kind"] == "no_program"
    assert {row["extracted"] for row in (first, second, third)} == {"auto"}
    assert {row["extraction"]["mode"] for row in (first, second, third)} == {"auto"}
    assert summary.noticed.extraction.total() == 3
    assert summary.noticed.extraction["no_program"] == 1


@pytest.mark.parametrize("mode", [None, "none"])
def test_a_sample_that_was_extracted_before_stays_without_a_mode(bench: Bench, tmp_path: Path, mode: Any) -> None:
    how = {"mode": "fence", "kind": "fence"}
    row = {"solution": PROGRAM, "raw": ANSWER, "extraction": how}
    samples, output = write(tmp_path / "s", row), tmp_path / "v"
    judge(Request(bench, samples, output, mode=mode))
    (verdict,) = read(output)
    assert verdict["raw"] == ANSWER
    if mode is None:
        assert (verdict["outcome"], verdict["solution"], verdict["extraction"]) == ("passed", PROGRAM, how)
        assert "extracted" not in verdict
    else:  # asked for: the answer as it is
        assert (verdict["outcome"], verdict["solution"]) == ("syntax_error", ANSWER)
        assert (verdict["extracted"], verdict["extraction"]["kind"]) == ("none", "as_is")


def test_another_tools_field_of_that_name_is_carried(bench: Bench, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s", {"solution": ANSWER, "raw": "theirs"}), tmp_path / "v"
    judge(Request(bench, samples, output, mode="auto"))
    (verdict,) = read(output)
    assert (verdict["raw"], verdict["carried"]) == (ANSWER, {"raw": "theirs"})


def test_asked_for_nothing_a_file_of_programs_is_what_it_is_without(bench: Bench, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s", {"solution": PROGRAM}, {"completion": BODY}), tmp_path / "v"
    first = judge(Request(bench, samples, output))
    second = judge(Request(bench, samples, output, mode="none"))
    assert (first.judged, second.judged, second.already_judged, second.strangers) == (2, 0, 2, 0)


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        (None, "auto", "was made without --extract, and the judge is to go on with --extract auto"),
        ("auto", None, "was made with --extract auto, and the judge is to go on without --extract"),
        ("auto", "cut", "was made with --extract auto, and the judge is to go on with --extract cut"),
        ("cut", "none", "was made with --extract cut, and the judge is to go on with --extract none"),
    ],
)
def test_one_output_has_one_mode(bench: Bench, tmp_path: Path, before: Any, now: Any, message: str) -> None:
    samples, output = write(tmp_path / "s", {"solution": ANSWER}), tmp_path / "v"
    judge(Request(bench, samples, output, mode=before))
    made = output.read_bytes()
    with pytest.raises(InputError, match=rf"line 1: this verdict {message}.*Choose another output file"):
        judge(Request(bench, samples, output, mode=now))
    assert output.read_bytes() == made
    assert judge(Request(bench, samples, output, mode=before)).already_judged == 1


class StopAfter(Observer):
    """Ends the judge, as Ctrl-C does, at the first verdict."""

    def __init__(self) -> None:
        self.summary: Summary | None = None

    def starting(self, summary: Summary) -> None:
        self.summary = summary

    def judged(self, summary: Summary, verdict: Any) -> None:
        raise KeyboardInterrupt


def test_a_resume_says_again_what_was_noticed_and_extracts_alike(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench", "b", [COUNT], [LENGTH], rejections=[LEFT_OUT])
    slow = "```python\nimport time\ntime.sleep(0.4)  # {}\n" + PROGRAM + "```\n"
    rows = [{"solution": slow.format(n), "seed": ""} for n in range(4)] + [{"task_id": "size", "solution": "x"}]
    samples, output = write(tmp_path / "s", *rows), tmp_path / "v"
    request = Request(bench, samples, output, options=SandboxOptions(workers=1), mode="fence", skip_unknown=True)
    stopped = StopAfter()
    with pytest.raises(KeyboardInterrupt):
        judge(request, stopped)
    assert journal_path(output).exists()
    assert 0 < len(read(output)) < 4
    again = judge(request)
    assert stopped.summary is not None
    assert again.noticed == stopped.summary.noticed
    assert again.noticed.extraction == {"fence": 4}
    assert again.noticed.foreign == {"seed": 4}
    assert again.noticed.skipped == {"reference_fails": 1}
    assert outcomes(output) == ["passed"] * 4


# Tasks that the benchmark lacks

LEFT_OUT = Rejection("size", None, "reference_fails", "1 of 1 tests fail")


@pytest.fixture
def rejecting(tmp_path: Path) -> Bench:
    return write_bench(tmp_path / "bench", "counting", [COUNT], [LENGTH], rejections=[LEFT_OUT])


ROWS = [
    {"solution": PROGRAM},
    {"task_id": "SIZE", "solution": "x"},
    {"task_id": "elsewhere/1", "solution": "x"},
    {"task_id": "size", "solution": "x"},
    {"completion": BODY},
]


def test_all_unknown_tasks_are_named_at_once_with_the_reason(rejecting: Bench, tmp_path: Path) -> None:
    samples = write(tmp_path / "s", *ROWS)
    with pytest.raises(InputError) as caught:
        judge(Request(rejecting, samples, tmp_path / "v"))
    for part in (
        f"{samples}, line 2, the first of 3 such samples",
        '"elsewhere/1" (not known to it)',
        '"SIZE", "size" (left out when it was built: reference_fails, 1 of 1 tests fail)',
        "--skip-unknown",
    ):
        assert part in str(caught.value)
    assert not (tmp_path / "v").exists()


def test_a_near_name_is_told(rejecting: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r'"coumt" \(not known to it: did you mean count\?\)'):
        judge(Request(rejecting, write(tmp_path / "s", {"task_id": "coumt", "solution": ""}), tmp_path / "v"))


def test_a_spelling_that_the_import_reads_is_told(rejecting: Bench, tmp_path: Path) -> None:
    told = r'"Count_3" \(not known to it: did you mean count\? `edittool import` reads such spellings\)'
    with pytest.raises(InputError, match=told):
        judge(Request(rejecting, write(tmp_path / "s", {"task_id": "Count_3", "solution": ""}), tmp_path / "v"))


def test_many_unknown_tasks_are_a_short_list(rejecting: Bench, tmp_path: Path) -> None:
    samples = write(tmp_path / "s", *({"task_id": f"other/{n}", "solution": ""} for n in range(20_000)))
    with pytest.raises(InputError, match=r"the first of 20000 such samples.*and \d+ more") as caught:
        judge(Request(rejecting, samples, tmp_path / "v"))
    assert len(str(caught.value)) < 700


def test_unknown_tasks_are_skipped_on_request_and_counted(rejecting: Bench, tmp_path: Path) -> None:
    samples, output = write(tmp_path / "s", *ROWS), tmp_path / "v"
    for judged in (2, 0):
        summary = judge(Request(rejecting, samples, output, skip_unknown=True))
        assert (summary.judged, summary.samples, summary.wanted) == (judged, 2, 2)
        assert summary.noticed.skipped == {"reference_fails": 2, "not_in_benchmark": 1}
        assert summary.to_json()["noticed"]["skipped"] == {"not_in_benchmark": 1, "reference_fails": 2}
    assert outcomes(output) == ["passed", "passed"]


def test_nothing_but_unknown_tasks_is_an_error(rejecting: Bench, tmp_path: Path) -> None:
    samples = write(tmp_path / "s", *ROWS[1:4])
    with pytest.raises(
        InputError, match=r"3 samples are of problems that .* \(2 reference_fails, 1 not_in_benchmark\)"
    ):
        judge(Request(rejecting, samples, tmp_path / "v", skip_unknown=True))
    assert not (tmp_path / "v").exists()


def test_unknown_tasks_in_files_of_worlds(rejecting: Bench, tmp_path: Path) -> None:
    samples = write(tmp_path / "s", *ROWS)
    with pytest.raises(InputError, match=r"s, line 2, the first of 3 such samples.*--skip-unknown"):
        read_worlds([samples], rejecting)
    worlds = read_worlds([samples], rejecting, skip_unknown=True)
    assert worlds.by_task == {"count": ((LENGTH,),)}
    summary = judge(Request(rejecting, samples, tmp_path / "v", worlds, skip_unknown=True))
    assert (summary.judged, summary.left_out, summary.noticed.skipped.total()) == (2, 0, 3)


def test_a_number_that_may_mean_several_is_an_error_with_their_names(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench", "b", [as_task(COUNT, "a/1"), as_task(COUNT, "b/2")], [LENGTH])
    samples, output = tmp_path / "s", tmp_path / "v"
    samples.write_text(json.dumps({"task_id": 2, "solution": PROGRAM}))
    judge(Request(bench, samples, output))
    assert read(output)[0]["task_id"] == "b/2"
    both = write_bench(tmp_path / "both", "b", [as_task(COUNT, "a/2"), as_task(COUNT, "b/2")], [LENGTH])
    for skip in (True, False):
        with pytest.raises(InputError, match=r'line 1: field "task_id" is "2", which may be a/2 or b/2'):
            judge(Request(both, samples, tmp_path / "w", skip_unknown=skip))


def as_task(problem: Any, task_id: str) -> Any:
    return replace(problem, task_id=task_id)


# Rows and files


def test_a_packed_file_is_judged_as_what_it_holds(bench: Bench, tmp_path: Path) -> None:
    rows = [{"solution": f"{PROGRAM}# {n}\n"} for n in range(3)]
    plain = write(tmp_path / "s", *rows)
    packed = tmp_path / "s.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    judge(Request(bench, packed, tmp_path / "v"))
    again = judge(Request(bench, plain, tmp_path / "v"))
    assert (again.judged, again.already_judged, again.strangers) == (0, 3, 0)
    verdicts = tmp_path / "v.gz"
    verdicts.write_bytes(gzip.compress((tmp_path / "v").read_bytes(), mtime=0))
    assert read_worlds([verdicts, packed], bench).by_task == {"count": ((LENGTH,),)}


def test_mended_rows_give_valid_verdicts_that_keep_everything(bench: Bench, tmp_path: Path) -> None:
    samples, output = tmp_path / "s", tmp_path / "v"
    samples.write_text(
        '{"task_id": "count", "solution": ' + json.dumps(PROGRAM) + ', "completion": null, "sample_index": null, '
        '"seed": "", "model": {"a": 1}, "logprob": NaN, "step": -Infinity}\n'
    )
    summary = judge(Request(bench, samples, output))
    (verdict,) = read(output)
    assert verdict["outcome"] == "passed"
    assert verdict["logprob"] == "NaN"
    assert verdict["carried"] == {"seed": "", "model": {"a": 1}, "step": "-Infinity"}
    assert verdict.keys().isdisjoint({"completion", "seed", "model", "step"})
    assert summary.noticed.foreign == {"seed": 1, "model": 1, "step": 1}
    assert summary.noticed.looks["unfit"] == 2


def test_the_identity_of_a_plain_row_is_what_it_was(bench: Bench, tmp_path: Path) -> None:
    row = {"task_id": "count", "solution": PROGRAM, "theirs": None, "temperature": 0.8}
    judge(Request(bench, write(tmp_path / "s", row), tmp_path / "v"))
    assert read(tmp_path / "v")[0]["sample_id"] == row_digest(row | {"active_changes": ["len"]}, 0)


# What an error leaves


@pytest.mark.parametrize("folder", [".", "new/deep"])
def test_an_error_before_the_first_verdict_leaves_nothing(bench: Bench, tmp_path: Path, folder: str) -> None:
    samples = write(tmp_path / "s", {"solution": PROGRAM}, {"completion": 3})
    for request, error in (
        (Request(bench, samples, tmp_path / folder / "v"), InputError),
        (Request(bench, tmp_path / "missing", tmp_path / folder / "v"), InputError),
        (
            Request(bench, write(tmp_path / "t", {}, {"solution": PROGRAM}), tmp_path / folder / "v"),
            InputError,
        ),
        (
            Request(
                bench,
                write(tmp_path / "u", {"solution": PROGRAM}),
                tmp_path / folder / "v",
                options=SandboxOptions(image="edittool-no-such-image"),
            ),
            EnvironmentFault,
        ),
    ):
        with pytest.raises(error):
            judge(request)
        assert {path.name for path in tmp_path.iterdir()} <= {"s", "t", "u"}


def test_an_empty_output_that_was_there_stays(bench: Bench, tmp_path: Path) -> None:
    output = tmp_path / "v"
    output.touch()
    with pytest.raises(InputError):
        judge(Request(bench, write(tmp_path / "s", {"completion": 3}), output))
    assert output.exists()
