"""A job, one program to run against one problem's tests in one world, and its finding."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from ...sandbox_images.python.boundary.limits import MAX_JOB_BYTES, MAX_PROGRAM_BYTES
from ...sandbox_images.python.boundary.runs import FIRST, NOTHING, WRONG_VALUE
from ...schemas.changes import Change
from ...schemas.problems import Problem
from ...schemas.verdicts import Called, Label, LabelDetail, Outcome, Stage

TOTAL: Final = 10  # times the CPU time of one part, which is loading or a test, is what all may take by default
_LONGEST_LETTER: Final = 12  # bytes, of JSON in ASCII: \ud83d\ude00
_BETWEEN: Final = 20  # bytes that a text takes in a message beside its own: its field's name, quotes, braces


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use.

    Time in which it was ready to go on, but was given no CPU, counts for nothing.
    """

    cpu_seconds: float = 3.0  # CPU time of the candidate's process for loading, and for each test
    wall_seconds: float = 15.0  # time that it sleeps or waits, and that the tests themselves take
    memory_mib: int = 256  # the container's memory, swap off
    output_kib: int = 1024  # what the candidate may print
    total_cpu_seconds: float = 0.0  # CPU time for all together; 0: TOTAL times that of a part

    def __post_init__(self) -> None:
        if not self.total_cpu_seconds:
            object.__setattr__(self, "total_cpu_seconds", TOTAL * self.cpu_seconds)

    def times(self, factor: float) -> Self:
        """Return these limits with so many times the time."""
        return replace(
            self,
            cpu_seconds=factor * self.cpu_seconds,
            wall_seconds=factor * self.wall_seconds,
            total_cpu_seconds=factor * self.total_cpu_seconds,
        )


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

    @property
    def own_change(self) -> Change | None:
        """Return the change that the problem belongs to, where it is active: a label speaks of that one."""
        return next((change for change in self.changes if change.change_id == self.problem.change_id), None)

    def message(self, limits: Limits) -> dict[str, Any]:
        """Return what the runner is sent for this job, to be run within `limits`."""
        problem = self.problem
        return {
            "program": self.program,
            "changes": [told(change) for change in self.changes],
            "traced": list(self.traced),
            "run": FIRST,
            "own": own.replacement if (own := self.own_change) else "",
            "counterfactual": None,
            "entry_point": problem.entry_point,
            "helpers": problem.helpers,
            "tests": [{"setup": test.setup, "code": test.code} for test in problem.tests],
            "cpu_seconds": limits.cpu_seconds,
            "total_cpu_seconds": limits.total_cpu_seconds,
            "wall_seconds": limits.wall_seconds,
        }

    def excess(self) -> "Excess | None":
        """Return what of this job is too large to be sent; None where all fits."""
        tests = [text for test in self.problem.tests for text in (test.setup, test.code)]
        changes = [text for change in self.changes for text in (change.deprecated, *change.adopted, change.shim)]
        changes += [change.old_signature for change in self.changes]
        rest = [self.problem.entry_point, self.problem.helpers, *tests, *changes, *self.traced]
        parts = ("program", [self.program], MAX_PROGRAM_BYTES), ("problem", rest, MAX_JOB_BYTES - MAX_PROGRAM_BYTES)
        for part, texts, limit in parts:
            most = sum(map(len, texts)) * _LONGEST_LETTER + len(texts) * _BETWEEN
            if most > limit and (size := sum(len(json.dumps(text)) + _BETWEEN for text in texts)) > limit:
                return Excess(part, size, limit)
        return None


def told(change: Change) -> dict[str, Any]:
    """Return what the runner is sent of `change`: see `boundary/changes.py`."""
    return {
        "form": change.form,
        "deprecated": change.deprecated,
        "replacement": change.replacement,
        "adopt": list(change.adopt),
        "shim": change.shim,
        "old": change.old_parameters,
    }


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
    ({"type", "message", "line", "kind"}). `calls` are the calls of each active replacement that returned,
    `failed_calls` those that raised in it, `refused_calls` those that it turned away. `called` says how the
    replacement of the problem's own change was called; None where no such change is active, and where it is not known.
    `trace` has the classes seen to define each traced attribute: dotted paths,
    "module" where the value was one, "?" for no class. `bypass` are the codes of ways around the removal that the
    program took (as far as it lets them be seen), `seen` the removed APIs that it called, with lines of the program.
    `again` has the runs after the first of a program that passed. `rebound`: the replacement's name meant something
    else in the program in the end.
    """

    outcome: Outcome
    stage: Stage
    compiles: bool
    tests: tuple[Mapping[str, Any], ...]
    error: Mapping[str, Any] | None = None
    calls: Mapping[str, int] = field(default_factory=dict)
    failed_calls: Mapping[str, int] = field(default_factory=dict)
    refused_calls: Mapping[str, int] = field(default_factory=dict)
    label: Label | None = None
    label_detail: LabelDetail | None = None
    called: Called | None = None
    disagreement: str | None = None
    uses: tuple[Mapping[str, Any], ...] = ()
    opaque: bool = False
    bypass: tuple[str, ...] = ()
    seen: tuple[Mapping[str, Any], ...] = ()
    again: tuple[Mapping[str, Any], ...] = ()
    rebound: bool = False
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

    @property
    def needs_replacement(self) -> bool | None:
        """Return whether the program fails without its replacement's value; None where no run has asked."""
        asked = [run for run in self.again if run["run"] in (NOTHING, WRONG_VALUE)]
        return any(run["stage"] == "run" and not run["passed"] for run in asked) if asked else None

    def labelled(
        self,
        label: Label | None,
        detail: LabelDetail | None,
        disagreement: str | None,
        uses: tuple[Mapping[str, Any], ...],
        called: Called | None,
    ) -> Self:
        """Return this finding with an adoption label, and with how the replacement was called."""
        return replace(self, label=label, label_detail=detail, disagreement=disagreement, uses=uses, called=called)

    def tried(self, attempts: int) -> Self:
        """Return this finding with the number of attempts it took."""
        return replace(self, attempts=attempts)
