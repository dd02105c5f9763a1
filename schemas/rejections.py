"""Rejections: what was left out of a benchmark, and why."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row of BENCH/rejected.jsonl; the fields are described in rejected.schema.json."""

    task_id: str | None
    change_id: str | None
    reason: str
    detail: str

    def to_row(self) -> dict[str, Any]:
        """Return the JSON object of this rejection."""
        return asdict(self)
