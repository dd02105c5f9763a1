"""Rows of samples as people publish them: mended, where they are not valid, as far as nothing is lost or guessed.

A null in a field of ours is an absent field. A value of a foreign type in a field that the judge does not need is kept
under `carried`, by the field's own name. A number that JSON or a double does not have (NaN, -Infinity, 1e999) becomes
its text. A task id may be a number. A row that is valid as it stands is left as it is, so its identity stays.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .json_text import parse_json
from .jsonl import Row, read_rows
from .validation import fits_field, load_schema, surely_valid

NEEDED: Final = frozenset({"task_id", "completion", "solution", "sample_index", "active_changes"})


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
