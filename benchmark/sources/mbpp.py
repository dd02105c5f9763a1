"""MBPP: its rows as problems. The prompt is a docstring with the text and the first test."""

import ast
import re
import sys
from pathlib import Path

from ...schemas.problems import Problem, Test
from ..python_source import called_names, defined_names, loaded_names
from .rows import SourceRow, read_source

SOURCE = "MBPP"
SAYS_USING = "says_using"  # the text says "using ..." and may name the API itself: report with and without


def load_mbpp(path: Path) -> list[Problem]:
    """Return the problems of an MBPP JSONL file, all in specificity: no change touches them yet.

    `test_list` makes the tests. `challenge_test_list` is left out: only 11 of 974 problems have one, and results
    would no longer compare with anybody else's. Raises InputError, naming file, line and field, for a row that is not
    one of MBPP.
    """
    return [_make_problem(row) for row in read_source(path, SOURCE)]


def _make_problem(row: SourceRow) -> Problem:
    text, code = row.text("text"), row.text("code").strip("\n") + "\n"
    program = row.python("code", code)
    asserts = [test.strip() for test in row.texts("test_list")]
    setup = row.text("test_setup_code").strip()
    trees = [row.python("test_list", f"{setup}\n{test}") for test in asserts]
    prompt = make_prompt(text, asserts[0])
    return Problem(
        task_id=f"{SOURCE}/{row.number('task_id')}",
        prompt=prompt,
        entry_point=find_entry_point(row, program, trees),
        solution=prompt + code,
        tests=tuple(Test(_borrowed_imports(program, trees) + setup, test) for test in dict.fromkeys(asserts)),
        subset="specificity",
        change_id=None,
        source=SOURCE,
        opaque=_exchanges_objects(program, trees),
        tags=(SAYS_USING,) if re.search(r"\busing\b", text) else (),
    )


def make_prompt(text: str, test: str) -> str:
    r"""Return a valid start of a program: a docstring, raw where a backslash is to be shown as it is."""
    content = f"{text.strip()}\n{test}".replace('"""', "'''")
    return f'{"r" if chr(92) in content else ""}"""\n{content}\n"""\n'


def find_entry_point(row: SourceRow, program: ast.Module, tests: list[ast.Module]) -> str:
    """Return the function of `program` that the tests call first; raise InputError where they call none."""
    defined = defined_names(program)
    called = [name for test in tests for name in called_names(test) if name in defined]
    functions = [name for name in called if isinstance(defined[name], ast.FunctionDef)]
    if not functions:
        raise row.fault("test_list", 'calls no function that "code" defines')
    return functions[0]


def _borrowed_imports(program: ast.Module, tests: list[ast.Module]) -> str:
    """Return imports of the standard modules that the tests use and only the solution imports.

    The tests must not lean on what the candidate's program happens to import.
    """
    used = {name for test in tests for name in loaded_names(test)}
    imported = {name for name, node in defined_names(program).items() if isinstance(node, ast.Import)}
    return "".join(f"import {name}\n" for name in sorted(used & imported & sys.stdlib_module_names))


def _exchanges_objects(program: ast.Module, tests: list[ast.Module]) -> bool:
    """Say whether the tests make objects of the candidate's own classes, which cannot be copied to it."""
    classes = {name for name, node in defined_names(program).items() if isinstance(node, ast.ClassDef)}
    return any(classes & called_names(test).keys() for test in tests)
