"""How the modules of the built-in benchmark declare their problems."""

import ast

from ...schemas.problems import Problem, Subset, Test

SOURCE = "edittool builtin"


def problem(
    change_id: str | None, subset: Subset, *, prompt: str, body: str, tests: str, updated: str | None = None
) -> Problem:
    """Make a problem from its texts, each with a line break after the opening quotes.

    `prompt` ends with the docstring of the function to write, `body` goes on from there, `updated` is that body with
    the replacement, and every line of `tests` is one test. The function's name is the problem's.
    """
    prompt = prompt.removeprefix("\n")
    name = _last_function(prompt)
    return Problem(
        task_id=f"builtin/{name}",
        prompt=prompt,
        entry_point=name,
        solution=prompt + body.removeprefix("\n"),
        tests=tuple(Test(setup="", code=line) for line in tests.strip().splitlines()),
        subset=subset,
        change_id=change_id,
        updated_solution=None if updated is None else prompt + updated.removeprefix("\n"),
        source=SOURCE,
    )


def _last_function(prompt: str) -> str:
    return [node.name for node in ast.parse(prompt).body if isinstance(node, ast.FunctionDef)][-1]
