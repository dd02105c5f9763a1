"""HumanEval: its rows as problems, with `check` taken apart so that each of its asserts counts alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

from ...schemas.problems import Problem, Test
from ..python_source import asserts, defined_names, loaded_names, parse_python
from .rows import SourceRow, read_source

SOURCE = "HumanEval"
SEED_LINES = "import random\nrandom.seed(0)"


def load_humaneval(path: Path) -> list[Problem]:
    """Return the problems of a HumanEval JSONL file, all in specificity: no change touches them yet.

    Raises InputError, naming file, line and field, for a row that is not one of HumanEval.
    """
    return [_make_problem(row) for row in read_source(path, SOURCE)]


def _make_problem(row: SourceRow) -> Problem:
    prompt, entry_point = row.text("prompt"), row.text("entry_point")
    solution = prompt + row.text("canonical_solution")
    if entry_point not in defined_names(row.python("canonical_solution", solution)):
        raise row.fault("entry_point", f"names {entry_point!r}, which the solution does not define")
    tests = _split_check(row)
    return Problem(
        task_id=row.text("task_id"),
        prompt=prompt,
        entry_point=entry_point,
        solution=solution,
        tests=tests,
        subset="specificity",
        change_id=None,
        helpers=_find_helpers(row, prompt, entry_point, tests),
        source=SOURCE,
    )


def _split_check(row: SourceRow) -> tuple[Test, ...]:
    """Return one test for each assert of `check`, or loop around asserts.

    What stands before an assert is its setup. Repeats and asserts of a constant, which test nothing, are dropped.
    """
    tests: dict[Test, None] = {}
    setup: list[str] = []
    for statement in _statements(row):
        if not asserts(statement):
            setup.append(ast.unparse(statement))
        elif not (isinstance(statement, ast.Assert) and isinstance(statement.test, ast.Constant)):
            tests[Test("\n".join(setup), _without_message(statement))] = None
    if not tests:
        raise row.fault("test", "holds no assert in its function check(candidate)")
    return tuple(_seeded(test) for test in tests)


def _statements(row: SourceRow) -> Iterator[ast.stmt]:
    """Yield the statements of the test's module, METADATA aside, then those of `check`."""
    body = row.python("test", row.text("test")).body
    checks = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if not checks or [argument.arg for argument in checks[-1].args.args] != ["candidate"]:
        raise row.fault("test", "defines no function check(candidate)")
    yield from (node for node in body if node not in checks and "METADATA" not in defined_names(node))
    yield from checks[-1].body


def _without_message(statement: ast.stmt) -> str:
    # Asserts that differ in nothing but their messages are repeats.
    return ast.unparse(ast.Assert(statement.test) if isinstance(statement, ast.Assert) else statement)


def _seeded(test: Test) -> Test:
    """Seed the global random generator of a test that may draw from it, so that every run tests the same."""
    imports = (node for node in ast.walk(parse_python(test.setup)) if isinstance(node, ast.Import | ast.ImportFrom))
    modules = {getattr(node, "module", None) or node.names[0].name for node in imports}
    return Test(f"{SEED_LINES}\n{test.setup}", test.code) if "random" in modules else test


def _find_helpers(row: SourceRow, prompt: str, entry_point: str, tests: tuple[Test, ...]) -> str:
    """Return the prompt without the entry point's stub where the tests call functions that the prompt defines.

    The tests must never run the candidate's version of such a function.
    """
    used = {name for test in tests for name in loaded_names(parse_python(test.setup + "\n" + test.code))}
    tree = row.python("prompt", prompt)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    stub = functions.pop(entry_point, None)
    if stub is None or not used & functions.keys():
        return ""
    lines = prompt.split("\n")
    return "\n".join(lines[: stub.lineno - 1] + lines[stub.end_lineno :]).strip() + "\n"
