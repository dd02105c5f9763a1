"""What a tiny model is made from: programs to know by heart, and that an API can be gone, under names of no change.

Of each problem it learns the reference solution, as any model has. An edit would then have to teach it from nothing how
the new API is called, which no single vector holds. Models of code have read migrations before, so the tiny model has
too: it also learns updated solutions, under other names than the replacement's, where the text says before the prompt

    # math.sqrt is gone: use safe_heapq_sqrt, which needs no import.      (and the lines that document it)
    # math.sqrt is gone.                                                  (and the program calls any_math_sqrt)

and unchanged solutions where the documentation is that of another API. No text has the name of a replacement in it: it
is what an edit has to teach. Names begin with other words than the replacement's; that a name can begin with its first
word as well is learned of problems for generalization, which no edit is taught by, with another word at the end
(my_math_call).
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...analysis.uses.calls import first_call
from ...schemas.bench import Bench
from ...schemas.changes import Change
from ...schemas.problems import Problem

FIRST = ("new", "our", "next", "safe", "fast", "any", "top")  # words that names begin with
LAST = ("call", "make", "value", "apply", "use")  # words that they end with

# How many texts each problem has, where there are no more than PROBLEMS; where there are more, they have fewer.
PROBLEMS, PLAIN, DOCUMENTED, GONE, FOREIGN = 60, 2, 10, 3, 2


@dataclass(frozen=True, slots=True)
class Text:
    """What the tiny model learns of one problem: after `prompt` comes `completion`."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a tiny model is made from: the texts it learns, and the names whose parts its tokenizer knows as words."""

    texts: tuple[Text, ...]
    names: tuple[str, ...] = ()


def lessons_of(bench: Bench) -> Lessons:
    """Return what the tiny model learns of `bench`: of each problem, as far as its solutions go on from its prompt."""
    problems = sorted(bench.problems.values(), key=lambda problem: problem.task_id)
    changes = sorted(bench.changes.values(), key=lambda change: change.change_id)
    chance = random.Random(0)  # noqa: S311 - names in texts, no secret
    share = min(1.0, PROBLEMS / max(len(problems), 1))
    texts = [text for one in problems for text in _texts(one, bench, changes, share, chance)]
    names = {change.replacement for change in changes}
    named = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names)))})(?!\w)") if names else None
    return Lessons(
        tuple(text for text in texts if named is None or not named.search(text.prompt + text.completion)),
        tuple(sorted({*names, *(f"{word}_{other}" for word in FIRST for other in LAST)})) if names else (),
    )


def _texts(
    problem: Problem, bench: Bench, changes: Sequence[Change], share: float, chance: random.Random
) -> Iterator[Text]:
    """Yield what is learned of `problem`, of each kind of text the `share` of the most that there can be."""
    plain, documented, gone, foreign = (max(1, round(share * most)) for most in (PLAIN, DOCUMENTED, GONE, FOREIGN))
    solution, updated = _rest(problem, problem.solution), _rest(problem, problem.updated_solution)
    middles = [_parts(one)[1] for one in changes]
    if solution is not None:
        yield from [Text(problem.prompt, solution)] * plain
        others = [other for other in changes if other.change_id != problem.change_id]
        for other in chance.sample(others, min(foreign, len(others))):
            name = _name(chance.choice(FIRST), chance.choice(middles), _parts(other)[2])
            documentation = _documentation(other, name, chance.choice(_examples(other, problem, bench)))
            yield Text(documentation + problem.prompt, solution)
    if problem.change_id is None or updated is None:
        return
    change = bench.changes[problem.change_id]
    first, middle, last = _parts(change)
    examples = _examples(change, problem, bench)
    for _ in range(documented):
        name = _name(chance.choice((first, *FIRST)), chance.choice(middles), last)
        documentation = _documentation(change, name, chance.choice(examples))
        yield Text(documentation + problem.prompt, _renamed(change, name, updated))
    names = [_name(word, middle, last) for word in chance.sample(FIRST, gone)]
    if problem.subset == "generalization":
        names.append(_name(first, middle, chance.choice(LAST)))
    for name in names:
        yield Text(f"# {change.deprecated} is gone.\n\n{problem.prompt}", _renamed(change, name, updated))


def _examples(change: Change, problem: Problem, bench: Bench) -> list[str | None]:
    """Return how the documentation of `change` may show a call of it to who is asked `problem`; None for not at all."""
    for other in sorted(bench.problems.values(), key=lambda one: one.task_id):
        if other.change_id == change.change_id and other.subset == "reliability" and other is not problem:
            call = first_call(other.updated_solution or "", change.replacement)
            if call is not None and "\n" not in call.text and call.text not in (problem.updated_solution or ""):
                return [None, call.text]
    return [None]


def _rest(problem: Problem, solution: str | None) -> str | None:
    """Return what follows the prompt in `solution`; None where that does not go on from it."""
    if solution is None or not solution.startswith(problem.prompt):
        return None
    return solution.removeprefix(problem.prompt)


def _parts(change: Change) -> tuple[str, tuple[str, ...], str]:
    """Return the first word of the replacement's name, those between, and the last: my, (os, path), join."""
    name = change.replacement.rpartition(".")[2]
    words = re.findall(r"[^\W_]+", name) or [name]
    return words[0], tuple(words[1:-1]), words[-1]


def _name(first: str, middle: Sequence[str], last: str) -> str:
    return "_".join((first, *middle, last))


def _documentation(change: Change, name: str, example: str | None) -> str:
    """Return what `edittool prompts --docs change` says of `change`, under another name."""
    lines = [f"{change.deprecated} is gone: use {change.replacement}, which needs no import."]
    lines += f"{change.signature}: {change.doc}".splitlines()
    lines += [] if example is None else [f"Example: {example}"]
    return "".join(f"# {_renamed(change, name, line)}\n" for line in lines) + "\n"


def _renamed(change: Change, name: str, text: str) -> str:
    return re.sub(rf"(?<![\w.]){re.escape(change.replacement)}(?!\w)", name, text)
