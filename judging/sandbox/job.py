"""A job, one program to run against one problem's tests in one world, and its finding."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from ...sandbox_images.python.boundary.limits import MAX_JOB_BYTES, MAX_PROGRAM_BYTES
from ...schemas.changes import Change
from ...schemas.problems import Problem
from ...schemas.verdicts import Label, LabelDetail, Outcome, Stage

_LONGEST_LETTER: Final = 12  # bytes, of JSON in ASCII: \ud83d\ude00
_BETWEEN: Final = 20  # bytes that a text takes in a message beside its own: its field's name, quotes, braces


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use."""

    cpu_seconds: float = 3.0  # CPU time of the candidate's process, loading and all tests together
    wall_seconds: float = 15.0  # backstop for programs that sleep or wait
    memory_mib: int = 256  # the container's memory, swap off
    output_kib: int = 1024  # what the candidate may print


@dataclass(frozen=True, slots=True)
class Job:
    """One program for one problem, with the changes active while it runs. `tag` is the caller's own.

    `traced` names attributes: an instrumented program calls `__edittool_trace__(n, x)` before it loads the n-th of x.
    """

    program: str
    problem: Problem
    changes: tuple[Change, ...] = ()
    tag: Any = None
    traced: tuple[str, ...] = ()

    def message(self, limits: Limits) -> dict[str, Any]:
        """Return what the runner is sent for this job, to be run within `limits`."""
        problem = self.problem
        return {
            "program": self.program,
            "changes": [
                {"deprecated": change.deprecated, "replacement": change.replacement, "shim": change.shim}
                for change in self.changes
            ],
            "traced": list(self.traced),
            "entry_point": problem.entry_point,
            "helpers": problem.helpers,
            "tests": [{"setup": test.setup, "code": test.code} for test in problem.tests],
            "cpu_seconds": limits.cpu_seconds,
            "wall_seconds": limits.wall_seconds,
        }

    def excess(self) -> "Excess | None":
        """Return what of this job is too large to be sent; None where all fits."""
        tests = [text for test in self.problem.tests for text in (test.setup, test.code)]
        changes = [text for change in self.changes for text in (change.deprecated, change.replacement, change.shim)]
        rest = [self.problem.entry_point, self.problem.helpers, *tests, *changes, *self.traced]
        parts = ("program", [self.program], MAX_PROGRAM_BYTES), ("problem", rest, MAX_JOB_BYTES - MAX_PROGRAM_BYTES)
        for part, texts, limit in parts:
            most = sum(map(len, texts)) * _LONGEST_LETTER + len(texts) * _BETWEEN
            if most > limit and (size := sum(len(json.dumps(text)) + _BETWEEN for text in texts)) > limit:
                return Excess(part, size, limit)
        return None


@dataclass(frozen=True, slots=True)
class Excess:
    """A part of a job ("program", "problem") that is too large to be sent: its bytes, and how many they may be."""

    part: str
    size: int
    limit: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What judging found out about one job: the facts of a verdict, without the sample's identity.

    `tests` holds one {"passed": bool, "error": {...} | None} for each test, `error` the first error or None
    ({"type", "message", "line", "kind"}), `calls` the counted calls of each active replacement, `trace` the classes
    seen to define each traced attribute: dotted paths, "module" where the value was one, "?" for no class, `bypass`
    the codes of ways around the removal that the program took (as far as it lets them be seen).
    """

    outcome: Outcome
    stage: Stage
    compiles: bool
    tests: tuple[Mapping[str, Any], ...]
    error: Mapping[str, Any] | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    label: Label | None = None
    label_detail: LabelDetail | None = None
    disagreement: str | None = None
    uses: tuple[Mapping[str, Any], ...] = ()
    opaque: bool = False
    bypass: tuple[str, ...] = ()
    trace: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    output: str = ""
    duration_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_memory_kib: int = 0
    attempts: int = 1

    @property
    def tests_passed(self) -> int:
        """Return how many tests passed."""
        return sum(bool(test["passed"]) for test in self.tests)

    def labelled(
        self,
        label: Label | None,
        detail: LabelDetail | None,
        disagreement: str | None,
        uses: tuple[Mapping[str, Any], ...],
    ) -> Self:
        """Return this finding with an adoption label."""
        return replace(self, label=label, label_detail=detail, disagreement=disagreement, uses=uses)

    def tried(self, attempts: int) -> Self:
        """Return this finding with the number of attempts it took."""
        return replace(self, attempts=attempts)
