"""A verdict is written as the sample's row with what was found, in an order that never changes."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from edittool.judging.make_verdict import finding_facts, make_verdict
from edittool.judging.samples import JudgedSample
from edittool.judging.sandbox.job import Finding
from edittool.schemas.json_text import dump_row
from edittool.schemas.samples import Sample
from edittool.schemas.validation import find_fault, load_schema
from edittool.schemas.verdicts import Verdict

from .conftest import COUNT, LENGTH

PROGRAM = "def count(items):\n    return my_builtin_len(items)\n"
ERROR = {"type": "TypeError", "message": "no", "line": 2, "kind": "bad_call"}
USES = ({"name": "my_builtin_len", "kind": "call", "line": 2},)
FINDING = Finding(
    outcome="partial",
    stage="run",
    compiles=False,
    tests=({"passed": True, "error": None}, {"passed": False, "error": ERROR}),
    error=ERROR,
    calls={"my_builtin_len": 0},
    label="misuse",
    label_detail="wrong_arguments",
    disagreement="x",
    uses=USES,
    opaque=True,
    bypass=("gc",),
    output="said",
    duration_ms=12.5,
    cpu_ms=3.25,
    peak_memory_kib=9000,
    attempts=2,
)
RUN_FACTS: dict[str, Any] = {
    "image": "sha256:a",
    "runtime": "runc",
    "isolation": "container",
    "limits": {"cpu_seconds": 3.0},
    "bench_sha256": "b",
    "edittool": "0",
}
WRITTEN = {
    "task_id": "count",
    "temperature": 0.8,
    "solution": PROGRAM,
    "outcome": "partial",  # where the sample has it
    "sample_id": "",
    "sample_index": 3,
    "active_changes": ["len"],
    "change_id": "len",
    "label": "misuse",
    "compiles": False,
    "tests_passed": 1,
    "tests_total": 2,
    "stage": "run",
    "error": ERROR,
    "tests": [{"passed": True, "error": None}, {"passed": False, "error": ERROR}],
    "calls": {"my_builtin_len": 0},
    "duration_ms": 12.5,
    "cpu_ms": 3.25,
    "peak_memory_kib": 9000,
    "attempts": 2,
    "label_detail": "wrong_arguments",
    "disagreement": "x",
    "uses": list(USES),
    "opaque": True,
    "bypass": ["gc"],
    "output": "said",
    "reused": "cache",
    "program_sha256": hashlib.sha256(PROGRAM.encode()).hexdigest(),
    **RUN_FACTS,
    "carried": {"outcome": "theirs"},
}


def judged(**row: Any) -> JudgedSample:
    sample = Sample.from_row({"task_id": "count", **row})
    return JudgedSample(sample, 3, COUNT, (LENGTH,), line=1, start=0, world=0)


def test_fields_stand_in_one_order_those_of_the_sample_first() -> None:
    sample = judged(temperature=0.8, solution=PROGRAM, outcome="theirs")
    verdict = make_verdict(sample, FINDING, RUN_FACTS, "cache")
    assert dump_row(verdict.to_row()) == dump_row(WRITTEN | {"sample_id": sample.sample_id})
    assert (verdict.outcome, verdict.reused, verdict.carried) == ("partial", "cache", {"outcome": "theirs"})


@pytest.mark.parametrize("reused", [None, "duplicate"])
def test_what_is_made_is_what_is_read_again(reused: Any) -> None:
    verdict = make_verdict(judged(solution=PROGRAM), FINDING, RUN_FACTS, reused)
    assert find_fault(verdict.to_row(), "verdict") is None
    assert Verdict.from_row(verdict.to_row()) == verdict


def test_every_field_that_is_written_is_described() -> None:
    verdict = make_verdict(judged(solution=PROGRAM, outcome="theirs"), FINDING, RUN_FACTS, "cache")
    assert verdict.to_row().keys() <= load_schema("verdict")["properties"].keys()


@pytest.mark.parametrize(
    ("row", "carried"),
    [
        ({"carried": 3}, {"carried": 3}),
        ({"carried": None, "outcome": "theirs"}, {"carried": None, "outcome": "theirs"}),
        ({"carried": {"outcome": "older"}}, {"outcome": "older"}),
        ({"carried": {"score": 1}, "outcome": "theirs"}, {"score": 1, "outcome": "theirs"}),
        ({"carried": {}}, {}),
    ],
    ids=str,
)
def test_what_a_sample_calls_carried_is_carried(row: dict[str, Any], carried: dict[str, Any]) -> None:
    verdict = make_verdict(judged(solution=PROGRAM, **row), FINDING, RUN_FACTS)
    assert find_fault(verdict.to_row(), "verdict") is None
    assert verdict.carried == carried


def test_an_optional_fact_that_says_nothing_is_left_out() -> None:
    facts = finding_facts(Finding("passed", "run", compiles=True, tests=({"passed": True, "error": None},)))
    assert not facts.keys() & {"label_detail", "disagreement", "uses", "opaque", "bypass", "output", "reused"}


@pytest.mark.parametrize(
    ("outcome", "solution", "told"), [("failed", " \n", True), ("sandbox_error", "", False), ("failed", PROGRAM, False)]
)
def test_a_verdict_says_that_the_answer_holds_no_program(outcome: Any, solution: str, told: bool) -> None:
    how = {"mode": "auto", "kind": "no_program"}
    finding = replace(FINDING, outcome=outcome)
    verdict = make_verdict(judged(solution=solution, raw="Sorry.", extraction=how), finding, RUN_FACTS)
    assert verdict.error is not None
    assert (verdict.error["kind"] == "no_program") == told
    assert find_fault(verdict.to_row(), "verdict") is None
