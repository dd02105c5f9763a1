"""The adoption label of a program, and a finer reading of it, by rules in order: the first that holds decides.

`_Case.label` decides the label, RULES the detail. What they mean in words stands in `schemas.verdicts`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ..schemas.changes import Change
from ..schemas.problems import Problem
from ..schemas.verdicts import STOPPED, Label, LabelDetail, Outcome
from .uses.caught import lines_caught
from .uses.uses import Reading, Use, read_program
from .work.substitute import Substitute, substitute_for

MAX_USE_ROWS = 200  # a verdict keeps this many; a program with more says no more by them
MAX_READ = 100_000  # characters: reading takes seconds for a megabyte, and no program that answers a problem is as long


@dataclass(frozen=True, slots=True)
class Labelling:
    """A label, its detail, and a sentence where static reading and counted calls contradict each other.

    `label` and `detail` are None where the sandbox failed: nothing is known of the program then. `uses`: those of the
    deprecated API and of the replacement, as rows {name, kind, line}, at most MAX_USE_ROWS.
    """

    label: Label | None
    detail: LabelDetail | None
    disagreement: str | None
    uses: tuple[dict[str, Any], ...] = ()


def label_program(
    program: str,
    change: Change,
    *,
    passed: bool,
    calls: int,
    failed_calls: int = 0,
    outcome: Outcome,
    error: Mapping[str, Any] | None,
    bypass: Sequence[str] = (),
    needed: bool | None = None,
    rebound: bool = False,
    problem: Problem | None = None,
) -> Labelling:
    """Return the adoption label of `program` for `change`.

    `passed`: all tests passed. `calls`: calls of the replacement that returned to the program; `failed_calls`: those
    that raised. `outcome` and `error`: those of the verdict; `error` ({"type", "message", "line", "kind"}) is None
    where there was none. `bypass`: how the program got past the removal. `needed`: it fails where the replacement's
    value is taken from it; None where nobody tried. `rebound`: in the end the replacement's name meant something else
    in it. `problem`: what the program answers; its reference is what a workaround is held against.
    """
    if outcome == "sandbox_error":
        return Labelling(None, None, None)
    reading = _read(program, change)
    case = _Case(
        change,
        reading,
        passed,
        calls,
        failed_calls,
        outcome,
        error or {},
        bool(bypass),
        needed,
        rebound,
        program[:MAX_READ],
        problem,
    )
    detail = next(rule.detail for rule in RULES if rule.label == case.label and rule.holds(case))
    return Labelling(case.label, detail, _disagreement(case), _rows(reading))


def program_uses(program: str, change: Change) -> tuple[dict[str, Any], ...]:
    """Return the uses of the deprecated API and of the replacement, as `Labelling.uses` has them."""
    return _rows(_read(program, change))


def _read(program: str, change: Change) -> Reading:
    """Read the first MAX_READ characters of `program`."""
    return read_program(program[:MAX_READ], dict.fromkeys((change.deprecated, *change.adopted)))


def _rows(reading: Reading) -> tuple[dict[str, Any], ...]:
    return tuple({"name": use.name, "kind": use.kind, "line": use.line} for use in reading.uses[:MAX_USE_ROWS])


@dataclass(frozen=True)
class _Case:
    change: Change
    reading: Reading
    passed: bool
    calls: int
    failed_calls: int
    outcome: Outcome
    error: Mapping[str, Any]
    bypassed: bool
    needed: bool | None
    rebound: bool
    program: str
    problem: Problem | None

    @cached_property
    def label(self) -> Label:
        if self.passed:
            adopted = self.calls > 0 and self.needed is not False and not self.bypassed and not self.redefined
            return "correct_adoption" if adopted else "workaround"
        tried = self.new or self.called or (self.in_place and self.error_kind == "bad_call")
        return "misuse" if tried else "no_adoption"

    @property
    def called(self) -> bool:
        """Say whether the replacement took a call; what became of it is another matter."""
        return self.calls > 0 or self.failed_calls > 0

    @property
    def in_place(self) -> bool:
        return self.change.form == "in_place"

    @cached_property
    def new(self) -> list[Use]:
        """Return the uses of the replacement; in place, where it has the old name, of one that called it."""
        if self.in_place and not self.called:
            return []
        return [use for use in self.reading.uses if use.name in self.change.adopted]

    @cached_property
    def old(self) -> list[Use]:
        if self.in_place and self.called:
            return []
        return [use for use in self.reading.uses if use.name == self.change.deprecated and use.kind != "definition"]

    @property
    def error_kind(self) -> str | None:
        """Return the kind of the first error."""
        return self.error.get("kind")

    @cached_property
    def substitute(self) -> Substitute:
        """Return what does the deprecated API's work; without a problem, all that the program does may be that."""
        reference, entry_point = (self.problem.solution, self.problem.entry_point) if self.problem else ("", "")
        change = self.change
        return substitute_for(change.deprecated, self.program, reference, entry_point, beside=change.replacement)

    @property
    def redefined(self) -> bool:
        """Say whether the program's own meaning of the name is what it uses; without a counted call any is."""
        own = not self.called and any(use.kind == "definition" for use in self.new)
        return own or self.rebound or self.change.replacement in self.reading.redefined


# The kinds of error of an API that is not there, and the names in an error's message.
_NOT_THERE = frozenset({"missing_name", "missing_attribute", "missing_import"})
_QUOTED = re.compile(r"'([^'\n]{1,200})'")

_Condition = Callable[[_Case], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """Says that programs with `label` have `detail` where `holds` and no rule of that label before it does."""

    label: Label
    detail: LabelDetail
    holds: _Condition


def _redefined(case: _Case) -> bool:
    return case.redefined


def _stale(case: _Case) -> bool:
    """A program that passed did not reach the old method, or caught its failure: else `x.split` is another type's."""
    certain = any(use.kind != "attribute" for use in case.old)
    return certain or not {use.line for use in case.old}.isdisjoint(lines_caught(case.program))


def _failed_by_the_old_way(case: _Case) -> bool:
    """The deprecated API is used, and that it is gone is the first error, or one that the program caught.

    The error's text is the program's: it only says which of its own uses failed.
    """
    lines = {use.line for use in case.old}
    if case.error_kind == "old_call":
        return True
    if case.error_kind in _NOT_THERE:
        name = case.change.deprecated.rpartition(".")[2]
        named = name in _QUOTED.findall(case.error.get("message") or "")
        return bool(lines) and (named or case.error.get("line") in lines)
    return bool(lines) and not lines.isdisjoint(lines_caught(case.program))


def _never_called(case: _Case) -> bool:
    return bool(case.new) and not case.called


def _done_by(substitute: Substitute) -> _Condition:
    return lambda case: case.substitute == substitute


def _unparsable(case: _Case) -> bool:
    return case.outcome == "syntax_error" or case.error_kind == "syntax"


def _bypassed(case: _Case) -> bool:
    return case.bypassed


def _unneeded(case: _Case) -> bool:
    return case.called


def _used_the_old_way(case: _Case) -> bool:
    kinds = {use.kind for use in case.new}
    synthetic = case.change.form == "synthetic"
    as_method = synthetic and case.error_kind == "missing_attribute" and kinds == {"attribute"}
    as_constant = case.change.kind == "module_constant" and "value" in kinds and "call" not in kinds and not case.called
    return case.error_kind == "bad_call" or as_method or as_constant


def _sought_elsewhere(case: _Case) -> bool:
    name = case.change.replacement.rpartition(".")[2]
    named = case.change.form == "synthetic" or name in _QUOTED.findall(case.error.get("message") or "")
    return named and case.error_kind == "missing_import" and any(use.kind == "import" for use in case.new)


def _unloadable(case: _Case) -> bool:
    return case.outcome == "load_error"


def _ended_as(outcome: Outcome) -> _Condition:
    return lambda case: case.outcome == outcome


def _otherwise(case: _Case) -> bool:
    return True


RULES: Final = (
    Rule("correct_adoption", "mixed", _stale),
    Rule("correct_adoption", "clean", _otherwise),
    Rule("workaround", "redefinition", _redefined),
    Rule("workaround", "bypass", _bypassed),
    Rule("workaround", "unneeded_call", _unneeded),
    Rule("workaround", "dead_reference", _never_called),
    Rule("workaround", "stale_use", _stale),
    Rule("workaround", "other_api", _done_by("other_api")),
    Rule("workaround", "reimplementation", _done_by("reimplementation")),
    Rule("workaround", "not_needed", _otherwise),
    Rule("misuse", "does_not_compile", _unparsable),
    Rule("misuse", "redefinition", _redefined),
    Rule("misuse", "wrong_arguments", _used_the_old_way),
    Rule("misuse", "wrong_import", _sought_elsewhere),
    Rule("misuse", "half_migration", _failed_by_the_old_way),
    Rule("misuse", "does_not_compile", _unloadable),
    *(Rule("misuse", outcome, _ended_as(outcome)) for outcome in STOPPED),
    Rule("misuse", "dead_reference", _never_called),
    Rule("misuse", "wrong_result", _otherwise),
    Rule("no_adoption", "does_not_compile", _unparsable),
    Rule("no_adoption", "stale_use", _failed_by_the_old_way),
    Rule("no_adoption", "does_not_compile", _unloadable),
    *(Rule("no_adoption", outcome, _ended_as(outcome)) for outcome in STOPPED),
    Rule("no_adoption", "other", _otherwise),
)


def _disagreement(case: _Case) -> str | None:
    """Say how counted calls and static reading contradict each other.

    A call inside a function or branch that was not counted is no contradiction: it may never have been reached.
    """
    name, calls = case.change.replacement, case.calls
    if calls and not case.new and any(name.rpartition(".")[2] in case.program for name in case.change.adopted):
        return None  # of a library, whose objects the text alone does not tell
    if calls and case.redefined:
        return f"{calls} calls of {name} were counted, but the program defines that name itself."
    if calls and not case.new:
        return f"{calls} calls of {name} were counted, but the program never names it."
    if case.passed and not case.called and name in case.reading.always_called:
        return f"The program calls {name} whenever it loads, but no call was counted."
    return None
