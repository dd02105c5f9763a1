"""Bodies come back as they were added, in order, whatever the text, and no text is kept without end."""

import json
import zlib

from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.page.bodies import (
    LEFT_OUT,
    MANY,
    NOT_RUN,
    PASSED,
    PROGRAM_CHARACTERS,
    SHARD_BODIES,
    SHARD_CHARACTERS,
    Bodies,
    body_of,
)
from edittool.schemas.problems import Problem, Test
from edittool.schemas.verdicts import Verdict

PROBLEM = Problem("t/0", "def f():\n", "f", "", (Test("", "f()"),), "reliability", "len")
ANY_TEXT = st.text(st.characters())  # lone surrogates too: JSON can hold them


def verdict(**fields):
    base = {"sample_id": "s", "task_id": "t/0", "compiles": True, "tests_passed": 1, "tests_total": 1}
    return Verdict.from_row(base | {"outcome": "passed", "label": None, "active_changes": []} | fields)


def unpacked(bodies):
    return [body for shard in bodies.shards() for body in json.loads(zlib.decompress(shard.compressed))]


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=20))
def test_bodies_come_back_in_order(texts):
    bodies, verdicts = Bodies(), []
    for completion, output, message in texts:
        error = {"type": message, "message": output, "line": 1}
        verdicts.append(verdict(completion=completion, output=output, error=error, disagreement=message))
        bodies.add(verdicts[-1], PROBLEM)
    assert unpacked(bodies) == [body_of(row, PROBLEM) for row in verdicts]
    assert [body["program"] for body in unpacked(bodies)] == [PROBLEM.prompt + text for text, _, _ in texts]
    assert len(bodies) == len(texts)


def test_shards_follow_one_another_and_are_bounded():
    bodies = Bodies()
    for number in range(2 * SHARD_BODIES + 3):
        bodies.add(verdict(completion="x" * (30_000 if number < 60 else 1)), PROBLEM)
    shards = list(bodies.shards())
    assert [shard.first for shard in shards] == [sum(s.count for s in shards[:i]) for i in range(len(shards))]
    assert sum(shard.count for shard in shards) == len(bodies) == 2 * SHARD_BODIES + 3
    assert all(shard.count <= SHARD_BODIES for shard in shards)
    assert all(len(zlib.decompress(shard.compressed)) < SHARD_CHARACTERS + 40_000 for shard in shards)
    assert [shard.count == SHARD_BODIES for shard in shards] == [False, True, False]


def test_a_long_program_is_cut_and_says_how_long_it_was():
    body = body_of(verdict(solution="y" * (PROGRAM_CHARACTERS + 1)), PROBLEM)
    assert (len(body["program"]), body["characters"]) == (PROGRAM_CHARACTERS, PROGRAM_CHARACTERS + 1)
    assert "characters" not in body_of(verdict(solution="y" * PROGRAM_CHARACTERS), PROBLEM)


def test_a_verdict_without_a_program_has_none():
    assert "program" not in body_of(verdict(), PROBLEM)


def test_errors_of_tests_stand_once():
    error, other = {"type": "E", "message": "m", "kind": "exception"}, {"type": "F", "message": "m"}
    tests = [{"passed": True}, {"passed": False, "error": error}, {"passed": False, "error": None}]
    body = body_of(verdict(tests=[*tests, {"passed": False, "error": other}, tests[1]]), PROBLEM)
    assert body["results"] == [PASSED, 0, NOT_RUN, 1, 0]
    assert body["errors"] == [error, other]


def test_no_field_grows_without_end():
    error = {"type": "t" * 10**6, "message": "m" * 10**6}
    tests = [{"passed": False, "error": error | {"message": f"{number} {'m' * 600}"}} for number in range(MANY + 9)]
    uses = [{"name": f"n{number}" * 9, "kind": "call", "line": 1} for number in range(10_000)]
    fields = {"output": "o" * 10**7, "error": error, "tests": tests, "uses": uses, "bypass": ["b" * 999] * 10**4}
    body = body_of(verdict(**fields, calls={f"c{i}": i for i in range(10**4)}, image={"x": "y" * 10**6}), PROBLEM)
    assert body["results"][-1] == LEFT_OUT
    assert len(json.dumps(body)) < 4 * 10**6


def test_why_it_has_no_label_is_said_in_words():
    assert "is not active: no change is" in body_of(verdict(), PROBLEM)["label_because"]
    assert "not active in this world" in body_of(verdict(active_changes=["other"]), PROBLEM)["label_because"]
    assert (
        "belongs to no change"
        in body_of(verdict(), Problem("t", "", "f", "", (), "specificity", None))["label_because"]
    )


def test_an_answer_is_kept_where_the_program_was_taken_out_of_it(made):
    verdict, task = made.verdicts[0], made.observations.bench.problems[made.verdicts[0].task_id]
    how = {"mode": "auto", "kind": "fence", "fences": 2, "taken": [1]}
    row = verdict.to_row() | {"raw": "Here it is:\n```\nx\n```", "extraction": how}
    body = body_of(Verdict.from_row(row), task)
    assert body["raw"] == row["raw"]
    assert body["extraction"] == how | {"taken": "[1]"}
    same = body_of(Verdict.from_row(row | {"raw": row["completion"]}), task)
    assert "raw" not in same
    assert "extraction" not in body_of(verdict, task)
