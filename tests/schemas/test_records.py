import json
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.schemas.changes import ApiKind, Change
from edittool.schemas.jsonl import read_rows, write_rows
from edittool.schemas.problems import Problem, Test
from edittool.schemas.samples import Sample, row_digest
from edittool.schemas.validation import find_fault

text = st.text(max_size=8)
name = st.text(min_size=1, max_size=8)
names = st.lists(text, max_size=3).map(tuple)

problems = st.builds(
    Problem,
    task_id=name,
    prompt=text,
    entry_point=name,
    solution=text,
    tests=st.lists(st.builds(Test, text, text), min_size=1, max_size=3).map(tuple),
    subset=st.sampled_from(["reliability", "generalization", "specificity"]),
    change_id=st.none() | text,
    helpers=text,
    updated_solution=st.none() | text,
    uses=names,
    source=text,
    opaque=st.booleans(),
    tags=names,
)
identifiers = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,5}\Z")
changes = st.builds(
    Change,
    change_id=name,
    deprecated=st.lists(identifiers, min_size=1, max_size=3).map(".".join),
    replacement=identifiers,
    usage=st.sampled_from(["renamed", "reordered", "keyword_only", "packed", "function"]),
    signature=text,
    shim=name,
    doc=text,
    order=st.none() | st.integers(0, 99),
    kind=st.none() | st.sampled_from(get_args(ApiKind)),
)

PROBLEM = Problem("T/0", "def f(x):\n", "f", "def f(x):\n    return 1\n", (Test("", "f(0)"),), "reliability", "len")


@given(problems)
def test_a_problem_comes_back_from_its_valid_row(problem):
    row = json.loads(json.dumps(problem.to_row()))
    assert find_fault(row, "problem") is None
    assert Problem.from_row(row) == problem


@given(changes)
def test_a_change_comes_back_from_its_valid_row(change):
    row = json.loads(json.dumps(change.to_row()))
    assert find_fault(row, "change") is None
    assert Change.from_row(row) == change


def test_a_small_problem_has_a_small_row():
    assert PROBLEM.to_row().keys() == {
        *("task_id", "prompt", "entry_point", "solution", "tests", "subset", "change_id"),
    }


def test_a_sample_keeps_its_row_through_a_file(tmp_path: Path):
    row = {
        "task_id": "T/0",
        "completion": "x",
        "sample_index": 2,
        "own_field": {"a": [1]},
        "active_changes": ["b", "a"],
    }
    write_rows(tmp_path / "s.jsonl", [row])
    sample = Sample.from_row(next(read_rows(tmp_path / "s.jsonl", "sample")).data)
    assert sample.row == row
    assert (sample.task_id, sample.completion, sample.solution) == ("T/0", "x", None)
    assert (sample.sample_index, sample.active_changes) == (2, ("b", "a"))


def test_an_index_written_as_a_float_is_an_integer():
    row = json.loads('{"task_id": "T/0", "completion": "", "sample_index": 3.0}')
    assert find_fault(row, "sample") is None
    assert type(Sample.from_row(row).sample_index) is int


class TestProgram:
    def test_a_completion_follows_the_prompt(self):
        sample = Sample.from_row({"task_id": "T/0", "completion": "    return 2\n"})
        assert sample.program(PROBLEM) == "def f(x):\n    return 2\n"

    @pytest.mark.parametrize("solution", ["def f(x): return 3\n", ""])
    def test_a_solution_stands_alone(self, solution):
        assert Sample.from_row({"task_id": "T/0", "solution": solution}).program(PROBLEM) == solution


class TestWorld:
    def world(self, problem: Problem = PROBLEM, **fields: object) -> tuple[str, ...]:
        return Sample.from_row({"task_id": "T/0", "completion": "", **fields}).world(problem)

    def test_is_the_problems_own_change_by_default(self):
        assert self.world() == ("len",)

    def test_is_empty_for_a_problem_without_change(self):
        assert self.world(Problem.from_row(PROBLEM.to_row() | {"change_id": None})) == ()

    def test_no_change_active_is_not_the_default(self):
        assert self.world(active_changes=[]) == ()

    def test_is_sorted_and_has_each_change_once(self):
        assert self.world(active_changes=["b", "a", "b"]) == ("a", "b")


ROW = {"task_id": "T/0", "completion": "\ud800", "x": {"b": 1, "a": 2}}


class TestIdentity:
    def test_is_the_same_in_any_order_of_fields(self):
        reordered = {"x": {"a": 2, "b": 1}, "completion": "\ud800", "task_id": "T/0"}
        assert row_digest(ROW, 0) == row_digest(reordered, 0)

    def test_tells_rows_and_occurrences_apart(self):
        digests = {row_digest(ROW, 0), row_digest(ROW, 1), row_digest(ROW | {"completion": ""}, 0)}
        assert len(digests) == 3

    @pytest.mark.parametrize("field", ["task_id", "model", "method", "regime", "step", "edited", "active_changes"])
    def test_settings_differ_in_each_of_their_fields(self, field):
        plain = {"task_id": "T/0", "completion": ""}
        assert Sample.from_row(plain).setting() != Sample.from_row(plain | {field: ["other"]}).setting()

    def test_samples_of_one_setting_share_it(self):
        rows = [{"task_id": "T/0", "completion": text, "sample_index": i} for i, text in enumerate("ab")]
        assert len({Sample.from_row(row).setting() for row in rows}) == 1
