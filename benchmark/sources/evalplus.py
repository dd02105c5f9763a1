"""HumanEval+ and MBPP+: the problems of HumanEval and MBPP with many more inputs, each of which counts alone.

Both come in two layouts, told apart by their fields:

- EvalPlus's own files (HumanEvalPlus.jsonl, MbppPlus.jsonl): `base_input` and `plus_input`, without outputs. The
  expected output comes from the reference solution: it stands in the problem's trusted `helpers`, with names of
  its own, and runs beside the tests.
- The Hugging Face hub's files (evalplus/humanevalplus, evalplus/mbppplus): `test`, a program with the lists `inputs`
  and `results` and a loop over both. Its comparison needs NumPy, so ours (`agreement`) takes its place; results that
  the file lacks, being large, come from the reference here too.

An input of more than MAX_INPUT characters is left out, and so are the tests after the first MAX_TESTS, or MAX_TOTAL
characters, of one problem; `Loaded.left_out` counts them.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schemas.problems import Problem, Test
from ..python_source import defined_names
from . import agreement
from .mbpp import find_entry_point, make_prompt
from .retyping import restore_types
from .rows import LeftOut, Loaded, SourceRow, has_huge_number, read_source

MAX_TESTS = 1000
MAX_INPUT = 20_000
MAX_TOTAL = 2_000_000

# What is accepted beside the expected output, or in place of it, where there is more than one right answer.
_CHECKS = {
    "HumanEval/32": (
        "root = candidate(*inputs)\n"
        "assert abs(sum(factor * root**power for power, factor in enumerate(inputs[0]))) <= 1e-4"
    ),
    "Mbpp/164": "assert isinstance(candidate(*inputs), bool)",
    "Mbpp/295": "assert candidate(*inputs) in (0, {expected})",
    "Mbpp/558": (  # digits may be paired from the right, the shorter number filled up with zeros
        "pairs = zip(*(str(number).zfill(len(str(max(inputs)))) for number in inputs))\n"
        "assert candidate(*inputs) in ({expected}, sum(abs(int(one) - int(other)) for one, other in pairs))"
    ),
    "Mbpp/581": (  # the height may be that of the pyramid, or that of its sides
        "base, height = inputs\n"
        "assert candidate(*inputs) in ({expected}, round(base**2 + 2 * base * (base**2 / 4 + height**2) ** 0.5))"
    ),
    **dict.fromkeys(
        (f"Mbpp/{number}" for number in (2, 7, 111, 140, 232, 249, 579, 769)),
        "assert same_members(candidate(*inputs), {expected})",
    ),
}
_YES_OR_NO = {"check_str", "text_match_three", "text_starta_endb"}  # the references return a match of `re`, or None


@dataclass(frozen=True, slots=True)
class _Task:
    """What both layouts come down to; an expected output of None is to be asked of the reference."""

    task_id: str
    prompt: str
    solution: str
    entry_point: str
    inputs: list[str]
    expected: list[str] | None
    tolerance: float


def load_humaneval_plus(path: Path) -> Loaded:
    """Return the problems of a HumanEval+ file, all in specificity: no change touches them yet.

    Raises InputError, naming file, line and field, for a row that is not one of HumanEval+.
    """
    return _load(path, "HumanEval+", _read_humaneval)


def load_mbpp_plus(path: Path) -> Loaded:
    """Return the problems of an MBPP+ file, all in specificity: no change touches them yet.

    Raises InputError, naming file, line and field, for a row that is not one of MBPP+.
    """
    return _load(path, "MBPP+", _read_mbpp)


def _load(path: Path, source: str, read: Callable[[SourceRow, str], _Task]) -> Loaded:
    problems: list[Problem] = []
    left_out: list[LeftOut] = []
    for row in read_source(path, source):
        task_id = _task_id(row, "HumanEval" if source == "HumanEval+" else "Mbpp")
        if "test" in row.data and has_huge_number(row.text("test")):
            left_out.append(LeftOut(task_id, "unreadable_tests", "a number of more digits than Python reads"))
            continue
        task = read(row, task_id)
        kept = _choose(task)
        if len(kept) < len(task.inputs):
            detail = f"{len(task.inputs) - len(kept)} of {len(task.inputs)} inputs are too large or too many"
            left_out.append(LeftOut(task_id, "some_tests" if kept else "too_big", detail))
        if kept:
            problems.append(_make_problem(task, source, kept))
    return Loaded(tuple(problems), tuple(left_out))


def _task_id(row: SourceRow, prefix: str) -> str:
    """Return EvalPlus's own form of the id, the one that samples made for EvalPlus have."""
    value = row.data.get("task_id")
    return row.text("task_id") if isinstance(value, str) else f"{prefix}/{row.number('task_id')}"


def _read_humaneval(row: SourceRow, task_id: str) -> _Task:
    prompt, entry_point = row.text("prompt"), row.text("entry_point")
    solution = prompt + row.text("canonical_solution")
    _check_defines(row, "canonical_solution", solution, entry_point)
    cases = _read_inputs(row, task_id) if "base_input" in row.data else _read_test(row)
    return _Task(task_id, prompt, solution, entry_point, *cases)


def _read_mbpp(row: SourceRow, task_id: str) -> _Task:
    if "base_input" in row.data:
        prompt, entry_point = row.text("prompt").strip("\n") + "\n", row.text("entry_point")
        row.python("prompt", prompt)
        solution = prompt + row.text("canonical_solution").strip("\n") + "\n"
        _check_defines(row, "canonical_solution", solution, entry_point)
        return _Task(task_id, prompt, solution, entry_point, *_read_inputs(row, task_id))
    asserts = row.texts("test_list")
    prompt = make_prompt(row.text("prompt"), asserts[0].strip())
    code = row.text("code").strip("\n") + "\n"
    trees = [row.python("test_list", test) for test in asserts]
    entry_point = find_entry_point(row, row.python("code", code), trees)
    return _Task(task_id, prompt, prompt + code, entry_point, *_read_test(row))


def _check_defines(row: SourceRow, field: str, solution: str, entry_point: str) -> None:
    if entry_point not in defined_names(row.python(field, solution)):
        raise row.fault("entry_point", f"names {entry_point!r}, which the solution does not define")


# EvalPlus's layout


def _read_inputs(row: SourceRow, task_id: str) -> tuple[list[str], None, float]:
    inputs = [*_lists(row, "base_input"), *(_lists(row, "plus_input") if row.data.get("plus_input") else [])]
    if not inputs:
        raise row.fault("base_input", "holds no input")
    tolerance = row.data.get("atol", 0)
    if not isinstance(tolerance, int | float) or isinstance(tolerance, bool):
        raise row.fault("atol", "must be a number")
    try:
        texts = [repr(restore_types(task_id, arguments)) for arguments in inputs]
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise row.fault("base_input", f"or plus_input does not fit the task ({error})") from None
    return list(dict.fromkeys(texts)), None, tolerance


def _lists(row: SourceRow, field: str) -> list[list[Any]]:
    value = row.data.get(field)
    if not isinstance(value, list) or not all(isinstance(item, list) for item in value):
        raise row.fault(field, "must be a list of lists of arguments")
    return value


# The hub's layout


def _read_test(row: SourceRow) -> tuple[list[str], list[str] | None, float]:
    text = row.text("test")
    statements = _statements(row.python("test", text))
    lists = _assigned(statements)
    source = text.encode("utf-8").split(b"\n")
    inputs = _items(row, source, lists, "inputs")
    results = _items(row, source, lists, "results") if "results" in lists else None
    if not inputs:
        raise row.fault("test", 'holds no list "inputs" with something in it')
    if results is not None and len(results) != len(inputs):
        raise row.fault("test", f"has {len(inputs)} inputs but {len(results)} results")
    return inputs, results, next(_tolerances(statements), 0)


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements of the module and of `check`: a walk over the lists, which are long, would take seconds."""
    checks = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check")
    return [*tree.body, *(statement for check in checks for statement in check.body)]


def _assigned(statements: list[ast.stmt]) -> dict[str, ast.expr]:
    assignments = [node for node in statements if isinstance(node, ast.Assign)]
    return {target.id: node.value for node in assignments for target in node.targets if isinstance(target, ast.Name)}


def _items(row: SourceRow, source: list[bytes], lists: dict[str, ast.expr], name: str) -> list[str]:
    value = lists.get(name)
    if not isinstance(value, ast.List):
        raise row.fault("test", f'holds no list "{name}"')
    return [_text_of(item, source) for item in value.elts]


def _text_of(node: ast.expr, source: list[bytes]) -> str:
    if node.lineno != node.end_lineno:
        return ast.unparse(node)
    return source[node.lineno - 1][node.col_offset : node.end_col_offset].decode("utf-8")


def _tolerances(statements: list[ast.stmt]) -> Iterator[float]:
    for node in (node for loop in statements if isinstance(loop, ast.For) for node in ast.walk(loop)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assertion":
            last = node.args[-1]
            if isinstance(last, ast.Constant) and isinstance(last.value, int | float):
                yield last.value


# Problems


def _choose(task: _Task) -> list[int]:
    """Return the places of the inputs that are kept: the first ones, those too large passed over."""
    kept: list[int] = []
    total = 0
    for place, arguments in enumerate(task.inputs):
        size = len(arguments) + (len(task.expected[place]) if task.expected else 0)
        if size <= MAX_INPUT and total + size <= MAX_TOTAL and len(kept) < MAX_TESTS:
            kept.append(place)
            total += size
    return kept


def _make_problem(task: _Task, source: str, kept: list[int]) -> Problem:
    check = _CHECKS.get(task.task_id, "assert agrees(candidate(*inputs), {expected}, {tolerance})")
    if source == "MBPP+" and task.entry_point in _YES_OR_NO:
        check = "assert says_the_same(candidate(*inputs), {expected})"
    tests = []
    for place in kept:
        expected = task.expected[place] if task.expected else "reference(*inputs)"
        code = check.replace("{expected}", expected).replace("{tolerance}", repr(task.tolerance))
        tests.append(Test("", f"inputs = {task.inputs[place]}\n{code}"))
    return Problem(
        task_id=task.task_id,
        prompt=task.prompt,
        entry_point=task.entry_point,
        solution=task.solution,
        tests=tuple(dict.fromkeys(tests)),
        subset="specificity",
        change_id=None,
        helpers=_make_helpers(task, "{expected}" in check),
        source=source,
    )


def _make_helpers(task: _Task, compares: bool) -> str:
    parts = ["from math import inf, nan\n"]
    if compares:
        parts.append(inspect.getsource(agreement))
        if task.expected is None:
            parts.append(_REFERENCE.format(solution=task.solution, entry_point=task.entry_point))
        elif any(name in text for text in task.expected + task.inputs for name in _COLLECTIONS):
            parts.append(f"from collections import {', '.join(_COLLECTIONS)}\n")
    return "\n".join(parts)


_COLLECTIONS = ("Counter", "OrderedDict", "defaultdict", "deque")

# Names of its own: the entry point's name belongs to the stand-in, which a recursive reference must not call.
_REFERENCE = """\
_names = {{"__name__": "reference"}}
exec({solution!r}, _names)
reference = _names[{entry_point!r}]
"""
