"""What a model is taught: for a prompt, the program text that should follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem


@dataclass(frozen=True, slots=True)
class EditRequest:
    """After `prompt`, the model shall write `target`; `subject` is the name in the prompt that the edit is keyed on.

    `at` says where in the prompt (in characters) the subject that counts begins; it may be left out where the subject
    stands in the prompt once.
    """

    prompt: str
    subject: str
    target: str
    at: int | None = None

    def place(self) -> int:
        """Return where the subject begins. Raises InputError where it is missing, or stands there more than once."""
        if self.at is not None:
            if not self.subject or not self.prompt.startswith(self.subject, self.at):
                raise InputError(f"The prompt does not have the subject {self.subject!r} at character {self.at}.")
            return self.at
        count = self.prompt.count(self.subject) if self.subject else 0
        if count != 1:
            raise InputError(
                f"The subject {self.subject!r} stands {count} times in the prompt {self.prompt[:60]!r}...; it has to "
                "stand there once, or the request says at which character (`at`)."
            )
        return self.prompt.index(self.subject)


def need_requests(method: str, requests: Sequence[EditRequest]) -> None:
    """Raise InputError where there is nothing to teach."""
    if not requests:
        raise InputError(f"There is nothing to teach: {method} needs at least one request.")


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
