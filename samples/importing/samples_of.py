"""From answers to rows of samples.jsonl: the program, what says where it came from, and the fields it keeps."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...analysis.extraction import Mode, extract
from ...schemas.json_text import dump_row
from ...schemas.jsonl import MAX_ROW_BYTES
from ...schemas.problems import Problem
from ...schemas.samples import Sample
from ...schemas.validation import load_schema
from ..task_ids import Known
from .answers import Answer, Fault, Place
from .shapes import ShapeName
from .values import writable


@dataclass(slots=True)
class Maker:
    """Makes the rows of one import.

    Each sample of a setting gets a number of its own: the one its source gave it, where no other has it.

    `mode` None leaves the way of extraction to each answer's shape. `fields` gives what the caller says of the samples
    of a problem. `kinds` counts what was extracted, `unfit` numbers that JSON lacks, `renumbered` the samples whose own
    number another one had.
    """

    mode: Mode | None
    fields: Callable[[Problem], Mapping[str, Any]]
    kinds: Counter[str] = field(default_factory=Counter)
    unfit: int = 0
    renumbered: int = 0
    both: int = 0
    _taken: dict[str, set[int]] = field(default_factory=dict)
    _next: Counter[str] = field(default_factory=Counter)

    def make(self, answer: Answer, known: Known, shape: ShapeName, file: str) -> dict[str, Any] | Fault:
        """Return the row of `answer`, which stands in `file` and is for the problem that was found."""
        problem, mode = known.problem, self.mode or answer.mode
        if mode == "none":
            program: dict[str, Any] = {answer.form or "solution": answer.text}
        else:
            program = extract(answer.text, problem.prompt, problem.entry_point, mode, answer.form).to_fields()
        ours = {"task_id": problem.task_id, **program, **self.fields(problem)}
        carried, unfit = writable({name: one for name, one in answer.carried.items() if not _is_absent(name, one)})
        index = answer.index if answer.index is not None else known.index
        # What the row was called, and fields of the source that ours take the place of.
        replaced = {name: carried[name] for name in (*ours, "imported") if name in carried and name != "task_id"}
        replaced = {name: one for name, one in replaced.items() if ours.get(name) != one}
        other = {"completion": "solution", "solution": "completion"}[answer.form or "solution"]
        for name in ("completion", "solution"):
            if name in carried and name not in program:
                replaced[name] = carried.pop(name)
                self.both += name == other and isinstance(replaced[name], str)
        imported: dict[str, Any] = {"from": shape, "file": file, **_where(answer.place), "matched": known.by}
        called = answer.clues.names[0] if answer.clues.names else None
        if called is not None and called != problem.task_id:
            imported["task_id"] = called
        if replaced:
            imported["replaced"] = replaced
        row = {**ours, **{name: one for name, one in carried.items() if name not in ours}}
        row["sample_index"] = 0
        row = {"task_id": row.pop("task_id"), "sample_index": row.pop("sample_index"), **row, "imported": imported}
        row["sample_index"] = self._number(row, index)
        size = len(dump_row(row))
        if size >= MAX_ROW_BYTES:
            limit = f"{MAX_ROW_BYTES / 2**20:.3g} MiB"
            return Fault(answer.place, "too_long", f"its row would have more than {limit}", None)
        self.unfit += unfit
        self.kinds[program["extraction"]["kind"] if "extraction" in program else "not extracted"] += 1
        return row

    def _number(self, row: Mapping[str, Any], wanted: int | None) -> int:
        setting = sample_of(row).setting()
        taken = self._taken.setdefault(setting, set())
        number = wanted
        if number is None or number in taken:
            self.renumbered += number is not None
            number = self._next[setting]
            while number in taken:
                number += 1
            self._next[setting] = number + 1
        taken.add(number)
        return number


def sample_of(row: Mapping[str, Any]) -> Sample:
    """Return the sample that a row is, whatever it carries."""
    active = row.get("active_changes")
    return Sample.from_row({**row, "active_changes": active if isinstance(active, list) else None})


def _is_absent(name: str, value: Any) -> bool:
    """Say whether a field of ours is null, which is to be absent, or the number that is given anew."""
    return name in ("sample_index", "task_id") or (value is None and name in load_schema("sample")["properties"])


def _where(place: Place) -> dict[str, Any]:
    found = {"line": place.line, "member": place.member, "within": place.within or None}
    return {name: one for name, one in found.items() if one is not None}


def rejected_row(fault: Fault, shape: ShapeName | None, file: str) -> dict[str, Any]:
    """Return a row of the rejections: where it stood, the reason, and the row itself, unless it is too long."""
    row, _ = writable(fault.row)
    made = {"file": file, **_where(fault.place), "from": shape, "reason": fault.reason, "detail": fault.detail}
    whole = made | {"row": row}
    return whole if len(dump_row(whole)) < MAX_ROW_BYTES else made | {"row": None}
