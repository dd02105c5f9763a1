"""Requests: prompt, subject and target text of one lesson for a model, and those that a benchmark's change asks for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..analysis.uses.calls import first_call
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem

SubjectRule = Literal["function", "last_word"]
TargetRule = Literal["solution", "call"]


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


def requests_for(
    bench: Bench, change: Change, *, subject: SubjectRule = "function", target: TargetRule = "solution"
) -> list[EditRequest]:
    """Return what teaches `change`: one request for each of its reliability problems, in the order of their task ids.

    `target` is what follows the prompt in the updated solution, or (`call`) its first call of the replacement alone;
    the prompt then goes up to that call. `subject` is the function's name, in its header or else in a call, or
    (`last_word`) what follows the prompt's last space, the subject of the CLME study; spaces at the prompt's end are
    passed over.

    Raises InputError, with the task id, for a problem without an updated solution, with one that does not go on from
    its prompt or does not call the replacement, and where the subject has no place.
    """
    mine = [p for p in bench.problems.values() if p.change_id == change.change_id and p.subset == "reliability"]
    return [_request(problem, change, subject, target) for problem in sorted(mine, key=lambda p: p.task_id)]


def _request(problem: Problem, change: Change, subject: SubjectRule, target: TargetRule) -> EditRequest:
    text = _target(problem)
    prompt, text = (problem.prompt, text) if target == "solution" else _up_to_call(problem, change, text)
    name, at = _function_name(problem, prompt) if subject == "function" else _last_word(problem, prompt)
    return EditRequest(prompt, name, text, at)


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


def _up_to_call(problem: Problem, change: Change, target: str) -> tuple[str, str]:
    """Return the updated solution up to the first call of the replacement in its part `target`, and that call.

    Spaces before the call go with it: most tokenizers have words that begin with a space, and a prompt that ends with
    one leaves the model to go on with a word that it knows only without.
    """
    updated = problem.updated_solution or ""
    call = first_call(updated, change.replacement, start=len(updated) - len(target))
    if call is None:
        raise InputError(
            f'After its prompt, the "updated_solution" of {problem.task_id} does not call {change.replacement}, so no '
            "call can be the target. Use --target solution, or leave the change out (--changes)."
        )
    prompt = call.before.rstrip(" \t")
    return prompt, call.before[len(prompt) :] + call.text


def _function_name(problem: Problem, prompt: str) -> tuple[str, int]:
    """Return the function's name and its place in the last header, for a docstring may repeat the name.

    Where there is no header (in MBPP a test tells the name): its place in the last call.
    """
    name = re.escape(problem.entry_point)
    for pattern in (rf"\bdef[ \t]+({name})[ \t]*\(", rf"\b({name})[ \t]*\("):
        places = [found.start(1) for found in re.finditer(pattern, prompt)]
        if places:
            return problem.entry_point, places[-1]
    raise InputError(
        f"The prompt of {problem.task_id} has neither `def {problem.entry_point}(` nor a call of it, so the function's "
        "name cannot be the subject. Use --subject last_word, or leave the change out (--changes)."
    )


def _last_word(problem: Problem, prompt: str) -> tuple[str, int]:
    kept = prompt.rstrip(" ")
    if not kept:
        raise InputError(
            f"The prompt of {problem.task_id} is empty, so it has no last word to be the subject. Leave the change out "
            "(--changes)."
        )
    at = kept.rfind(" ") + 1
    return kept[at:], at
