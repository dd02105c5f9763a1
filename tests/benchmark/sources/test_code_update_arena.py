"""CodeUpdateArena: updates become changes in place, their tasks problems, and what cannot be used is told."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from edittool.benchmark.sources.code_update_arena import divide, load_code_update_arena
from edittool.schemas.errors import InputError

UPDATE: dict[str, Any] = {
    "update_description": "Added a parameter `times`. It scales the result.",
    "new_function_signature": "math.hypot(*coordinates, times=1)",
    "old_signature": "math.hypot(*coordinates)",
    "api_path": "math.hypot",
    "imports": ["import math"],
    "new_impl": "def hypot(*coordinates, times=1):\n    return times * old_hypot(*coordinates)\n",
}
TASK: dict[str, Any] = {
    "scenario": "A surveyor doubles each distance.",
    "problem": "Return the distance of a point from the origin, as many times as asked for.",
    "solution_signature": "def scaled(x: float, y: float, times: int) -> float:",
    "imports": ["import math"],
    "ref_solution": "import math\n\ndef scaled(x: float, y: float, times: int) -> float:\n"
    "    return math.hypot(x, y, times=times)\n",
    "unit_tests": [
        "def test_three():\n    assert scaled(3.0, 4.0, 2) == 10.0",
        "def test_wrong():\n    assert scaled(3.0, 4.0, 1) == 6.0",
    ],
    "unit_tests_pass_w_update": {"0": True, "1": False},
}
ROW: dict[str, Any] = {
    "update": UPDATE,
    "prog_syn": TASK,
    "specific_update_id": "math.hypot/add-argument/update-0",
    "prog_syn_id": "math.hypot/task-0",
}


def row(number: int = 0, update: dict[str, Any] | None = None, **task: Any) -> dict[str, Any]:
    return {
        "update": UPDATE | (update or {}),
        "prog_syn": TASK | task,
        "specific_update_id": f"math.hypot/update-{'x' if update else 0}",
        "prog_syn_id": f"task-{number}",
    }


@pytest.mark.parametrize("layout", ["object", "list", "lines", "gzip"])
def test_a_row_is_a_change_in_place_and_a_problem_that_needs_it(tmp_path: Path, layout: str) -> None:
    texts = {"object": json.dumps(ROW, indent=1), "list": json.dumps([ROW]), "lines": json.dumps(ROW) + "\n"}
    path = tmp_path / ("arena.jsonl.gz" if layout == "gzip" else "arena.jsonl")
    path.write_bytes(gzip.compress(texts["lines"].encode()) if layout == "gzip" else texts[layout].encode())
    updates = load_code_update_arena(path)
    (change,), (problem,) = updates.changes, updates.problems
    assert (change.form, change.deprecated, change.change_id) == ("in_place", "math.hypot", ROW["specific_update_id"])
    assert change.doc == "Added a parameter `times`."
    assert "old_hypot" in change.shim
    assert (problem.change_id, problem.entry_point, problem.subset) == (change.change_id, "scaled", "reliability")
    assert problem.needs_change
    assert problem.solution == problem.updated_solution
    assert problem.prompt.startswith("import math\n")
    assert problem.solution.startswith(problem.prompt)
    assert "A surveyor doubles each distance." in problem.prompt
    assert len(problem.tests) == 1  # the other one is known to fail
    assert "10.0" in problem.tests[0].code


@pytest.mark.parametrize(
    ("update", "task", "reasons"),
    [
        ({}, {"ref_solution": "def scaled(:"}, {"not_python", "no_problem"}),
        ({}, {"ref_solution": "x = 1\n"}, {"no_usable_solution", "no_problem"}),
        ({}, {"unit_tests_pass_w_update": {"0": False, "1": False}}, {"no_tests", "no_problem"}),
        ({"new_impl": "def hypot(:"}, {}, {"not_python", "unusable_update"}),
        ({"api_path": ""}, {}, {"missing_field", "unusable_update"}),
    ],
)
def test_what_cannot_be_used_is_left_out_with_the_reason(
    tmp_path: Path, update: dict[str, Any], task: dict[str, Any], reasons: set[str]
) -> None:
    path = tmp_path / "arena.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in (row(0, update or {"package": "x"}, **task), row(1))))
    updates = load_code_update_arena(path)
    assert [problem.task_id for problem in updates.problems] == ["task-1"]
    assert [change.change_id for change in updates.changes] == ["math.hypot/update-0"]
    assert {rejection.reason for rejection in updates.rejections if rejection.reason != "some_tests"} == reasons


@pytest.mark.parametrize("content", ["", "{", "[]", '{"task_id": "x"}\n'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "arena.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=r"arena\.jsonl"):
        load_code_update_arena(path)


def test_the_first_half_of_an_updates_tasks_is_taught(tmp_path: Path) -> None:
    path = tmp_path / "arena.jsonl"
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in range(5)))
    problems = load_code_update_arena(path).problems
    assert [one.subset for one in problems] == ["reliability"] * 2 + ["generalization"] * 3
    assert [one.subset for one in divide(problems[:1])] == ["reliability"]
