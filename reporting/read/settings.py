"""Settings: the model, edit and kind of world that a group of verdicts has in common."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...schemas.problems import Problem
from ...schemas.samples import TOLD
from ...schemas.verdicts import Verdict

World = Literal["own", "none", "edited", "all", "other", "either"]
WORLDS: tuple[World, ...] = ("own", "none", "edited", "all", "other")

WORLDS_IN_WORDS: dict[World, str] = {
    "own": "the problem's own change is active",
    "none": "no change is active",
    "edited": "the edited changes are active",
    "all": "all changes are active",
    "other": "other changes are active",
}

PROMPTED = frozenset({"docs", *TOLD.values()})
"""Methods that edit no weights: the prompt carries the documentation of changes."""

_REGIMES = {"": 0, "none": 1, "instant": 2, "sequential": 3, "batch": 4}


@dataclass(frozen=True, slots=True)
class Setting:
    """What verdicts of one group have in common; None where they do not say.

    `subject` and `requests` are what an edit was keyed on, and what it taught (`target` in rows of earlier versions);
    `style` is how the model was asked, to complete a program or in a chat. `step` is how many changes the model was
    edited with; where a verdict has no `step`, as many as its `edited` names. `world`: the kind of world, see `_world`.
    """

    model: str | None
    method: str | None
    regime: str | None
    subject: str | None
    target: str | None
    requests: str | None
    style: str | None
    hparams_sha256: str | None
    step: int | None
    world: World

    @property
    def told(self) -> bool:
        """Tell whether the model's prompts carried documentation of the changes: a baseline that edits nothing."""
        return self.method in PROMPTED

    @property
    def edited(self) -> bool:
        """Tell whether the model was edited: else it is a baseline, or a model that edittool knows nothing about."""
        return not self.told and (self.method not in (None, "none") or bool(self.step))

    @property
    def model_state(self) -> "Setting":
        """Return what the verdicts of one state of a model have in common, whatever world they were judged in."""
        return replace(self, world="own")

    @property
    def in_sequence(self) -> bool:
        """Tell whether this is a step of a sequence of edits: one that does not say which is none."""
        return self.regime == "sequential" and self.step is not None

    @property
    def series(self) -> "Setting":
        """Return what the steps of one sequence have in common."""
        return replace(self, step=None)

    def order(self) -> tuple[Any, ...]:
        """Return a key to sort by: unedited models first, then those that were told; steps by their number."""
        names = (
            self.model,
            self.method,
            self.subject,
            self.target,
            self.requests,
            self.style,
            self.hparams_sha256,
        )
        known = tuple((name is not None, name or "") for name in names)
        regime = (_REGIMES.get(self.regime or "", len(_REGIMES)), self.regime or "", self.regime is not None)
        step = (self.step or 0, self.step is not None)
        return (known[0], 2 * self.edited + self.told, known[1], regime, *known[2:], step, WORLDS.index(self.world))


def setting_of(verdict: Verdict, problem: Problem, changes: Collection[str]) -> Setting:
    """Return the setting of `verdict`; `changes` are the ids of all changes of the benchmark.

    The world of a verdict on a problem without a change is "either" where no change is active: its own world and none
    are the same there.
    """
    step = len(verdict.edited) or None if verdict.step is None else verdict.step
    return Setting(
        model=verdict.model,
        method=verdict.method,
        regime=verdict.regime,
        subject=verdict.subject,
        target=verdict.target,
        requests=_requests(verdict),
        style=verdict.style,
        hparams_sha256=verdict.hparams_sha256,
        step=step,
        world=_world(verdict, problem, changes),
    )


def _requests(verdict: Verdict) -> str | None:
    """Return by which requests an edit taught; how many there were differs from change to change and is no setting."""
    if verdict.requests is None or verdict.requests_per_change is None:
        return verdict.requests
    return f"{verdict.requests}, at most {verdict.requests_per_change} a change"


def active_changes(verdict: Verdict, problem: Problem) -> tuple[str, ...]:
    """Return the changes that were active while the program ran, sorted."""
    own = () if problem.change_id is None else (problem.change_id,)
    return tuple(sorted(set(own if verdict.active_changes is None else verdict.active_changes)))


def _world(verdict: Verdict, problem: Problem, changes: Collection[str]) -> World:
    """Return the kind of world: the problem's own change active, none though it has one, the edited ones, all, others.

    A problem without a change counts as in its own world with the one change that the model was edited with last:
    there it stands beside the problems of that change. An unedited model's verdict on such a problem, judged in the
    world of an edit to be held against that edit, belongs to its own world too.
    """
    own = set() if problem.change_id is None else {problem.change_id}
    active, edited, newest = set(active_changes(verdict, problem)), set(verdict.edited), set(verdict.edited[-1:])
    if not (own or active):
        return "either"
    if active == own or (not own and len(active) == 1 and (active == newest or not edited)):
        return "own"
    if not active:
        return "none"
    if active == set(changes):
        return "all"
    return "edited" if active == edited else "other"
