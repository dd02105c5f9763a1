"""What a prompt says about an API change: its signature, its line of documentation, and a usage example.

An example never comes from the problem that is asked, and never from one for generalization: it is one that the
author of the change gave, or a call in the updated solution of another reliability problem of the same change, which
is what an edited model is taught. One that stands in a reference solution of the problem asked is passed over.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..analysis.uses.calls import first_call
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.problems import Problem

MAX_EXAMPLE = 200  # characters: a longer call shows its own problem more than the API


class _Example(NamedTuple):
    task_id: str | None  # the problem it was taken from; None for one that came with the change
    code: str


class ChangeDocs:
    """The documentation of the changes of `bench`, as lines of text."""

    def __init__(self, bench: Bench):
        self._bench = bench
        self._examples: dict[str, tuple[_Example, ...]] = {}

    def lines(self, changes: Sequence[Change], problem: Problem) -> list[str]:
        """Return the lines that document `changes` to a model that is asked `problem`."""
        return [line for change in changes for line in self._lines(change, problem)]

    def example(self, change: Change, problem: Problem) -> str | None:
        """Return code that uses the replacement of `change` and tells nothing of `problem`; None where there is none.

        See the head of this file for where it comes from.
        """
        references = (problem.solution, problem.updated_solution or "", problem.fully_updated_solution or "")
        for example in self._examples_of(change):
            if example.task_id != problem.task_id and not any(example.code in text for text in references):
                return example.code
        return None

    def _lines(self, change: Change, problem: Problem) -> Iterator[str]:
        imported = "" if "." in change.replacement else ", which needs no import"
        yield f"{change.deprecated} is gone: use {change.replacement}{imported}."
        yield from f"{change.signature}: {change.doc}".splitlines()
        example = self.example(change, problem)
        if example is not None:
            first, *others = example.splitlines()
            yield f"Example: {first}"
            yield from (f"         {line}" for line in others)

    def _examples_of(self, change: Change) -> tuple[_Example, ...]:
        if change.change_id not in self._examples:
            own = (_Example(None, example.after.strip()) for example in change.examples)
            found = (*own, *self._taught_calls(change))
            self._examples[change.change_id] = tuple(one for one in found if 0 < len(one.code) <= MAX_EXAMPLE)
        return self._examples[change.change_id]

    def _taught_calls(self, change: Change) -> Iterator[_Example]:
        mine = (one for one in self._bench.problems.values() if one.change_id == change.change_id)
        for problem in sorted(mine, key=lambda one: one.task_id):
            if problem.subset == "reliability" and problem.updated_solution:
                call = first_call(problem.updated_solution, change.replacement)
                if call is not None:
                    yield _Example(problem.task_id, call.text)
