"""Bodies of samples on the page (program, tests, errors, output), compressed while verdicts stream by."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...schemas.problems import Problem
from ...schemas.verdicts import Verdict
from ..explain.explanation import why_compiles, why_label
from ..read.edits import EditRecord
from ..read.settings import active_changes
from .packing import dump, encode

PROGRAM_CHARACTERS = 40_000
OUTPUT_CHARACTERS = 10_000
MESSAGE_CHARACTERS = 2_000
MANY = 500  # uses, calls, kinds of errors: as many are kept, and never more are met in honest programs
SHARD_BODIES = 500
SHARD_CHARACTERS = 2**20
LEVEL = 1  # several times as fast as 6, and a fifth larger

PASSED, NOT_RUN, LEFT_OUT = -1, -2, -3

FACTS = (
    "sample_id",
    "seed",
    "temperature",
    "top_p",
    "dtype",
    "subject",
    "target",
    "requests",
    "style",
    "hparams_sha256",
    "prompt_sha256",
    "stage",
    "cpu_ms",
    "duration_ms",
    "peak_memory_kib",
    "attempts",
    "reused",
    "image",
    "runtime",
    "isolation",
    "edittool",
    "bench_sha256",
)


@dataclass(frozen=True, slots=True)
class Shard:
    """Bodies that stand together: the number of the first verdict, how many they are, and their JSON, compressed."""

    first: int
    count: int
    compressed: bytes

    def packed(self) -> str:
        """Return the shard as a data block of the page."""
        return encode(self.compressed)


class Bodies:
    """Takes verdicts in the order of reading: the n-th that is added, from 0, is verdict n of the observations.

    A hundred thousand take some 10 to 100 MB. Long texts are cut, and a cut program says how long it was.
    """

    def __init__(self) -> None:
        self._shards: list[Shard] = []
        self._waiting: list[str] = []
        self._characters = 0
        self._first = 0

    def __len__(self) -> int:
        return self._first + len(self._waiting)

    def add(self, verdict: Verdict, problem: Problem) -> None:
        """Keep what is to be seen of `verdict`, which answers `problem`."""
        text = dump(body_of(verdict, problem))
        self._waiting.append(text)
        self._characters += len(text)
        if len(self._waiting) >= SHARD_BODIES or self._characters >= SHARD_CHARACTERS:
            self._shards.append(self._close_shard())
            self._first, self._waiting, self._characters = len(self), [], 0

    def shards(self) -> Iterator[Shard]:
        """Yield what was added until now."""
        yield from self._shards
        if self._waiting:
            yield self._close_shard()

    def _close_shard(self) -> Shard:
        text = "[" + ",".join(self._waiting) + "]"
        return Shard(self._first, len(self._waiting), zlib.compress(text.encode("ascii"), LEVEL))


def body_of(verdict: Verdict, problem: Problem) -> dict[str, Any]:
    """Return what the page shows of `verdict`; what there is not is left out.

    `results` has a number for each test: PASSED, NOT_RUN, or the place of its error in `errors`, LEFT_OUT beyond MANY.
    """
    body: dict[str, Any] = {
        "compiles": verdict.compiles,
        "compiles_because": why_compiles(verdict),
        "label_because": why_label(verdict, problem, problem.change_id in active_changes(verdict, problem)),
        "passed": verdict.tests_passed,
        "total": verdict.tests_total,
        "facts": {name: _short(verdict.row[name]) for name in FACTS if verdict.row.get(name) is not None}
        | _edit(verdict),
    }
    body |= _program(verdict, problem) | _results(verdict)
    optional = {
        "error": _error(verdict.error),
        "uses": [[_short(use["name"]), use["kind"], use["line"]] for use in verdict.uses[:MANY]],
        "calls": {_short(name): count for name, count in list(verdict.calls.items())[:MANY]},
        "refused_calls": {_short(name): count for name, count in list(verdict.refused_calls.items())[:MANY]},
        "bypass": [_short(api) for api in verdict.bypass[:MANY]],
        "disagreement": _short(verdict.disagreement),
        "opaque": verdict.opaque,
        "output": _cut(verdict.output, OUTPUT_CHARACTERS),
        "extraction": {name: _short(value) for name, value in (verdict.extraction or {}).items()},
        "raw": _cut(verdict.raw or "", OUTPUT_CHARACTERS) if _is_taken_out(verdict) else "",
        "limits": {_short(name): _short(value) for name, value in list(verdict.limits.items())[:MANY]},
    }
    return body | {name: value for name, value in optional.items() if value}


def _edit(verdict: Verdict) -> dict[str, str]:
    """Return what the edit did to its own targets, in words."""
    record = EditRecord.from_row(verdict.row.get("edit"))
    if record is None:
        return {}
    learned = f"took {record.took}" if record.took != "not" else "did not take"
    targets = f"{record.learned_after} of {record.requests} targets learned, {record.learned_before} before"
    before, after = (_rounded(value) for value in (record.nll_before, record.nll_after))
    changes = _cut(", ".join(record.changes), MESSAGE_CHARACTERS)
    return {"edit": f"{changes}: {learned}; {targets}; NLL {before}, then {after}"}


def _rounded(value: float | None) -> str:
    return "NaN or infinite" if value is None else f"{value:.3g}"


def _is_taken_out(verdict: Verdict) -> bool:
    """Tell whether the answer is another text than the program that was judged."""
    return verdict.raw is not None and verdict.raw not in (verdict.completion, verdict.solution)


def _program(verdict: Verdict, problem: Problem) -> dict[str, Any]:
    program = verdict.program(problem)
    if program is None:
        return {}
    if len(program) <= PROGRAM_CHARACTERS:
        return {"program": program}
    return {"program": program[:PROGRAM_CHARACTERS], "characters": len(program)}


def _results(verdict: Verdict) -> dict[str, Any]:
    places: dict[str, int] = {}
    errors: list[dict[str, Any]] = []
    results = []
    for test in verdict.tests:
        error = test.get("error")
        if test["passed"] or not error:
            results.append(PASSED if test["passed"] else NOT_RUN)
            continue
        key = repr(error)
        if key not in places and len(errors) < MANY:
            places[key] = len(errors)
            errors.append(_error(error))
        results.append(places.get(key, LEFT_OUT))
    return {name: value for name, value in (("results", results), ("errors", errors)) if value}


def _error(error: Mapping[str, Any] | None) -> dict[str, Any]:
    names = ("type", "message", "kind", "line")
    return {name: _short(error[name]) for name in names if error.get(name) is not None} if error else {}


def _short(value: Any) -> Any:
    """Return `value` as a number or a text of some length: fields that a verdict only carries may hold anything."""
    if isinstance(value, str):
        return _cut(value, MESSAGE_CHARACTERS)
    return value if isinstance(value, bool | int | float) else _cut(dump(value), MESSAGE_CHARACTERS)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "\u2026"
