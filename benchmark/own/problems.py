"""A user's own problems and changes, in edittool's own formats."""

import ast
from pathlib import Path

from ...schemas.changes import Change
from ...schemas.errors import InputError
from ...schemas.jsonl import read_rows
from ...schemas.problems import Problem
from ..python_source import NotPythonError, defined_names, parse_python
from .changes import load_changes as load_changes


def load_problems(path: Path, changes: list[Change]) -> list[Problem]:
    """Return the problems of a JSONL file, which belong to `changes`.

    Raises InputError, naming file, line and field, for a row that is not valid, a problem that stands twice, a
    solution that is not Python or does not define the entry point, a test that is not Python, and a change that does
    not go with the subset.
    """
    problems: dict[str, Problem] = {}
    known = {change.change_id for change in changes}
    for row in read_rows(path, "problem"):
        problem = Problem.from_row(row.data)
        where = f"{path}, line {row.line}"
        if problem.task_id in problems:
            raise InputError(f"{where}: the task {problem.task_id!r} stands twice. Remove one.")
        _check_programs(where, problem)
        _check_change(where, problem, known)
        problems[problem.task_id] = problem
    return list(problems.values())


def _check_programs(where: str, problem: Problem) -> None:
    for field, program in (("solution", problem.solution), ("updated_solution", problem.updated_solution)):
        if program is not None and problem.entry_point not in defined_names(_parse(where, field, program)):
            raise InputError(
                f'{where}: field "{field}" does not define the entry point {problem.entry_point!r}. '
                "Correct one of them."
            )
    _parse(where, "helpers", problem.helpers)
    for number, test in enumerate(problem.tests):
        _parse(where, f"tests[{number}]", f"{test.setup}\n{test.code}")


def _check_change(where: str, problem: Problem, known: set[str]) -> None:
    if (problem.subset == "specificity") != (problem.change_id is None):
        raise InputError(
            f'{where}: field "change_id" must be null in specificity, and only there, '
            f"but it is {problem.change_id!r} in {problem.subset}. Correct one of them."
        )
    if problem.change_id is not None and problem.change_id not in known:
        raise InputError(
            f'{where}: field "change_id" names {problem.change_id!r}, which no change has. '
            "Give the file of changes with --changes, or correct the name."
        )


def _parse(where: str, field: str, text: str) -> ast.Module:
    try:
        return parse_python(text)
    except NotPythonError as error:
        raise InputError(f'{where}: field "{field}" is not Python ({error}). Repair it.') from None
