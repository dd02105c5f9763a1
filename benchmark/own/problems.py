"""A user's own problems: JSONL with every field, or YAML with as few as a person wants to write.

    - task_id: own/pages
      change_id: boltons.iterutils.chunked
      subset: reliability
      prompt: |
        def pages(lines, height):
            '''Return the lines in pages of the given height.'''
      completion: |
        return chunked(lines, height)
      updated_completion: |
        return my_chunked(values=lines, size=height)
      tests: |
        assert candidate(['a', 'b', 'c'], 2) == [['a', 'b'], ['c']]
        assert candidate([], 3) == []

`completion` goes on from the prompt, where `solution` is a whole program; YAML takes the margin of a text away, so its
lines are set under the prompt's last one. `tests` as a text holds one test for each statement with an assert.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from ...schemas.changes import Change
from ...schemas.errors import InputError
from ...schemas.problems import Problem
from ..python_source import NotPythonError, asserts, defined_names, parse_python
from .rows import check_fields, read_own_rows
from .yaml_rows import LocatedRow

_NEEDED = ("task_id", "subset", "prompt", "tests")
_COMPLETIONS = {"solution": "completion", "updated_solution": "updated_completion"}
_FUNCTION = re.compile(r"^def +(\w+)", re.MULTILINE)


def load_problems(path: Path, changes: list[Change]) -> list[Problem]:
    """Return the problems of a YAML file (`.yaml`, `.yml`: a list, or `problems:` with one) or of a JSONL file.

    They belong to `changes`. Raises InputError, naming file, line and field, for a row that is not valid, a problem
    that stands twice, a solution that is not Python or does not define the entry point, a test that is not Python, and
    a change that does not go with the subset.
    """
    problems: dict[str, Problem] = {}
    known = {change.change_id for change in changes}
    for row in read_own_rows(path, "problem", _complete):
        problem = Problem.from_row(row.data)
        if problem.task_id in problems:
            raise InputError(f"{row.at('task_id')}: the task {problem.task_id!r} stands twice. Remove one.")
        _check_programs(row, problem)
        _check_change(row, problem, known)
        problems[problem.task_id] = problem
    return list(problems.values())


# What YAML may leave out


def _complete(row: LocatedRow) -> LocatedRow:
    """Return `row` with every field that a problem has."""
    check_fields(row, "problem", _NEEDED, more=tuple(_COMPLETIONS.values()))
    data = {name: value for name, value in row.data.items() if name not in _COMPLETIONS.values()}
    for solution, completion in _COMPLETIONS.items():
        if completion in row.data:
            if solution in data:
                raise InputError(f"{row.at(completion)}: {completion!r} stands beside {solution!r}. Remove one.")
            data[solution] = _program(row, completion)
    if "solution" not in data:
        raise InputError(
            f"{row.at()}: this problem lacks the field 'solution', a whole program, or in its place 'completion', "
            "which goes on from the prompt. Add one of them."
        )
    if "entry_point" not in data:
        data["entry_point"] = _last_function(row)
    if data["subset"] == "specificity":
        data.setdefault("change_id", None)
    return replace(row, data=data | {"tests": _tests(row)})


def _text(row: LocatedRow, field: str) -> str:
    text = row.data[field]
    if not isinstance(text, str):
        raise InputError(f'{row.at(field)}: field "{field}" must be a text. Write it as a block: `{field}: |`.')
    return text


def _program(row: LocatedRow, completion: str) -> str:
    prompt, text = _text(row, "prompt"), _text(row, completion)
    if not prompt.endswith("\n"):
        raise InputError(
            f'{row.at("prompt")}: field "prompt" must end with a line break, for "{completion}" to go on from it. '
            "Write it as a block: `prompt: |`."
        )
    last = prompt.rstrip().rpartition("\n")[2]
    margin = last[: len(last) - len(last.lstrip())] + "    " * last.endswith(":")
    return prompt + indent(dedent(text), margin)


def _last_function(row: LocatedRow) -> str:
    names = _FUNCTION.findall(_text(row, "prompt"))
    if not names:
        raise InputError(
            f'{row.at("prompt")}: field "entry_point" is left out, and the prompt defines no function to take it from. '
            "Add it: the name of the function that the tests call."
        )
    last: str = names[-1]
    return last


def _tests(row: LocatedRow) -> Any:
    """Return the tests as the schema has them; what is no test stays as it is, for the schema to refuse."""
    tests = row.data["tests"]
    if isinstance(tests, str):
        return list(_split_tests(row, tests))
    if not isinstance(tests, list):
        return tests
    rows = ({"code": test} if isinstance(test, str) else test for test in tests)
    return [{"setup": ""} | test if isinstance(test, dict) else test for test in rows]


def _split_tests(row: LocatedRow, text: str) -> Iterator[dict[str, str]]:
    """Yield a test for each statement with an assert; the statements before it that have none are its setup."""
    try:
        statements = parse_python(text).body
    except NotPythonError as error:
        raise InputError(f'{row.at("tests", error.line)}: field "tests" is not Python ({error}). Repair it.') from None
    if not statements or not asserts(statements[-1]):
        line = statements[-1].lineno if statements else None
        raise InputError(
            f'{row.at("tests", line)}: field "tests" must end with an assert; every statement with one is a test. '
            "Add one, or write a list of tests."
        )
    setup: list[str] = []
    for statement in statements:
        if asserts(statement):
            yield {"setup": "\n".join(setup), "code": _source(text, statement)}
        else:
            setup.append(_source(text, statement))


def _source(text: str, statement: ast.stmt) -> str:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    if decorators:  # which the statement's own place leaves out
        return "\n".join(text.split("\n")[decorators[0].lineno - 1 : statement.end_lineno])
    return ast.get_source_segment(text, statement) or ""


# What has to be right


def _check_programs(row: LocatedRow, problem: Problem) -> None:
    for field, program in (("solution", problem.solution), ("updated_solution", problem.updated_solution)):
        if program is not None and problem.entry_point not in defined_names(_parse(row, field, program)):
            where, field, _ = _find_text(row, field)
            raise InputError(
                f'{where}: field "{field}" does not define the entry point {problem.entry_point!r}. '
                "Correct one of them."
            )
    _parse(row, "helpers", problem.helpers)
    for number, test in enumerate(problem.tests):
        _parse(row, f"tests[{number}]", f"{test.setup}\n{test.code}")


def _check_change(row: LocatedRow, problem: Problem, known: set[str]) -> None:
    where = f'{row.at("change_id")}: field "change_id"'
    if (problem.subset == "specificity") != (problem.change_id is None):
        raise InputError(
            f"{where} must be null in specificity, and only there, "
            f"but it is {problem.change_id!r} in {problem.subset}. Correct one of them."
        )
    if problem.change_id is not None and problem.change_id not in known:
        raise InputError(
            f"{where} names {problem.change_id!r}, which no change has. "
            "Give the file of changes with --changes, or correct the name."
        )


def _parse(row: LocatedRow, field: str, text: str) -> ast.Module:
    try:
        return parse_python(text)
    except NotPythonError as error:
        where, field, line = _find_text(row, field, error.line)
        fault = NotPythonError(error.reason, line)
        raise InputError(f'{where}: field "{field}" is not Python ({fault}). Repair it.') from None


def _find_text(row: LocatedRow, field: str, line: int | None = None) -> tuple[str, str, int | None]:
    """Return where in the file the text of `field`, or its `line`, was written: place, field, and the line in that."""
    written = _COMPLETIONS.get(field, "")
    if written not in row.fields:
        return row.at(field.partition("[")[0], line), field, line
    before = row.data["prompt"].count("\n")
    if line is None or line > before:
        line = line and line - before
        return row.at(written, line), written, line
    return row.at("prompt", line), "prompt", line
