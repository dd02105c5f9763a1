"""The explanation of a verdict: the sample's program and world, and the rules that decided, in words."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...analysis.labels import program_uses
from ...schemas.bench import Bench
from ...schemas.changes import Change
from ...schemas.errors import InputError
from ...schemas.problems import Problem
from ...schemas.verdicts import DETAILS_IN_WORDS, LABELS_IN_WORDS, OUTCOMES_IN_WORDS, UNRESOLVED, Verdict
from ..read.settings import active_changes
from ..read.verdict_files import unknown_task


@dataclass(frozen=True, slots=True)
class TestResult:
    """A test and what came of it. `error` is None where it passed, and where no test could run."""

    setup: str
    code: str
    passed: bool
    error: Mapping[str, Any] | None

    __test__ = False  # pytest: a record, not a test class


@dataclass(frozen=True, slots=True)
class Mark:
    """A remark on a 1-based line of the program."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An API that the world did not give, or did not accept the call of; `tests` are the numbers of those it ended."""

    error: Mapping[str, Any]
    tests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say about one verdict; the fields that end in `_because` are sentences.

    `program` is None, and has no marks, where the verdict does not carry it. `tests` is empty where it has no results.
    """

    verdict: Verdict
    problem: Problem
    world: tuple[Change, ...]
    program: str | None
    marks: tuple[Mark, ...]
    tests: tuple[TestResult, ...]
    refusals: tuple[Refusal, ...]
    outcome_because: str
    compiles_because: str
    label_because: str

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as a JSON object: the verdict as it stands, and what it does not say itself."""
        return {
            "verdict": self.verdict.to_row(),
            "program": self.program,
            "marks": [asdict(mark) for mark in self.marks],
            "world": [
                {name: getattr(change, name) for name in ("change_id", "deprecated", "replacement", "signature", "doc")}
                for change in self.world
            ],
            "tests": [asdict(test) for test in self.tests],
            "refusals": [{"error": dict(refusal.error), "tests": list(refusal.tests)} for refusal in self.refusals],
            "outcome_because": self.outcome_because,
            "compiles_because": self.compiles_because,
            "label_because": self.label_because,
        }


def explain(verdict: Verdict, bench: Bench) -> Explanation:
    """Return the explanation of `verdict`, which was made with `bench`.

    Raises InputError for a verdict of another benchmark, and for a task or an active change that `bench` lacks.
    """
    problem = _find_problem(verdict, bench)
    world = _world(verdict, problem, bench)
    change = next((change for change in world if change.change_id == problem.change_id), None)
    program = verdict.program(problem)
    return Explanation(
        verdict=verdict,
        problem=problem,
        world=world,
        program=program,
        marks=() if program is None else _marks(verdict, program, change),
        tests=_tests(verdict, problem),
        refusals=_refusals(verdict),
        outcome_because=OUTCOMES_IN_WORDS[verdict.outcome],
        compiles_because=why_compiles(verdict),
        label_because=why_label(verdict, problem, change is not None),
    )


def program_lines(program: str) -> list[str]:
    """Return the lines of `program` as Python counts them."""
    return re.split(r"\r\n|\r|\n", program)


def _find_problem(verdict: Verdict, bench: Bench) -> Problem:
    judged_with = bench.digest() if verdict.bench_sha256 is None else verdict.bench_sha256
    other = judged_with != bench.digest()
    problem = bench.find(verdict.task_id)
    if problem is None:
        raise unknown_task(verdict, bench, other_bench=other)
    if other:
        raise InputError(
            f"The sample {verdict.sample_id} was judged against another benchmark than {bench.name!r}: its "
            f"bench_sha256 is {judged_with[:12]}, not {bench.digest()[:12]}. "
            "Give the benchmark that it was judged with, or judge it again with this one."
        )
    return problem


def _world(verdict: Verdict, problem: Problem, bench: Bench) -> tuple[Change, ...]:
    names = active_changes(verdict, problem)
    unknown = [name for name in names if name not in bench.changes]
    if unknown:
        raise InputError(
            f"The sample {verdict.sample_id} was judged with the change {unknown[0]!r}, which the benchmark "
            f"{bench.name!r} does not have. Give the benchmark that it was judged with."
        )
    return tuple(bench.changes[name] for name in names)


def _marks(verdict: Verdict, program: str, change: Change | None) -> tuple[Mark, ...]:
    """Return the uses of the change's APIs and the place of the first error, by line."""
    marks = []
    if change is not None:
        parts = {change.deprecated: "deprecated", change.replacement: "replacement"}
        for use in verdict.uses or program_uses(program, change):
            marks.append(Mark(use["line"], f"{parts.get(use['name'], 'other')} {use['name']}: {use['kind']}"))
    error = verdict.error
    if error and error.get("line"):
        marks.append(Mark(error["line"], f"error {error['type']}: {error['message']}"))
    return tuple(sorted(dict.fromkeys(marks), key=lambda mark: mark.line))


def _tests(verdict: Verdict, problem: Problem) -> tuple[TestResult, ...]:
    if len(verdict.tests) != len(problem.tests):
        return ()
    return tuple(
        TestResult(test.setup, test.code, result["passed"], result.get("error"))
        for test, result in zip(problem.tests, verdict.tests, strict=True)
    )


def _refusals(verdict: Verdict) -> tuple[Refusal, ...]:
    """Return the errors of an unresolved or ill-called API, each once, in the order in which they came."""
    found: dict[str, Refusal] = {}
    for number, error in [(0, verdict.error), *_test_errors(verdict)]:
        if error and error.get("kind") in UNRESOLVED:
            before = found.get(repr(error), Refusal(error, ()))
            found[repr(error)] = Refusal(error, before.tests + ((number,) if number else ()))
    return tuple(found.values())


def _test_errors(verdict: Verdict) -> list[tuple[int, Mapping[str, Any] | None]]:
    return [(number, test.get("error")) for number, test in enumerate(verdict.tests, 1)]


def why_compiles(verdict: Verdict) -> str:
    """Return why `verdict` says that the program compiles, or that it does not."""
    if verdict.compiles:
        return "it parses, loads, and no test ended in an API unresolved or ill-called"
    if verdict.outcome == "sandbox_error":
        return "not known: the sandbox or the problem's own tests failed"
    if verdict.stage == "parse" or verdict.outcome == "syntax_error":
        return "it cannot be parsed"
    if verdict.stage == "load" or verdict.outcome == "load_error":
        return "it does not load"
    numbers = [str(number) for number, error in _test_errors(verdict) if error and error.get("kind") in UNRESOLVED]
    if numbers:
        return f"an API unresolved or ill-called ended {len(numbers)} of {verdict.tests_total} tests"
    return "not known: it was stopped, and no result of it was left"


def why_label(verdict: Verdict, problem: Problem, active: bool) -> str:
    """Return what the label of `verdict` means, or why it has none; `active`: the problem's own change was."""
    if verdict.label is not None:
        finer = DETAILS_IN_WORDS[verdict.label].get(verdict.label_detail or "")
        return LABELS_IN_WORDS[verdict.label] + (f"; {verdict.label_detail}: {finer}" if finer else "")
    if verdict.outcome == "sandbox_error":
        return "the sandbox or the problem's own tests failed: nothing is known of the program"
    if problem.change_id is None:
        return "the problem belongs to no change"
    if not active_changes(verdict, problem):
        return f"the problem's change, {problem.change_id}, is not active: no change is"
    if not active:
        return f"the problem's change, {problem.change_id}, is not active in this world"
    return "the verdict does not say why"
