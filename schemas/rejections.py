"""Rejections: the problems and changes that a benchmark leaves out, each with its reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row of BENCH/rejected.jsonl; the fields are described in rejected.schema.json."""

    task_id: str | None
    change_id: str | None
    reason: str
    detail: str

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        return cls(row["task_id"], row["change_id"], row["reason"], row["detail"])

    def to_row(self) -> dict[str, Any]:
        """Return the JSON object of this rejection."""
        return asdict(self)
