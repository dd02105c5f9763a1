"""A user's own problems and changes: what is taken, and how a wrong row is named."""

import json

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.own.changes import load_changes
from edittool.benchmark.own.problems import load_problems
from edittool.schemas.errors import InputError

BENCH = load_builtin()
PROBLEM = BENCH.problems["builtin/dot_product"].to_row()
CHANGE = BENCH.changes["zip"].to_row()


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_builtin_benchmark_is_a_valid_file_of_own_problems(tmp_path):
    changes = load_changes(write(tmp_path / "c.jsonl", *(change.to_row() for change in BENCH.changes.values())))
    problems = load_problems(
        write(tmp_path / "p.jsonl", *(problem.to_row() for problem in BENCH.problems.values())), changes
    )
    assert changes == list(BENCH.changes.values())
    assert problems == list(BENCH.problems.values())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shim": "def my_zip(): pass"}, "field \"shim\" does not define 'my_builtin_zip'"),
        ({"shim": "def"}, 'field "shim" is not Python'),
        ({"usage": "new"}, 'field "usage" must be one of'),
        ({}, "the change 'zip' stands twice"),
    ],
)
def test_a_wrong_change_is_named(tmp_path, fields, message):
    row = CHANGE | ({"change_id": "other"} if fields else {}) | fields
    path = write(tmp_path / "c.jsonl", CHANGE, row)
    with pytest.raises(InputError) as caught:
        load_changes(path)
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "the task 'builtin/dot_product' stands twice"),
        ({"solution": "def"}, 'field "solution" is not Python'),
        ({"solution": "def g(): pass"}, 'field "solution" does not define the entry point'),
        ({"updated_solution": "x = 1"}, 'field "updated_solution" does not define the entry point'),
        ({"helpers": "("}, 'field "helpers" is not Python'),
        ({"tests": [{"setup": "", "code": "assert ("}]}, 'field "tests[0]" is not Python'),
        ({"change_id": "sorted"}, "field \"change_id\" names 'sorted', which no change has"),
        ({"change_id": None}, 'field "change_id" must be null in specificity, and only there'),
        ({"subset": "specificity"}, 'field "change_id" must be null in specificity, and only there'),
        ({"entry_point": 3}, 'field "entry_point" must be a string'),
    ],
)
def test_a_wrong_problem_is_named(tmp_path, fields, message):
    row = PROBLEM | ({"task_id": "other"} if fields else {}) | fields
    path = write(tmp_path / "p.jsonl", PROBLEM, row)
    with pytest.raises(InputError) as caught:
        load_problems(path, [BENCH.changes["zip"]])
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)


def test_an_updated_solution_is_optional(tmp_path):
    row = {name: value for name, value in PROBLEM.items() if name != "updated_solution"}
    (problem,) = load_problems(write(tmp_path / "p.jsonl", row), [BENCH.changes["zip"]])
    assert problem.updated_solution is None
