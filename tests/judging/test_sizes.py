"""Rows that are odd or huge: each gets a verdict that is read again, or is refused by line and field before a run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging import samples as module
from edittool.judging.judge import Request, judge
from edittool.judging.make_verdict import make_verdict
from edittool.judging.places import check_output
from edittool.judging.resume.journal import Journal, Judged
from edittool.judging.samples import GROWTH, read_samples
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.outcome import find_too_large
from edittool.judging.sandbox.run_jobs import batches
from edittool.sandbox_images.python.boundary.limits import MAX_JOB_BYTES, MAX_PROGRAM_BYTES, MAX_RESULT_BYTES
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.json_text import MADE_DEPTH, MAX_DEPTH, dump_row
from edittool.schemas.jsonl import MAX_LINE_BYTES, MAX_ROW_BYTES, read_rows
from edittool.schemas.problems import Test
from edittool.schemas.samples import SampleRows
from edittool.schemas.validation import load_schema

from .conftest import COUNT, LENGTH
from .test_make_verdict import FINDING, RUN_FACTS

GOOD = "def count(items):\n    return my_builtin_len(value=items)\n"
ACCENTS = "é" * 6_000_000
DEEP = MAX_DEPTH - 1  # a value so deep in a row is as deep as it may be


def row(fields: str = "", program: str = GOOD) -> str:
    """Return the line of a sample; `fields` is JSON text, for what a JSON writer would not write."""
    return f'{{"task_id": "count", "solution": {json.dumps(program, ensure_ascii=False)}{fields and ", "}{fields}}}\n'


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def raising(error: str) -> str:
    return f"def count(items):\n    raise {error}\n"


# A row, its outcome and the kind of its error.
JUDGED = {
    "a program of accents": (row(program=f"x = '{ACCENTS}'\n"), "load_error", "too_large"),
    "a program of 17 MB": (row(program=f"#{'a' * 17_000_000}\n{GOOD}"), "load_error", "too_large"),
    "accents carried": (row(f'"note": "{ACCENTS}"'), "passed", None),
    "a field of ours that is deep, and moves": (row(f'"uses": {nested(DEEP)}'), "passed", None),
    "a foreign value that is deep, and moves": (row(f'"model": {nested(DEEP)}'), "passed", None),
    "a deep list in the place of what is carried": (row(f'"carried": {nested(DEEP)}'), "passed", None),
    "a deep field of nobody's": (row(f'"note": {nested(DEEP)}'), "passed", None),
    "a step beyond all counting": (row('"step": 1e300, "seed": 1e300'), "passed", None),
    "halves of characters": (row('"note\\ud800": "\\udc00\\ud83d", "model": "\\ud800"'), "passed", None),
    "half a character in the program": (
        row(program=GOOD + "x = '").strip()[:-2] + "\\ud800'\"}\n",
        "syntax_error",
        "syntax",
    ),
    "a number of 5000 digits": (row(f'"note": {"9" * 5000}'), "passed", None),
    "numbers that are none": (row('"note": [NaN, -Infinity, 1e999, -0.0, 1e-400]'), "passed", None),
    "the same field twice": (row('"note": 1, "note": 2'), "passed", None),
    "much printed, huge arguments": (
        row(program="print('é' * 100_000)\n" + raising("ValueError('é' * 10**5, [0] * 10**4)")),
        "failed",
        "exception",
    ),
    "a huge name": (row(program=raising("type('E' * 10**6, (Exception,), {})('é' * 10**6)")), "failed", "exception"),
}


@pytest.mark.usefixtures("docker_client")
def test_every_verdict_is_read_again_and_nothing_is_judged_twice(
    bench: Bench, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    samples, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    lines = [line[:-2] + f', "case": {json.dumps(case)}}}\n' for case, (line, *_) in JUDGED.items()]
    samples.write_text("".join(lines), encoding="utf-8")
    request = Request(bench, samples, output, options=SandboxOptions(jobs_per_container=8), cached=False)
    judge(request)
    verdicts = {verdict.data["case"]: verdict.data for verdict in read_rows(output, "verdict")}
    for case, (_, outcome, kind) in JUDGED.items():
        with subtests.test(case):
            found = verdicts[case]
            assert (found["outcome"], (found["error"] or {}).get("kind")) == (outcome, kind)
    assert "36,000,030 bytes" in verdicts["a program of accents"]["error"]["message"]
    # Among them are lines that an earlier version wrote and then refused to read.
    assert max(map(len, output.read_bytes().splitlines())) > 32 * 2**20
    with samples.open("a") as file:
        file.write(row('"case": "one more"'))
    again = judge(request)
    assert (again.already_judged, again.judged) == (len(JUDGED), 1)


# A row and what the error says of it.
REFUSED = {
    "an index beyond SQLite's": (row(f'"sample_index": {2**63}'), 'field "sample_index" must be at most'),
    "an index of 30 digits": (row(f'"sample_index": {10**30}'), 'field "sample_index" must be at most'),
    "a float for an index": (row('"sample_index": 1e300'), 'field "sample_index" must be at most'),
    "an infinite index": (row('"sample_index": 1e999'), 'field "sample_index" must be an integer'),
    "nested too deeply": (row(f'"note": {nested(DEEP + 1)}'), "more than 100 deep"),
    "numbers that grow": (
        row(f'"note": [{"1e15," * 300_000}0]'),
        "Most of it, 6,000,",
    ),
    "an answer and its program": (
        row(f'"raw": "{"é" * 999_999}"', f"x = '{'é' * 999_999}'"),
        "over the limit of 4,194,304",
    ),
}


def test_what_a_verdict_could_not_hold_is_refused_by_its_line(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    monkeypatch.setattr(module, "MAX_ROW_BYTES", 4 * 2**20)
    path = tmp_path / "samples.jsonl"
    for case, (line, message) in REFUSED.items():
        with subtests.test(case):
            path.write_text(row() + line, encoding="utf-8")
            with pytest.raises(InputError) as refusal:
                list(read_samples(path, bench))
            assert f"{path}, line 2: " in str(refusal.value)
            assert message in str(refusal.value)
            assert len(str(refusal.value)) < 1000


def verdicts_of(samples: Path, bench: Bench) -> Iterator[dict[str, Any]]:
    finding = replace(FINDING, tests=FINDING.tests * 3)
    for in_worlds in read_samples(samples, bench):
        yield from (make_verdict(judged, finding, RUN_FACTS).to_row() for judged in in_worlds)


NAMES = st.sampled_from([*load_schema("verdict")["properties"], "note", "NaN", "\ud800"]) | st.text(max_size=5)
NUMBERS = st.sampled_from(["1e15", "1e999", "-1e-999", "NaN", "-Infinity", "-0", "9" * 1001, "9" * 1000, "1E5"])
TEXTS = st.text(max_size=20).map(json.dumps) | st.sampled_from(['"\\ud800"', '"\\udc00\\ud800"', '"\x7f\u2028é😀"'])
VALUES = st.recursive(
    NUMBERS | TEXTS | st.sampled_from(["null", "true", "0", nested(90), nested(DEEP), nested(DEEP - 1)]),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.dictionaries(NAMES, inner, max_size=3).map(
            lambda items: "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in items.items()) + "}"
        )
    ),
    max_leaves=10,
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_any_row_that_is_taken_has_a_verdict_that_is_read(
    tmp_path_factory: pytest.TempPathFactory, bench: Bench, fields: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    line = row(",".join(f"{json.dumps(name)}:{value}" for name, value in fields))
    (folder / "samples").write_text(line, encoding="utf-8", errors="surrogatepass")
    try:
        (made,) = verdicts_of(folder / "samples", bench)
    except InputError:
        return
    text = dump_row(made)
    (folder / "verdicts").write_text(text + "\n", encoding="ascii")
    (again,) = read_rows(folder / "verdicts", "verdict")
    assert dump_row(again.data) == text
    check_output(folder / "verdicts", folder / "samples")


@pytest.mark.parametrize("unit", ["1e15,", "é", "😀", "\u2028", "\x7f", "1e999,", "[],", "-1e15,", "0,"])
def test_no_text_grows_more_than_sixfold_as_it_is_written_again(unit: str, tmp_path: Path) -> None:
    value = f'"{unit * 999}"' if not unit.endswith(",") else f"[{unit * 999}0]"
    (tmp_path / "samples").write_text(row(f'"note": {value}'), encoding="utf-8")
    (read,) = SampleRows().read(tmp_path / "samples")
    assert len(dump_row(read.data)) <= read.size * GROWTH / 2


def test_the_limits_leave_room_for_each_other() -> None:
    """What the judge adds to a row is a result of the sandbox, and less than half as much again for its spaces."""
    assert MAX_ROW_BYTES + 1.5 * MAX_RESULT_BYTES < MAX_LINE_BYTES
    assert MAX_DEPTH + 2 <= MADE_DEPTH
    assert 2 * MAX_PROGRAM_BYTES <= MAX_JOB_BYTES


@pytest.mark.parametrize(
    ("letter", "most"), [("a", MAX_PROGRAM_BYTES), ("é", MAX_PROGRAM_BYTES // 6), ("😀", MAX_PROGRAM_BYTES // 12)]
)
def test_a_program_is_too_large_by_what_is_sent_of_it(letter: str, most: int) -> None:
    assert Job(letter * (most - 30), COUNT).excess() is None
    excess = Job(letter * (most + 1), COUNT).excess()
    assert excess is not None
    assert (excess.part, excess.limit) == ("program", MAX_PROGRAM_BYTES)
    assert excess.size > excess.limit


def test_tests_that_cannot_be_sent_are_not_the_samples_fault() -> None:
    problem = replace(COUNT, tests=(Test("", "é" * 2_000_000),))
    excess = Job(GOOD, problem, (LENGTH,)).excess()
    assert excess is not None
    finding = find_too_large(Job(GOOD, problem, (LENGTH,)), excess)
    assert finding.outcome == "sandbox_error"
    assert finding.error is not None
    assert finding.error["kind"] == "tests"
    assert "over the limit of 8,388,608" in finding.error["message"]


def test_what_takes_several_places_is_not_held_in_numbers() -> None:
    read = 0

    def heavy() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            yield read

    for taken, part in enumerate(batches(heavy(), 64, 2, places=lambda item: 100), 1):
        assert len(part) == 1
        assert read <= taken + 1
        if taken == 20:
            break


@pytest.mark.usefixtures("docker_client")
def test_a_line_of_the_output_that_is_damaged_is_named_and_costs_its_own_verdict_alone(
    bench: Bench, tmp_path: Path
) -> None:
    samples, output = tmp_path / "samples.jsonl", tmp_path / "verdicts.jsonl"
    samples.write_text("".join(row(program=f"{GOOD}# {number}\n") for number in range(3)))
    request = Request(bench, samples, output)
    judge(request)
    first, _, last = output.read_text().splitlines(keepends=True)
    output.write_text(first + '{"sample_id": "x\n' + last)
    with pytest.raises(InputError, match=r"verdicts.jsonl, line 2.*is judged again, and all other verdicts are kept"):
        judge(request)
    output.write_text(first + last)
    again = judge(request)
    assert (again.already_judged, again.judged) == (2, 1)


def test_a_verdict_of_another_judge_may_have_any_text(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "verdicts").write_text("x\n")
    with Journal(tmp_path / "journal") as journal:
        journal.fill([], {})
        odd = Judged("\ud800", "passed", None, ("a,b", "\udc00"))
        journal.note([(1, odd)], tmp_path / "verdicts")
        assert journal.counts() == (0, 0, 0, 1)
