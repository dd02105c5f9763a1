"""What a study will cost: edits, samples and programs, counted from the stages of its edits without a model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .steps import Step

if TYPE_CHECKING:
    from ...editing.runs.plan import Stage


@dataclass(frozen=True, slots=True)
class Counts:
    """Edits to be made, samples to be drawn by the subset of their problem, and programs to be judged."""

    edits: int = 0
    samples: Mapping[str, int] = field(default_factory=dict)
    programs: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        samples = Counter(self.samples) + Counter(other.samples)
        return Counts(self.edits + other.edits, dict(samples), self.programs + other.programs)

    def __str__(self) -> str:
        drawn = ", ".join(f"{self.samples[subset]} {subset}" for subset in sorted(self.samples))
        parts = [
            _counted(self.edits, "edit"),
            _counted(sum(self.samples.values()), "sample") + f" ({drawn})" * bool(drawn),
            _counted(self.programs, "program") + " to judge" * bool(self.programs),
        ]
        return ", ".join(part for part in parts if part)

    def __bool__(self) -> bool:
        return bool(str(self))


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}" if number else ""


@dataclass(frozen=True, slots=True)
class Look:
    """The stages of one command `edittool edit`, each sampled `n` times a problem; `edits` says whether it edits."""

    stages: "Sequence[Stage]"
    n: int
    edits: bool


def count(step: Step, looks: Mapping[Path, Look]) -> Counts:
    """Return what `step` costs; `looks` has the stages of each file of samples that it reads or makes."""
    if step.kind == "edit":
        look = looks[step.makes[0]]
        edits = {edit for stage in look.stages for edit in stage.edits} if look.edits else ()
        return Counts(len(edits), _samples(look))
    if step.kind == "judge":
        answered, *edited = (looks[path] for path in step.reads)
        return Counts(programs=_programs(answered, edited) if edited else _samples(answered).total())
    return Counts()


def _samples(look: Look) -> Counter[str]:
    subsets = Counter(problem.subset for stage in look.stages for problem in stage.problems)
    return Counter({subset: problems * look.n for subset, problems in subsets.items()})


def _programs(answered: Look, edited: Sequence[Look]) -> int:
    """Return how many programs the samples of `answered` are in the worlds of `edited`."""
    stages = [stage for look in edited for stage in look.stages]
    worlds = {(problem.task_id, stage.world(problem)) for stage in stages for problem in stage.problems}
    asked = {problem.task_id for stage in answered.stages for problem in stage.problems}
    return answered.n * sum(task_id in asked for task_id, _ in worlds)
