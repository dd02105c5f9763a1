"""An explanation for a terminal. Every text that came from a file is shown harmless, and cannot start a line."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from ...schemas.changes import Change
from ...schemas.verdicts import CALLED_IN_WORDS, Verdict
from .explanation import Explanation, Refusal, TestResult, program_lines

_IDENTITY = ("task_id", "sample_id", "sample_index", "model", "method", "regime", "step", "edited", "seed")
_RUNS_IN_WORDS = {
    "watched": "with every call of a removed API seen",
    "watched_as_it_is": "the same, with its byte code as it was",
    "nothing": "with a replacement that does nothing",
    "wrong_value": "with a replacement that returns a wrong value",
}
_MADE_BY = ("image", "runtime", "isolation", "edittool")


def render_explanation(explanation: Explanation, show: Callable[[str], Text]) -> Iterator[Text]:
    """Yield the lines of `explanation`; each goes through `show` but for the headings."""
    for heading, lines in (
        ("sample", _identity(explanation.verdict)),
        ("world", _world(explanation)),
        ("verdict", _verdict(explanation)),
        ("program", _program(explanation)),
        ("refused by the world", _refusals(explanation, by_world=True)),
        ("unresolved or ill-called", _refusals(explanation, by_world=False)),
        ("tests", _tests(explanation.tests)),
        ("printed", _printed(explanation.verdict)),
        ("ran with", _resources(explanation.verdict)),
    ):
        texts = [show(line) for line in lines]
        if texts:
            yield Text(heading, style="bold")
            yield from texts


def _identity(verdict: Verdict) -> Iterator[str]:
    for name in _IDENTITY:
        if verdict.row.get(name) is not None:
            yield _fact(name, _value(verdict.row[name]))


def _world(explanation: Explanation) -> Iterator[str]:
    if not explanation.world:
        yield "  no change is active"
    for change in explanation.world:
        own = "  (the problem's own change)" if change.change_id == explanation.problem.change_id else ""
        yield f"  {_one_line(change.deprecated)} -> {_one_line(change.signature)}{own}"
        yield from (f"      {line}" for line in change.doc.splitlines())


def _verdict(explanation: Explanation) -> Iterator[str]:
    verdict = explanation.verdict
    label = verdict.label or "none"
    yield _fact("outcome", f"{verdict.outcome}: {explanation.outcome_because}")
    if verdict.error:
        yield _fact("error", _error(verdict.error))
    yield _fact("compiles", f"{'yes' if verdict.compiles else 'no'}: {explanation.compiles_because}")
    yield _fact("passed", f"{verdict.tests_passed} of {verdict.tests_total} tests")
    yield _fact("label", f"{label}: {_one_line(explanation.label_because)}")
    if verdict.called:
        yield _fact("called", f"{verdict.called}: {CALLED_IN_WORDS[verdict.called]}")
    for heading, calls in (
        ("counted calls", verdict.calls),
        ("failed calls", verdict.failed_calls),
        ("refused calls", verdict.refused_calls),
    ):
        if calls:
            yield _fact(heading, _one_line(", ".join(f"{name}: {count}" for name, count in calls.items())))
    if verdict.bypass:
        yield _fact("bypass", _one_line(", ".join(verdict.bypass)))
    for seen in verdict.seen:
        place = f" by line {seen['line']}" if seen["line"] else ""
        yield _fact("reached", f"{_one_line(seen['api'])}{place}, though it is removed")
    for run in verdict.again:
        yield _fact("ran again", _run_in_words(run))
    if verdict.disagreement:
        yield _fact("disagreement", _one_line(verdict.disagreement))
    if verdict.opaque:
        yield _fact("opaque", "the tests exchanged objects that stayed in the program's process")


def _run_in_words(run: Mapping[str, Any]) -> str:
    phase = {"load": ", while it loads", "tests": ", in the tests"}.get(run["phase"], "")
    came = "passed" if run["passed"] else "did not load" if run["stage"] != "run" else "did not pass"
    return f"{_RUNS_IN_WORDS.get(run['run'], _one_line(run['run']))}{phase}: {came}"


def _program(explanation: Explanation) -> Iterator[str]:
    if explanation.program is None:
        yield "  the verdict does not carry it"
        return
    lines = program_lines(explanation.program)
    last = len(lines)
    for number, line in enumerate(lines, 1):
        if number < last or line:
            yield f"{number:>5} | {line}"
        yield from (f"      ^ {_one_line(mark.text)}" for mark in explanation.marks if mark.line == number)
    for mark in explanation.marks:
        if mark.line > last:
            yield f"      ^ line {mark.line}, past the end: {_one_line(mark.text)}"


def _refusals(explanation: Explanation, *, by_world: bool) -> Iterator[str]:
    """Yield the refusals of the APIs that the world's changes removed or brought, or all others."""
    for refusal in explanation.refusals:
        if _is_by_world(refusal, explanation.world) != by_world:
            continue
        where = f", in tests {', '.join(map(str, refusal.tests))}" if refusal.tests else ""
        yield f"  {_error(refusal.error)}{where}"


def _is_by_world(refusal: Refusal, world: Sequence[Change]) -> bool:
    if refusal.error["kind"] == "missing_entry_point":  # the program's own function, whatever its name
        return False
    names = {part for change in world for part in (change.deprecated.rpartition(".")[2], change.replacement)}
    return not names.isdisjoint(re.findall(r"\w+", refusal.error["message"]))


def _tests(tests: tuple[TestResult, ...]) -> Iterator[str]:
    for number, test in enumerate(tests, 1):
        yield f"  {number}: {'passed' if test.passed else 'failed' if test.error else 'did not run'}"
        yield from (f"      | {line}" for code in (test.setup, test.code) if code for line in program_lines(code))
        if test.error:
            yield f"      {_error(test.error)}"


def _printed(verdict: Verdict) -> Iterator[str]:
    if verdict.output:
        yield from (f"      | {line}" for line in program_lines(verdict.output.removesuffix("\n")))


def _resources(verdict: Verdict) -> Iterator[str]:
    used = (
        ("cpu", verdict.cpu_ms, "ms"),
        ("duration", verdict.duration_ms, "ms"),
        ("peak memory", verdict.peak_memory_kib, "KiB"),
    )
    for name, value, unit in used:
        if value is not None:
            yield _fact(name, f"{value:.0f} {unit}")
    if verdict.limits:
        yield _fact("limits", ", ".join(f"{_one_line(name)} {_value(limit)}" for name, limit in verdict.limits.items()))
    if verdict.attempts > 1:
        yield _fact("attempts", str(verdict.attempts))
    for name in _MADE_BY:
        if name in verdict.row:
            yield _fact(name, _value(verdict.row[name]))


def _fact(name: str, value: str) -> str:
    return f"  {name:<14}{value}"


def _error(error: Mapping[str, Any]) -> str:
    place = f", line {error['line']}" if error.get("line") else ""
    kind = f" ({_one_line(error['kind'])}{place})" if error.get("kind") else ""
    return f"{_one_line(error['type'])}: {_one_line(error['message'])}{kind}"


def _value(value: object) -> str:
    return _one_line(value if isinstance(value, str) else json.dumps(value))


def _one_line(text: str) -> str:
    """Return `text` with its ends of lines made visible: nothing in it can pass for a line of ours."""
    return text.replace("\r", "\\r").replace("\n", "\\n")
