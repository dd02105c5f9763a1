"""A sample: one program for one problem, from any model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from .problems import Problem

# The method of a model that no edit changed, and that was shown documentation: of the problem's own change, or of all.
TOLD: Final[Mapping[str, str]] = {"change": "docs-change", "all": "docs-all"}


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
