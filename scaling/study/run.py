"""A study at work: its steps one after the other, those that are done passed over, and what is missing in the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ...schemas.errors import EdittoolError
from .plan import Entry, Plan
from .record import Record
from .steps import Step, first_steps, last_steps


class Hands(Protocol):
    """What a study works with: who runs its commands, and is told of them."""

    def check(self, step: Step) -> None:
        """Raise EdittoolError where the edit `step` cannot be made, as far as that can be told without a model."""

    def execute(self, step: Step) -> int:
        """Run the command of `step` and return its exit code. Raises EdittoolError where it fails."""
        ...

    def passed_over(self, step: Step) -> None:
        """Hear that `step` is done already."""

    def failed(self, step: Step) -> None:
        """Hear that `step` has failed."""

    def gone_past(self, error: EdittoolError) -> None:
        """Hear that the study goes on in spite of `error`."""


@dataclass(slots=True)
class Outcome:
    """How a study ended.

    `ran` are the steps that ran, and `unjudged` those of them with samples that could not be judged. `missing` are
    the steps of methods that are not done, so that the reports lack them; `error` is the first one that was gone past.
    """

    ran: list[Step] = field(default_factory=list)
    unjudged: list[Step] = field(default_factory=list)
    missing: list[Step] = field(default_factory=list)
    error: EdittoolError | None = None


def run_study(
    plan: Plan, entries: Sequence[Entry], folder: Path, record: Record, hands: Hands, *, keep_going: bool = False
) -> Outcome:
    """Run the steps of `entries` that are not done, and the reports over all methods of `plan` that are.

    Every edit is checked before anything runs. Raises EdittoolError of the first step that fails; with `keep_going`
    what is left of its method is passed over instead, and only a step that serves all methods ends the study.
    """
    run = _Run(record, hands, keep_going)
    steps = first_steps(plan, folder, entries)
    for step in steps:
        if step.kind == "edit" and step.entry and not record.is_done(step):
            run.attempt(step, hands.check)
    for step in steps:
        run.attempt(step, run.do)
    making = [step for step in first_steps(plan, folder, plan.methods) if step.entry and step.makes]
    run.outcome.missing = missing = [step for step in making if not run.is_done(step)]
    # An edit that found all its edits saved, from before this study, has no journal.
    lost = {path for step in making for path in step.makes if step in missing or not path.exists()}
    for last in last_steps(plan, folder, lost):
        run.attempt(last, run.do)
    record.finish()
    return run.outcome


class _Run:
    """One run of a study: what of it is done, which methods have failed, and the outcome so far."""

    def __init__(self, record: Record, hands: Hands, keep_going: bool):
        self.outcome = Outcome()
        self._failed: set[str] = set()
        self._record, self._hands, self._keep_going = record, hands, keep_going

    def is_done(self, step: Step) -> bool:
        """Tell whether `step` is done: some samples that cannot be judged are no reason to leave out the others."""
        return step in self.outcome.unjudged or self._record.is_done(step)

    def attempt(self, step: Step, work: Callable[[Step], object]) -> None:
        """Let `work` have `step`, unless its method has failed; it has where `work` raises and the study may go on."""
        if step.entry is not None and step.entry.name in self._failed:
            return
        try:
            work(step)
        except EdittoolError as error:
            self._hands.failed(step)
            if step.entry is None or not self._keep_going:
                raise
            self._hands.gone_past(error)
            self._failed.add(step.entry.name)
            self.outcome.error = self.outcome.error or error

    def do(self, step: Step) -> None:
        """Run `step`, unless it is done, and write down that it is. Raises EdittoolError where it fails."""
        if self._record.is_done(step):
            self._hands.passed_over(step)
            return
        code = self._hands.execute(step)
        self.outcome.ran.append(step)
        if code:
            self.outcome.unjudged.append(step)
        else:
            self._record.note(step)
