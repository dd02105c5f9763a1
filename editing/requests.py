"""What a model is taught: for a prompt, the program text that should follow."""

from dataclasses import dataclass

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem


@dataclass(frozen=True, slots=True)
class EditRequest:
    """After `prompt`, the model shall write `target`; `subject` is the name in the prompt that the edit is keyed on."""

    prompt: str
    subject: str
    target: str


def requests_for(bench: Bench, change: Change) -> list[EditRequest]:
    """Return what teaches `change`: the updated solutions of its reliability problems, in the order of their task ids.

    Raises InputError for a problem without an updated solution, or with one that does not go on from its prompt.
    """
    mine = [p for p in bench.problems.values() if p.change_id == change.change_id and p.subset == "reliability"]
    problems = sorted(mine, key=lambda problem: problem.task_id)
    return [EditRequest(problem.prompt, problem.entry_point, _target(problem)) for problem in problems]


def _target(problem: Problem) -> str:
    """Return what follows the prompt in the updated solution.

    Rewriting may have changed the prompt's own imports or helpers; the entry point's header still leads to its end.
    """
    updated = problem.updated_solution
    if not updated:
        raise InputError(
            f'The problem {problem.task_id} is for reliability but has no "updated_solution": there is nothing to '
            "teach. Build the benchmark again."
        )
    for lead in (problem.prompt, problem.prompt[max(0, problem.prompt.rfind(f"def {problem.entry_point}(")) :]):
        _, found, target = updated.partition(lead)
        if found and target.strip():
            return target
    raise InputError(
        f'The "updated_solution" of {problem.task_id} does not go on from its prompt, so there is no target to teach. '
        "Let it begin with the prompt, word for word."
    )
