"""The adoption label of a program, and a finer reading of it, by rules in order: the first that holds decides.

LABELS_IN_WORDS and DETAILS_IN_WORDS are those rules for people, in the same order; `_LABELS` and `_DETAILS` decide.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ..schemas.changes import Change
from .uses.uses import Reading, Use, read_program

AdoptionLabel = Literal["correct_adoption", "misuse", "workaround", "no_adoption"]

MAX_USE_ROWS = 200  # a verdict keeps this many; a program with more says no more by them
MAX_READ = 100_000  # characters: reading takes seconds for a megabyte, and no program that answers a problem is as long

LABELS_IN_WORDS: dict[AdoptionLabel, str] = {
    "correct_adoption": "passed, and the replacement was really called and is not the program's own",
    "workaround": "passed without the replacement",
    "misuse": "did not pass, and names or called the replacement",
    "no_adoption": "did not pass, and does not know the replacement",
}

_LIMITS_IN_WORDS = {
    "timeout": "ended by the limit on its time",
    "out_of_memory": "ended by the limit on its memory",
    "output_limit": "ended by the limit on its output",
    "crashed": "its process ended, or broke off the exchange of results",
}

# A detail that two rules of a label give stands where the first of them does.
DETAILS_IN_WORDS: dict[AdoptionLabel, dict[str, str]] = {
    "correct_adoption": {
        "mixed": "the deprecated API is named too",
        "clean": "the deprecated API is not named",
    },
    "workaround": {
        "redefinition": "defines the replacement's name itself",
        "bypass": "reached the deprecated API past the world that removed it",
        "dead_reference": "names the replacement, never calls it",
        "stale_use": "names the deprecated API where it is never reached, or where its failure is swallowed",
        "other_api": "calls other functions or methods that do the work",  # see CARRIERS
        "reimplementation": "does the work with loops and operators",
    },
    "misuse": {
        "does_not_compile": "cannot be parsed, or fails while it loads and no rule for that failure holds",
        "redefinition": "defines the replacement's name itself",
        "wrong_arguments": (
            "uses the replacement as the deprecated API was used, and it refuses: other arguments, an attribute of a "
            "value (`x.my_str_split(',')`), or a constant's replacement without a call"
        ),
        "wrong_import": "imports the replacement from a place that does not have it",
        "half_migration": "uses the deprecated API too",
        **_LIMITS_IN_WORDS,
        "dead_reference": "names the replacement, never calls it",
        "wrong_result": "calls the replacement, and is wrong or raises",
    },
    "no_adoption": {
        "does_not_compile": "cannot be parsed, or fails while it loads without a use of the deprecated API",
        "stale_use": "uses the deprecated API",
        **_LIMITS_IN_WORDS,
        "other": "wrong for another reason",
    },
}

# APIs that make, walk, measure, convert or show data: calling only these is still doing the work by hand.
_CARRIERS = """
    bool dict enumerate float int isinstance iter len list next print range repr reversed set slice str tuple type zip
    dict.get dict.items dict.keys dict.values list.append set.add
    .add .append .get .items .keys .values
"""
CARRIERS = frozenset(_CARRIERS.split())


@dataclass(frozen=True, slots=True)
class Labelling:
    """A label, its detail, and a sentence where static reading and counted calls contradict each other.

    `label` and `detail` are None where the sandbox failed: nothing is known of the program then. `uses`: those of the
    deprecated API and of the replacement, as rows {name, kind, line}, at most MAX_USE_ROWS.
    """

    label: AdoptionLabel | None
    detail: str | None
    disagreement: str | None
    uses: tuple[dict[str, Any], ...] = ()


def label_program(
    program: str,
    change: Change,
    *,
    passed: bool,
    calls: int,
    outcome: str,
    error_kind: str | None,
    bypass: Sequence[str] = (),
) -> Labelling:
    """Return the adoption label of `program` for `change`.

    `passed`: all tests passed. `calls`: counted calls of the replacement. `outcome` and `error_kind`: those of the
    verdict; `error_kind` is None where there was no error. `bypass`: how the program got past the removal.
    """
    if outcome == "sandbox_error":
        return Labelling(None, None, None)
    reading = _read(program, change)
    case = _Case(change, reading, passed, calls, outcome, error_kind, bool(bypass))
    label = next(label for label, holds in _LABELS if holds(case))
    detail = next(detail for detail, holds in _DETAILS[label] if holds(case))
    return Labelling(label, detail or outcome, _disagreement(case), _rows(reading))


def program_uses(program: str, change: Change) -> tuple[dict[str, Any], ...]:
    """Return the uses of the deprecated API and of the replacement, as `Labelling.uses` has them."""
    return _rows(_read(program, change))


def _read(program: str, change: Change) -> Reading:
    """Read the first MAX_READ characters of `program`."""
    return read_program(program[:MAX_READ], (change.deprecated, change.replacement))


def _rows(reading: Reading) -> tuple[dict[str, Any], ...]:
    return tuple({"name": use.name, "kind": use.kind, "line": use.line} for use in reading.uses[:MAX_USE_ROWS])


@dataclass(frozen=True)
class _Case:
    change: Change
    reading: Reading
    passed: bool
    calls: int
    outcome: str
    error_kind: str | None
    bypassed: bool

    @cached_property
    def new(self) -> list[Use]:
        return [use for use in self.reading.uses if use.name == self.change.replacement]

    @cached_property
    def old(self) -> list[Use]:
        return [use for use in self.reading.uses if use.name == self.change.deprecated and use.kind != "definition"]

    @property
    def names_replacement(self) -> bool:
        return bool(self.new) or self.calls > 0

    @property
    def redefined(self) -> bool:
        """Say whether the program's own meaning of the name is what it uses; without a counted call any is."""
        own = self.calls == 0 and any(use.kind == "definition" for use in self.new)
        return own or self.change.replacement in self.reading.redefined


_Rule = Callable[[_Case], bool]


def _adopted(case: _Case) -> bool:
    return case.passed and case.calls > 0 and not case.redefined


def _passed(case: _Case) -> bool:
    return case.passed


def _names_replacement(case: _Case) -> bool:
    return case.names_replacement


def _redefined(case: _Case) -> bool:
    return case.redefined


def _stale(case: _Case) -> bool:
    """A program that passed did not reach the old method, so `x.split` there is most likely another type's."""
    return any(use.kind != "attribute" or not case.passed for use in case.old)


def _never_called(case: _Case) -> bool:
    return case.names_replacement and case.calls == 0


def _works_through_others(case: _Case) -> bool:
    return bool(case.reading.called - CARRIERS - {case.change.deprecated, case.change.replacement})


def _unparsable(case: _Case) -> bool:
    return case.outcome == "syntax_error" or case.error_kind == "syntax"


def _bypassed(case: _Case) -> bool:
    return case.bypassed


def _used_the_old_way(case: _Case) -> bool:
    kinds = {use.kind for use in case.new}
    as_method = case.error_kind == "missing_attribute" and kinds == {"attribute"}
    as_constant = case.change.kind == "module_constant" and "value" in kinds and "call" not in kinds and not case.calls
    return case.error_kind == "bad_call" or as_method or as_constant


def _sought_elsewhere(case: _Case) -> bool:
    return case.error_kind == "missing_import" and any(use.kind == "import" for use in case.new)


def _unloadable(case: _Case) -> bool:
    return case.outcome == "load_error"


def _stopped(case: _Case) -> bool:
    return case.outcome in ("timeout", "out_of_memory", "output_limit", "crashed")


def _otherwise(case: _Case) -> bool:
    return True


_LABELS: tuple[tuple[AdoptionLabel, _Rule], ...] = (
    ("correct_adoption", _adopted),
    ("workaround", _passed),
    ("misuse", _names_replacement),
    ("no_adoption", _otherwise),
)

# The detail "" stands for the outcome's own name.
_DETAILS: dict[AdoptionLabel, tuple[tuple[str, _Rule], ...]] = {
    "correct_adoption": (("mixed", _stale), ("clean", _otherwise)),
    "workaround": (
        ("redefinition", _redefined),
        ("bypass", _bypassed),
        ("dead_reference", _never_called),
        ("stale_use", _stale),
        ("other_api", _works_through_others),
        ("reimplementation", _otherwise),
    ),
    "misuse": (
        ("does_not_compile", _unparsable),
        ("redefinition", _redefined),
        ("wrong_arguments", _used_the_old_way),
        ("wrong_import", _sought_elsewhere),
        ("half_migration", _stale),
        ("does_not_compile", _unloadable),
        ("", _stopped),
        ("dead_reference", _never_called),
        ("wrong_result", _otherwise),
    ),
    "no_adoption": (
        ("does_not_compile", _unparsable),
        ("stale_use", _stale),
        ("does_not_compile", _unloadable),
        ("", _stopped),
        ("other", _otherwise),
    ),
}


def _disagreement(case: _Case) -> str | None:
    """Say how counted calls and static reading contradict each other.

    A call inside a function or branch that was not counted is no contradiction: it may never have been reached.
    """
    name, calls = case.change.replacement, case.calls
    if calls and case.redefined:
        return f"{calls} calls of {name} were counted, but the program defines that name itself."
    if calls and not case.new:
        return f"{calls} calls of {name} were counted, but the program never names it."
    if case.passed and not calls and name in case.reading.always_called:
        return f"The program calls {name} whenever it loads, but no call was counted."
    return None
