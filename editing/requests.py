"""Requests: prompt, subject and target text of one lesson for a model, and those that a benchmark's change asks for."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

from ..analysis.uses.calls import first_call
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from .statements import OF_A_VALUE, statements_of

RequestKind = Literal["solution", "call", "statement"]
RequestRule = Literal["solution", "call", "statement", "all"]
SubjectRule = Literal["api", "function", "last_word"]

KINDS: tuple[RequestKind, ...] = ("solution", "call", "statement")  # in this order they are taught
SUBJECTS: tuple[SubjectRule, ...] = ("api", "function", "last_word")


@dataclass(frozen=True, slots=True)
class EditRequest:
    """After `prompt`, the model shall write `target`; `subject` is the name in the prompt that the edit is keyed on.

    `at` says where in the prompt (in characters) the subject that counts begins; it may be left out where the subject
    stands in the prompt once. `kind` and `keyed_on` say what a benchmark's request is made of, and what its subject is:
    no method reads them.
    """

    prompt: str
    subject: str
    target: str
    at: int | None = None
    kind: RequestKind | None = field(default=None, compare=False)
    keyed_on: SubjectRule | None = field(default=None, compare=False)

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
    bench: Bench,
    change: Change,
    *,
    requests: RequestRule = "solution",
    subject: SubjectRule = "function",
    per_change: int | None = None,
) -> list[EditRequest]:
    """Return what teaches `change`: solutions, then calls, then statements, as far as `requests` asks for them.

    A `solution` teaches what follows the prompt of a reliability problem in its updated solution, a `call` the first
    call of the replacement there, after all that stands before it: one for each problem, in the order of their task
    ids. A `statement` is a text about the change itself: see `statements`. `all` are the three; a solution in which the
    replacement is handed on and not called has no call among them.

    `subject` is what a request is keyed on. `api`: the deprecated name in the prompt, else the replacement's, at the
    last place with nothing or white space behind it, or the last of all; where neither stands there, as for `function`.
    `function`: the function's name, in its header or else in a call; statements are keyed on the API. `last_word`: what
    follows the prompt's last space, the subject of the CLME study; spaces at the prompt's end are passed over. Where
    that is the API's name, as in some statements, the request is keyed on the API.

    At most `per_change` requests are chosen: kinds take turns, and calls come from the last problem on backwards, so
    that few requests speak of many problems.

    Raises InputError, with the task id, for a problem without an updated solution, with one that does not go on from
    its prompt or (`call`) does not call the replacement, and where the subject has no place.
    """
    mine = [p for p in bench.problems.values() if p.change_id == change.change_id and p.subset == "reliability"]
    problems = sorted(mine, key=lambda p: p.task_id)
    made: dict[RequestKind, list[EditRequest]] = {kind: [] for kind in KINDS if requests in (kind, "all")}
    for kind in made:
        made[kind] = list(
            _statements(change, subject)
            if kind == "statement"
            else _of_problems(problems, change, kind, subject, requests == "all")
        )
    return [request for chosen in _chosen(made, per_change).values() for request in chosen]


def request_of(problem: Problem, change: Change, kind: RequestKind, subject: SubjectRule) -> EditRequest:
    """Return the request (`solution` or `call`) that `problem` makes. Raises InputError as `requests_for` does."""
    text = _target(problem)
    prompt = problem.prompt
    if kind == "call":
        parted = _up_to_call(problem, change, text)
        if parted is None:
            raise InputError(
                f'After its prompt, the "updated_solution" of {problem.task_id} does not call {change.replacement}, so '
                "no call can be the target. Use --requests solution or all, or leave the change out (--changes)."
            )
        prompt, text = parted
    name, at, keyed_on = _subject(problem, change, prompt, subject)
    return EditRequest(prompt, name, text, at, kind, keyed_on)


def tally(requests: Iterable[EditRequest]) -> dict[str, Any]:
    """Return how many `requests` there are, of each kind, and keyed on what, as rows have it.

    What counts for nothing is left out: kinds that there are none of, and `keyed_on` where no request says it.
    """
    requests = list(requests)
    kinds, keys = Counter(one.kind for one in requests), Counter(one.keyed_on for one in requests)
    keyed_on = {name: keys[name] for name in SUBJECTS if keys[name]}
    return {
        "requests": len(requests),
        "kinds": {name: kinds[name] for name in KINDS if kinds[name]},
        **({"keyed_on": keyed_on} if keyed_on else {}),
    }


def _of_problems(
    problems: Iterable[Problem], change: Change, kind: RequestKind, subject: SubjectRule, passing_over: bool
) -> Iterator[EditRequest]:
    """Yield a request for each problem; `passing_over` those whose solution does not call the replacement."""
    for problem in problems:
        if not (passing_over and kind == "call" and _up_to_call(problem, change, _target(problem)) is None):
            yield request_of(problem, change, kind, subject)


def _statements(change: Change, subject: SubjectRule) -> Iterator[EditRequest]:
    for _, prompt, target in statements_of(change):
        api = _api_name(change, prompt)
        name, at = api if api and subject != "last_word" else _last_word(prompt)
        yield EditRequest(prompt, name, target, at, "statement", "api" if (name, at) == api else "last_word")


def _chosen(made: dict[RequestKind, list[EditRequest]], limit: int | None) -> dict[RequestKind, list[EditRequest]]:
    """Return at most `limit` of the requests, in their order: the kinds take turns."""
    if limit is None:
        return made
    turns = [[(kind, place) for place in range(len(requests))] for kind, requests in made.items()]
    turns = [turn[::-1] if turn and turn[0][0] == "call" else turn for turn in turns]
    kept = [one for turn in zip_longest(*turns) for one in turn if one is not None][:limit]
    return {
        kind: [one for place, one in enumerate(requests) if (kind, place) in kept] for kind, requests in made.items()
    }


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


def _up_to_call(problem: Problem, change: Change, target: str) -> tuple[str, str] | None:
    """Return the updated solution up to the first call of the replacement in its part `target`, and that call.

    Spaces before the call go with it: most tokenizers have words that begin with a space, and a prompt that ends with
    one leaves the model to go on with a word that it knows only without.
    """
    updated = problem.updated_solution or ""
    call = first_call(updated, change.replacement, start=len(updated) - len(target))
    if call is None:
        return None
    prompt = call.before.rstrip(" \t")
    return prompt, call.before[len(prompt) :] + call.text


def _subject(problem: Problem, change: Change, prompt: str, rule: SubjectRule) -> tuple[str, int, SubjectRule]:
    """Return the subject, its place, and the rule that it was found by."""
    found = _api_name(change, prompt) if rule == "api" else None
    if found is not None:
        return *found, "api"
    if rule == "last_word":
        if not prompt.strip(" "):
            raise InputError(
                f"The prompt of {problem.task_id} is empty, so it has no last word to be the subject. Leave the change "
                "out (--changes)."
            )
        return *_last_word(prompt), "last_word"
    return *_function_name(problem, prompt), "function"


def _api_name(change: Change, prompt: str) -> tuple[str, int] | None:
    """Return the deprecated name in `prompt` and its place, or else the replacement's; None where neither is there.

    The last that white space or nothing follows, or else the last of all: what follows at once may be one token with
    its end. A function may stand there without its module (`from math import sqrt`), a method behind any value
    (`text.split()`).
    """
    for api in (change.deprecated, change.replacement):
        *owners, name = map(re.escape, api.split("."))
        lead = ""
        for owner in owners:
            lead = rf"(?:{lead}{owner}\.)?"
        before = r"(?<!\w)" if change.kind in OF_A_VALUE else r"(?<![\w.])"
        found = list(re.finditer(rf"{before}{lead}{name}(?!\w)", prompt))
        apart = [one for one in found if prompt[one.end() : one.end() + 1].isspace() or one.end() == len(prompt)]
        if found:
            last = (apart or found)[-1]
            return last.group(), last.start()
    return None


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


def _last_word(prompt: str) -> tuple[str, int]:
    kept = prompt.rstrip(" ")
    at = kept.rfind(" ") + 1
    return kept[at:], at
