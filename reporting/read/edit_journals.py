"""Journals of edits (STEM.edits.jsonl): the seconds and the memory of each edit, which rows of samples do not have."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ...schemas.jsonl import read_rows
from .edits import EditRecord
from .settings import Setting
from .verdict_files import Source


@dataclass(frozen=True, slots=True)
class Cost:
    """What an edit took: seconds by the wall clock, and the most memory in MiB; None where nobody measured that."""

    seconds: float | None
    peak_memory_mib: float | None


class EditCosts:
    """The costs of edits, found by their record: a row of samples does not name the line of its edit.

    Where several lines have one record (an edit that was made twice) the last one counts; one of the same model, method
    and regime comes before one of the method alone, which a journal that was renamed or made elsewhere may be.
    """

    def __init__(self, paths: Iterable[Path] = ()):
        """Read the journals at `paths`. Raises InputError as `read_rows` does; a torn last line is left out."""
        self._costs: dict[tuple[object, ...], Cost] = {}
        self.sources: list[Source] = []
        for path in paths:
            self._read(path)

    def _read(self, path: Path) -> None:
        digest, rows = hashlib.sha256(), 0
        for row in read_rows(path, "edit", on_torn_end=lambda line: None, on_line=digest.update):
            rows += 1
            record = EditRecord.from_row(row.data)
            if record is not None:
                cost = Cost(row.data["seconds"], row.data.get("peak_memory_mib"))
                made, method = _as_made(record), row.data["method"]
                self._costs[method, made] = cost
                self._costs[row.data.get("model"), method, row.data.get("regime"), made] = cost
        self.sources.append(Source(path, digest.hexdigest(), rows))

    def of(self, setting: Setting, record: EditRecord) -> Cost | None:
        """Return what the edit of `record` took in `setting`; None where no journal has it."""
        made = _as_made(record)
        exact = self._costs.get((setting.model, setting.method, setting.regime, made))
        return exact or self._costs.get((setting.method, made))


def _as_made(record: EditRecord) -> EditRecord:
    """Return `record` without what was measured later, in a sequence."""
    return replace(record, learned_now=None, nll_now=None, greedy_tokens_now=None, first_rank_now=None)
