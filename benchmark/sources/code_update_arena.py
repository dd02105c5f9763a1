"""CodeUpdateArena: each update is a change in place, and each of its tasks a problem of that change.

Three layouts are read, told apart by their fields: a task beside its update (`prog_syn`), as the authors' example has
it; an update with all of its tasks (`prog_syn_examples`); and one row for each task (`scenario` beside `update`). The
file is a JSON object, a list of them or JSON Lines, as it is or packed with gzip.

The set has no solution of before an update: its reference needs the update (`needs_change`). It is written on from the
prompt, which the signature of the task makes with its imports; what stood above the function then stands below it.
The library's own function is called `old_NAME` in an update; in the shim, where the library is as it really is, that
is what it was. A row that cannot be used is left out with the reason, and so is an update without a usable task.
"""

import ast
import builtins
import json
import re
import sys
import typing
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...schemas.changes import ApiKind, Change, bare_parameters
from ...schemas.errors import InputError, RowsError
from ...schemas.packed import open_content
from ...schemas.problems import Problem, Test
from ...schemas.rejections import Rejection
from ..python_source import NotPythonError, defined_names, loaded_names, parse_python
from ..usages.apis import Api, UnchangeableApiError, UnknownApiError, find_api
from ..usages.signatures import signature_of
from .rows import normalise_lines

SOURCE = "CodeUpdateArena"

_Row = Mapping[str, Any]


class _UnusableError(Exception):
    """Why a row makes no change, or no problem."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Updates:
    """The changes of the set with their problems, in the order of its rows, and what was left out."""

    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    rejections: tuple[Rejection, ...]


def load_code_update_arena(path: Path) -> Updates:
    """Return the changes and problems of a CodeUpdateArena file.

    Raises InputError for a file that cannot be read, is no JSON, or has no row with an update.
    """
    changes: dict[str, Change] = {}
    problems: dict[str, Problem] = {}
    rejections: list[Rejection] = []
    refused: dict[str, _UnusableError] = {}
    for number, (row, task) in enumerate(_tasks(path), 1):
        task_id = str(task.get("prog_syn_id") or f"{SOURCE}/{number}")
        try:
            change_id = _text(row, "specific_update_id", "update_id", within=row["update"])
            if change_id not in changes and change_id not in refused:
                _add_change(change_id, row["update"], changes, refused)
            if change_id in refused:
                raise _UnusableError("unusable_update", f"its update {change_id} is left out")
            if task_id in problems:
                raise _UnusableError("repeated", "a task of the same prog_syn_id stands before it")
            problems[task_id], left_out = _make_problem(task_id, task, changes[change_id])
        except _UnusableError as reason:
            rejections.append(Rejection(task_id, None, reason.reason, reason.detail))
            continue
        if left_out:
            rejections.append(Rejection(task_id, None, "some_tests", left_out))
    rejections += [Rejection(None, change_id, one.reason, one.detail) for change_id, one in refused.items()]
    shown = {problem.change_id for problem in problems.values()}
    for change_id in [one for one in changes if one not in shown]:
        del changes[change_id]
        rejections.append(Rejection(None, change_id, "no_problem", "none of its tasks can be used"))
    return Updates(tuple(changes.values()), divide(list(problems.values())), tuple(rejections))


def divide(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return `problems`, of each change the first half in reliability (rounded down, one at least), the others not."""
    total = Counter(problem.change_id for problem in problems)
    seen: Counter[str | None] = Counter()
    divided: list[Problem] = []
    for problem in problems:
        first = seen[problem.change_id] < max(1, total[problem.change_id] // 2)
        seen[problem.change_id] += 1
        divided.append(replace(problem, subset="reliability" if first else "generalization"))
    return tuple(divided)


def without_worlds(
    problems: Sequence[Problem], faults: Mapping[str, str | None]
) -> tuple[list[Problem], list[Rejection]]:
    """Return the problems of changes whose world can be made, and the others and their changes as rejections.

    `faults` says, by the id of a change, what is in the way of its world; None for nothing.
    """
    kept: list[Problem] = []
    rejections: list[Rejection] = []
    for problem in problems:
        if problem.change_id is None or faults.get(problem.change_id) is None:
            kept.append(problem)
        else:
            detail = f"its update {problem.change_id} is left out"
            rejections.append(Rejection(problem.task_id, None, "unusable_update", detail))
    rejections += [Rejection(None, name, "no_world", fault) for name, fault in faults.items() if fault is not None]
    return kept, rejections


# The rows


def _tasks(path: Path) -> Iterator[tuple[_Row, _Row]]:
    """Yield each task, in whatever layout, with the row that has its update."""
    rows = [row for row in _read(path) if isinstance(row, dict)]
    if not any(isinstance(row.get("update"), dict) for row in rows):
        raise InputError(f'{path} has no row with an "update". Give the JSON Lines file of {SOURCE}.')
    for row in rows:
        whole = row if isinstance(row.get("update"), dict) else {**row, "update": {}}
        tasks = row.get("prog_syn_examples", row.get("prog_syn", row))
        for task in tasks if isinstance(tasks, list) else [tasks]:
            own = task if isinstance(task, dict) else {}
            yield whole, {"prog_syn_id": row.get("prog_syn_id"), **own}


def _read(path: Path) -> list[Any]:
    try:
        with open_content(path) as file:
            text = file.read().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Give the JSON Lines file of {SOURCE}.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8. Give the JSON Lines file of {SOURCE}.") from None
    except RowsError as error:
        raise InputError(str(error)) from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return [_parse(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def _parse(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number}: not a line of JSON ({error}). Repair or remove it.") from None


def _text(row: _Row, *names: str, within: _Row | None = None) -> str:
    """Return the text that `row`, or `within`, has under the first of `names` that is there."""
    for name in names:
        for place in (row, within or {}):
            if isinstance(place.get(name), str) and place[name].strip():
                return normalise_lines(place[name])
    raise _UnusableError("missing_field", f'the text "{names[0]}" is missing')


def _lines(row: _Row, *names: str) -> str:
    """Return the program that `row` has under one of `names`, as a text or as a list of lines; "" for none."""
    value = next((row[name] for name in names if row.get(name)), "")
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(value)
    if not isinstance(value, str):
        raise _UnusableError("missing_field", f'"{names[0]}" must be a text or a list of texts')
    return normalise_lines(value)


def _python(text: str, field: str) -> ast.Module:
    try:
        return parse_python(text)
    except NotPythonError as error:
        raise _UnusableError("not_python", f'"{field}" is not Python ({error})') from None


# The change


def _add_change(change_id: str, row: _Row, changes: dict[str, Change], refused: dict[str, _UnusableError]) -> None:
    try:
        changes[change_id] = _make_change(change_id, row)
    except _UnusableError as reason:
        refused[change_id] = reason


def _make_change(change_id: str, row: _Row) -> Change:
    api = _text(row, "api_path", "function_path")
    if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", api):
        raise _UnusableError("not_python", f'"api_path" is no dotted name: {api!r}')
    new = _text(row, "new_function_signature", "signature")
    implementation = _text(row, "new_impl", "implementation")
    definition = defined_names(_python(implementation, "new_impl")).get(api.rpartition(".")[2])
    if not isinstance(definition, ast.FunctionDef):
        raise _UnusableError("new_name", f"its implementation defines no function called as {api}: the name changes")
    known = _known(api)
    signature = _signature(new) or f"{api}({ast.unparse(definition.args)})"
    old = _old_signature(api, row, known)
    if _parameters(api, old) == _parameters(api, signature):
        old = ""  # what changes does not show in a call: any may be a use of it
    return Change(
        change_id=change_id,
        deprecated=api,
        replacement=api,
        usage="reordered",
        signature=signature,
        shim=_make_shim(api, row, implementation),
        doc=_first_sentence(_text(row, "update_description", "description")),
        kind=_kind(known),
        old_signature=old and f"{api}({_parameters(api, old)})",
    )


def _known(api: str) -> Api | None:
    """Return what a member of the standard library is; None for another."""
    try:
        return find_api(api)
    except (UnknownApiError, UnchangeableApiError):
        return None


def _kind(known: Api | None) -> ApiKind | None:
    return None if known is None else known.kind


def _signature(text: str) -> str:
    """Return a signature as Python has it, on a line and without `def` and colon; "" where it is none."""
    signature = re.sub(r"\s+", " ", text).strip().removeprefix("def ").removesuffix(":").rstrip()
    try:
        bare_parameters(signature)
    except (SyntaxError, ValueError):
        return ""
    return signature


def _old_signature(api: str, row: _Row, known: Api | None) -> str:
    """Return the signature of before: the row's, or of the standard library as it is known here."""
    given = row.get("old_signature")
    signature = _signature(given) if isinstance(given, str) and given.strip() else ""
    if not signature and known is not None:
        try:
            signature = f"{api}{signature_of(known).whole}"
        except UnchangeableApiError:
            signature = ""
    if not signature:
        raise _UnusableError("no_old_signature", f"how {api} was called is neither given nor known")
    return signature


def _parameters(api: str, signature: str) -> str:
    """Return the parameters of a signature, of a method those after its object."""
    parameters = bare_parameters(signature)
    owner = api.split(".")[-2]
    if not owner[:1].isupper():
        return parameters
    return re.sub(r"^self(, /)?(, |$)", "", parameters)


def _first_sentence(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`])", line)[0]


def _make_shim(api: str, row: _Row, implementation: str) -> str:
    """Return the update as a shim: its imports, the old function by its old name, and the new one."""
    owner, _, name = api.rpartition(".")
    tree = _python(_lines(row, "imports"), "imports")
    kept = [node for node in tree.body if not isinstance(node, ast.Expr)]  # setattr on the library: it is not touched
    head = [ast.unparse(node) for node in kept]
    root = api.partition(".")[0]
    bound = {name for node in kept for name in defined_names(node)}
    if root not in bound and not hasattr(builtins, root):
        head.insert(0, f"import {root}")
    if f"old_{name}" not in bound:
        head.append(f"old_{name} = {api}")
    body = implementation.replace(f"{owner}.old_{name}", f"old_{name}").strip("\n")
    return "\n".join(head) + f"\n\n\n{body}\n"


# The problem


def _make_problem(task_id: str, task: _Row, change: Change) -> tuple[Problem, str]:
    """Return the problem of a task, and what is to be said of tests that are left out; "" for nothing."""
    reference = _text(task, "ref_solution")
    signature = _function(_text(task, "solution_signature"))
    imports: list[ast.stmt] = [
        node
        for node in _python(_lines(task, "imports", "prog_syn_imports"), "imports").body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    tree = _python(reference, "ref_solution")
    if signature.name not in defined_names(tree):
        raise _UnusableError("no_usable_solution", f"the reference does not define {signature.name}")
    imports += _imports_of(signature, imports, tree)
    prompt = _make_prompt(signature, imports, _text(task, "scenario"), _text(task, "problem"))
    solution = _go_on(prompt, signature, reference, tree)
    tests, left_out = _make_tests(task, change, signature.name, [*imports, *tree.body])
    problem = Problem(
        task_id=task_id,
        prompt=prompt,
        entry_point=signature.name,
        solution=solution,
        tests=tests,
        subset="reliability",
        change_id=change.change_id,
        updated_solution=solution,
        source=SOURCE,
        needs_change=True,
    )
    return problem, left_out


def _function(text: str) -> ast.FunctionDef:
    line = text.strip().removesuffix(":")
    body = _python(f"{line}:\n    pass\n", "solution_signature").body
    if len(body) != 1 or not isinstance(body[0], ast.FunctionDef):
        raise _UnusableError("not_python", '"solution_signature" is no signature of a function')
    return body[0]


def _imports_of(signature: ast.FunctionDef, imports: Sequence[ast.stmt], tree: ast.Module) -> list[ast.stmt]:
    """Return the imports that a signature needs beside `imports`: those of the reference, or from `typing`."""
    bound = {name for node in imports for name in defined_names(node)} | vars(builtins).keys()
    needed = [name for name in loaded_names(signature) if name not in bound]
    found: dict[str, ast.stmt] = {}
    for name in needed:
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom) and name in defined_names(node):
                alias = [one for one in node.names if (one.asname or one.name.partition(".")[0]) == name]
                found[name] = (
                    ast.Import(alias)
                    if isinstance(node, ast.Import)
                    else ast.ImportFrom(node.module, alias, node.level)
                )
        if name not in found and name in typing.__all__:
            found[name] = ast.ImportFrom("typing", [ast.alias(name)], 0)
    return list(found.values())


def _make_prompt(signature: ast.FunctionDef, imports: Sequence[ast.stmt], scenario: str, problem: str) -> str:
    head = "".join(f"{line}\n" for line in dict.fromkeys(map(ast.unparse, imports)))
    said = f"{scenario.strip()}\n\n{problem.strip()}".replace('"""', "'''")
    lines = "\n".join(f"    {line}" if line.strip() else "" for line in said.split("\n"))
    mark = 'r"""' if "\\" in said else '"""'
    start = ast.unparse(signature).rpartition("\n")[0]
    return f'{head}\n\n{start}\n    {mark}\n{lines}\n    """\n'.lstrip("\n")


def _go_on(prompt: str, signature: ast.FunctionDef, reference: str, tree: ast.Module) -> str:
    """Return the reference as a program that goes on from `prompt`; where it cannot, as it is."""
    node = defined_names(tree)[signature.name]
    if not isinstance(node, ast.FunctionDef) or node.decorator_list or node.body[0].col_offset != 4:
        return reference
    if ast.dump(node.args) != ast.dump(signature.args) and _names(node) != _names(signature):
        return reference
    lines = reference.split("\n")
    first = node.body[0].lineno - 1
    if first < node.lineno:
        return reference  # all in one line
    while first > node.lineno and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    others = [*lines[: node.lineno - 1], *lines[node.end_lineno or len(lines) :]]
    rest = "\n".join(others).strip("\n")
    body = "\n".join(lines[first : node.end_lineno])
    return f"{prompt}{body}\n" + (f"\n\n{rest}\n" if rest else "")


def _names(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)]


# The tests


def _make_tests(task: _Row, change: Change, function: str, program: Sequence[ast.stmt]) -> tuple[tuple[Test, ...], str]:
    """Return a test for each test function, and what is to be said of those left out; "" for nothing."""
    tests: dict[Test, None] = {}
    left_out: list[str] = []
    failing = _failing(task)
    for node in _test_functions(task):
        why = "it does not pass with the update" if node.name in failing else _why_not(node, change, function)
        if why:
            left_out.append(f"{node.name}: {why}")
        else:
            tests[Test(_setup(node, change, program), f"{ast.unparse(node)}\n\n{node.name}()")] = None
    if not tests:
        raise _UnusableError("no_tests", f"no test can be used{'; ' * bool(left_out)}{'; '.join(left_out)}")
    return tuple(tests), "; ".join(left_out)


def _test_functions(task: _Row) -> list[ast.FunctionDef]:
    given = task.get("unit_tests")
    texts = given if isinstance(given, list) and all(isinstance(one, str) for one in given) else None
    if texts is None:
        texts = [_text(task, "unit_tests")]
    found = (node for text in texts for node in _python(normalise_lines(text), "unit_tests").body)
    return [node for node in found if isinstance(node, ast.FunctionDef) and not node.args.args]


def _failing(task: _Row) -> set[str]:
    """Return the tests that the set says do not pass: by number, of all that were tried or of those that are there."""
    said = task.get("unit_tests_pass_w_update")
    if not isinstance(said, dict):
        return set()
    tried = next(
        (
            texts
            for texts in (task.get("unit_test_skeletons"), task.get("unit_tests"))
            if isinstance(texts, list) and len(texts) == len(said)
        ),
        [],
    )
    names = [re.search(r"def (\w+)", text) for text in tried if isinstance(text, str)]
    return {name[1] for number, name in enumerate(names) if name and said.get(str(number)) is False}


def _why_not(node: ast.FunctionDef, change: Change, function: str) -> str:
    """Return why a test cannot run where tests run: with the standard library, as it was before the update."""
    if function not in loaded_names(node):
        return f"it does not call {function}"
    for one in ast.walk(node):
        modules = [alias.name for alias in one.names] if isinstance(one, ast.Import) else []
        modules += [one.module or ""] if isinstance(one, ast.ImportFrom) else []
        foreign = [name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names]
        if foreign:
            return f"it needs {foreign[0]}, which is not where tests run"
    package = change.deprecated.partition(".")[0]
    if package in loaded_names(node) and package not in sys.stdlib_module_names:
        return f"it needs {package}, which is not where tests run"
    return ""


def _setup(node: ast.FunctionDef, change: Change, program: Sequence[ast.stmt]) -> str:
    """Return the imports of the program that a test leans on, and the old function where it is asked for."""
    owner, _, name = change.deprecated.rpartition(".")
    used = set(loaded_names(node))
    root = owner.partition(".")[0]
    lines: dict[str, None] = {}
    if root in used or f"old_{name}" in used:
        lines[f"import {root}"] = None
    for statement in program:
        if isinstance(statement, ast.Import | ast.ImportFrom) and used & defined_names(statement).keys():
            module = getattr(statement, "module", None) or statement.names[0].name
            if module.partition(".")[0] in sys.stdlib_module_names:
                lines[ast.unparse(statement)] = None
    if f"old_{name}" in used:
        lines[f"old_{name} = {change.deprecated}"] = None
    return "\n".join(lines)
