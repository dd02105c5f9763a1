"""APPS: its call-based rows as problems, each pair of inputs and output a test that counts alone.

A row needs a function for the tests to call: `input_output` names it (`fn_name`), and `starter_code` says
whether it is a method of `class Solution`. The other rows of APPS are programs that read standard input. The sandbox
loads a program once and then calls its functions, so those rows are left out (`standard_input`).

A test of more than MAX_TEST characters is left out, and so are the tests after the first MAX_TESTS of one problem;
`Loaded.left_out` counts them. (APPS has problems with hundreds of tests, some of megabytes.)
"""

import ast
import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...schemas.problems import Problem, Test
from ..python_source import defined_names, loaded_names, parse_python
from .rows import LeftOut, Loaded, Reason, SourceRow, has_huge_number, normalise_lines, read_source

SOURCE = "APPS"
MAX_TESTS = 50
MAX_TEST = 20_000

Form = Literal["function", "method"]

# APPS takes a function's outputs from JSON: tuples are lists there, and an output may stand in a list of its own.
HELPERS = '''\
from math import inf, nan


def matches(found, expected):
    """Say whether the output is the expected one, or the first of the list that the data set wraps it in."""
    found = _as_json(found)
    return found == expected or (isinstance(expected, list) and expected != [] and found == expected[0])


def _as_json(value):
    return [_as_json(item) for item in value] if isinstance(value, list | tuple) else value
'''

# What the authors of the solutions took for imported; the programs say it here.
_MODULES = (
    "bisect",
    "collections",
    "copy",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "random",
    "re",
    "string",
    "sys",
)
_MEMBERS = {
    "bisect": "bisect_left bisect_right insort",
    "collections": "Counter OrderedDict defaultdict deque namedtuple",
    "functools": "lru_cache reduce",
    "heapq": "heapify heappop heappush nlargest nsmallest",
    "itertools": "accumulate chain combinations count cycle groupby permutations product",
    "math": "ceil factorial floor gcd inf sqrt",
    "typing": "Any Dict List Optional Set Tuple Union",
}
_IMPORTS = {name: f"import {name}" for name in _MODULES} | {
    name: f"from {module} import {name}" for module, names in _MEMBERS.items() for name in names.split()
}


class _UnusableError(Exception):
    """Why a row makes no problem."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class _Solution:
    """A reference program and how its function is called."""

    program: str
    form: Form


def load_apps(path: Path) -> Loaded:
    """Return the call-based problems of an APPS JSONL file, all in specificity: no change touches them yet.

    Raises InputError, naming file, line and field, for a row that is not one of APPS.
    """
    problems: list[Problem] = []
    left_out: list[LeftOut] = []
    for row in read_source(path, SOURCE, keys=("problem_id", "id")):
        task_id = f"{SOURCE}/{row.number('problem_id' if 'problem_id' in row.data else 'id')}"
        try:
            problem, tests = _make_problem(row, task_id)
        except _UnusableError as reason:
            left_out.append(LeftOut(task_id, reason.reason, reason.detail))
            continue
        problems.append(problem)
        if len(problem.tests) < tests:
            detail = f"{tests - len(problem.tests)} of {tests} tests are too large or too many"
            left_out.append(LeftOut(task_id, "some_tests", detail))
    return Loaded(tuple(problems), tuple(left_out))


def _make_problem(row: SourceRow, task_id: str) -> tuple[Problem, int]:
    """Return the problem of a row, and how many tests the row has."""
    question, starter = row.text("question"), _optional_text(row, "starter_code")
    if _is_unreadable(row.data.get("input_output")):
        raise _UnusableError("unreadable_tests", "a number of more digits than Python reads")
    cases = _read_object(row, "input_output")
    function = cases.get("fn_name")
    if not cases:
        raise _UnusableError("no_tests", "input_output is empty")
    if function is None:
        raise _UnusableError("standard_input", "the program reads standard input: there is no function to call")
    if not isinstance(function, str) or not function.isidentifier():
        raise row.fault("input_output", "must hold the name of a function as its fn_name")
    solution = _choose_solution(row, function, starter)
    call = f"Solution().{function}" if solution.form == "method" else "candidate"
    found = _make_tests(row, cases, call)
    prompt = _make_prompt(question, starter, function)
    difficulty = _optional_text(row, "difficulty")
    problem = Problem(
        task_id=task_id,
        prompt=prompt,
        entry_point="Solution" if solution.form == "method" else function,
        solution=f"{prompt}{solution.program}",
        tests=_bounded(found),
        subset="specificity",
        change_id=None,
        helpers=HELPERS,
        source=SOURCE,
        opaque=solution.form == "method",  # the tests hold an instance of the candidate's class
        tags=(difficulty,) if difficulty else (),
    )
    return problem, len(found)


def _optional_text(row: SourceRow, field: str) -> str:
    return row.text(field) if row.data.get(field) is not None else ""


def _is_unreadable(cases: object) -> bool:
    # Programs that read standard input have their numbers in texts.
    return isinstance(cases, str) and '"fn_name"' in cases and has_huge_number(cases)


def _read_object(row: SourceRow, field: str) -> Mapping[str, Any]:
    value = row.nested(field)
    if value is not None and not isinstance(value, dict):
        raise row.fault(field, "must be a JSON object, or a string that holds one")
    return value or {}


# The reference


def _choose_solution(row: SourceRow, function: str, starter: str) -> _Solution:
    """Return the first solution that is Python, defines `function`, and has the form that the starter code asks for."""
    programs = row.nested("solutions") or []
    if not isinstance(programs, list) or not all(isinstance(program, str) for program in programs):
        raise row.fault("solutions", "must be a list of programs, or a string that holds one as JSON")
    if not programs:
        raise _UnusableError("no_solution", "the row has no solution")
    wanted = "method" if re.search(r"\bclass Solution\b", starter) else "function" if starter.strip() else None
    trouble: list[str] = []
    for program in programs:
        text = normalise_lines(program).strip("\n") + "\n"
        try:
            tree = parse_python(text)
        except ValueError as error:
            trouble.append(str(error))
            continue
        form = _form(tree, function)
        if form is not None and wanted in (None, form):
            return _Solution(_missing_imports(tree) + text, form)
        trouble.append(f"defines no {function}")
    python2 = all(_is_python2(what) for what in trouble)
    raise _UnusableError(
        "python2" if python2 else "no_usable_solution", f"{len(trouble)} solutions; the first: {trouble[0]}"
    )


def _form(tree: ast.Module, function: str) -> Form | None:
    names = defined_names(tree)
    if function in names:
        return "function"
    solution = names.get("Solution")
    methods = solution.body if isinstance(solution, ast.ClassDef) else []
    return "method" if any(isinstance(node, ast.FunctionDef) and node.name == function for node in methods) else None


def _is_python2(error: str) -> bool:
    """Say whether a message of Python 3's parser is about what was right in Python 2."""
    return (
        re.search(r"Missing parentheses in call to '(print|exec)'|multiple exception types|leading zeros|tabs", error)
        is not None
    )


def _missing_imports(tree: ast.Module) -> str:
    """Return imports of the names that the program reads, nobody binds, and APPS takes for imported."""
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.stmt):
            bound |= defined_names(statement).keys()
    missing = loaded_names(tree).keys() - bound - vars(builtins).keys()
    return "".join(f"{_IMPORTS[name]}\n" for name in sorted(missing) if name in _IMPORTS)


# The prompt and the tests


def _make_prompt(question: str, starter: str, function: str) -> str:
    """Return a docstring, a valid start of a program, that says what to write and how it is to be called."""
    ending = f"Begin with:\n{starter.strip()}" if starter.strip() else f"Write a function {function}."
    content = f"{question.strip()}\n\n{ending}".replace('"""', "'''")
    return f'{"r" if chr(92) in content else ""}"""\n{content}\n"""\n'


def _make_tests(row: SourceRow, cases: Mapping[str, Any], call: str) -> list[Test]:
    inputs, outputs = cases.get("inputs"), cases.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise row.fault("input_output", "must hold inputs and outputs, two lists of one length")
    if not all(isinstance(arguments, list) for arguments in inputs):
        raise row.fault("input_output", "must hold one list of arguments for each call")
    tests: dict[Test, None] = {}
    for arguments, output in zip(inputs, outputs, strict=True):
        values = ", ".join(repr(_with_whole_keys(value)) for value in arguments)
        tests[Test("", f"assert matches({call}({values}), {_with_whole_keys(output)!r})")] = None
    if not tests:
        raise _UnusableError("no_tests", "inputs and outputs are empty")
    return list(tests)


def _with_whole_keys(value: object) -> object:
    """Return `value` with the keys of its objects as integers where all of them are: JSON made strings of them."""
    if isinstance(value, list):
        return [_with_whole_keys(item) for item in value]
    if not isinstance(value, dict):
        return value
    whole = bool(value) and all(re.fullmatch(r"-?\d{1,18}", key) for key in value)
    return {int(key) if whole else key: _with_whole_keys(item) for key, item in value.items()}


def _bounded(tests: list[Test]) -> tuple[Test, ...]:
    small = [test for test in tests if len(test.code) <= MAX_TEST]
    if not small:
        raise _UnusableError("too_big", f"each of the {len(tests)} tests has more than {MAX_TEST:,} characters")
    return tuple(small[:MAX_TESTS])
