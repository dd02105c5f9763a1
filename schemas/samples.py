"""Samples: one program for one problem each, from any model; and their rows as people publish them.

A row that is not valid is mended as far as nothing is lost or guessed. A null in a field of ours is an absent field. A
value of a foreign type in a field that the judge does not need is kept under `carried`, by the field's own name. A
number that JSON or a double does not have (NaN, -Infinity, 1e999) becomes its text. A task id may be a number. A row
that is valid as it stands is left as it is, so its identity stays.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from .json_text import parse_json
from .jsonl import Row, read_rows
from .problems import Problem
from .validation import fits_field, load_schema, surely_valid

# The method of a model that no edit changed, and that was shown documentation: of the problem's own change, or of all.
TOLD: Final[Mapping[str, str]] = {"change": "docs-change", "all": "docs-all"}
NEEDED: Final = frozenset({"task_id", "completion", "solution", "sample_index", "active_changes"})


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of samples.jsonl; the fields are described in sample.schema.json.

    `row` is the row as it was read: what edittool does not know is carried into the verdict untouched.
    """

    task_id: str
    completion: str | None
    solution: str | None
    sample_index: int | None
    active_changes: tuple[str, ...] | None
    row: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        active, index = row.get("active_changes"), row.get("sample_index")
        return cls(
            task_id=row["task_id"],
            completion=row.get("completion"),
            solution=row.get("solution"),
            sample_index=None if index is None else int(index),  # JSON knows 1.0 for an integer
            active_changes=None if active is None else tuple(active),
            row=row,
        )

    def program(self, problem: Problem) -> str:
        """Return the whole program: the solution as it is, or the problem's prompt and the completion."""
        return self.solution if self.solution is not None else problem.prompt + (self.completion or "")

    def world(self, problem: Problem) -> tuple[str, ...]:
        """Return the ids of the changes that are active when this sample runs, sorted."""
        if self.active_changes is not None:
            return tuple(sorted(set(self.active_changes)))
        return () if problem.change_id is None else (problem.change_id,)

    def setting(self) -> str:
        """Return what tells this sample's setting (problem, model, method, ...) apart, as one string.

        Samples of one setting are counted by `sample_index`.
        """
        names = ("task_id", "model", "method", "regime", "step", "edited", "active_changes", "hparams_sha256")
        return json.dumps([self.row.get(name) for name in names])


def row_digest(row: Mapping[str, Any], occurrence: int) -> str:
    """Return the identity of a sample: SHA-256 over its row and its place among equal rows, 32 hex digits."""
    canonical = json.dumps(row, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{occurrence}\n{canonical}".encode("ascii")).hexdigest()[:32]


class SampleRows:
    """Reads rows of samples, and counts what it had to mend.

    `foreign` has the rows with a value of a foreign type, by field; `unfit` is how many numbers became text.
    """

    def __init__(self) -> None:
        self.foreign: Counter[str] = Counter()
        self.unfit = 0

    def read(self, path: Path) -> Iterator[Row]:
        """Yield the rows of the file at `path`, each a valid sample. Raises as `read_rows` does."""
        return read_rows(path, "sample", unfit=self._as_text, mend=self._mend)

    def parse(self, line: bytes) -> dict[str, Any] | None:
        """Return the row in `line` as `read` gives it; None where it holds none."""
        try:
            row = parse_json(line, self._as_text)
        except ValueError:
            return None
        if not isinstance(row, dict):
            return None
        return row if surely_valid(row, "sample") else self._mend(row)

    def _as_text(self, number: str) -> str:
        self.unfit += 1
        return number

    def _mend(self, row: dict[str, Any]) -> dict[str, Any]:
        ours = load_schema("sample")["properties"]
        mended = {name: value for name, value in row.items() if value is not None or name not in ours}
        if (number := _whole_number(mended.get("task_id"))) is not None:
            mended["task_id"] = str(number)
        foreign = {
            name: value
            for name, value in mended.items()
            if name in ours and name not in NEEDED and not fits_field(value, "sample", name)
        }
        if not foreign:
            return mended
        self.foreign.update(foreign.keys())
        kept = {name: value for name, value in mended.items() if name not in foreign}
        return kept | {"carried": as_carried(mended) | foreign}


def as_carried(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a row carries from an earlier judge; a field of that name with another sense is one."""
    carried = row.get("carried", {})
    return dict(carried) if isinstance(carried, Mapping) else {"carried": carried}


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == int(value) and value >= 0 else None
