"""The journal of a run's edits, STEM.edits.jsonl beside the samples: what each took, and what it did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ...schemas.errors import InputError
from ...schemas.jsonl import JsonlAppender, read_rows
from ..edits.edit import Edit
from ..success.record import EditRecord


@dataclass(frozen=True, slots=True)
class MadeEdit:
    """An edit that has just been put into the model.

    `title` is what it is called in words, `seconds` the time that it took on the wall, and `peak_memory_mib` the most
    that it took of a GPU's memory above what was there before it; both None where it came from a file.
    """

    name: str
    title: str
    edit: Edit
    record: EditRecord
    seconds: float | None = None
    peak_memory_mib: float | None = None

    def to_row(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Return its line in the journal of a run with this identity."""
        took = {"seconds": self.seconds, "peak_memory_mib": self.peak_memory_mib, "losses": self.edit.losses}
        numbers = {name: _finite(value) for name, value in took.items()}
        return {"name": self.name, **identity, **numbers, **self.record.to_fields()}


def _finite(value: Any) -> Any:
    """Return `value` with None in place of what JSON has no number for."""
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value if value is None or abs(value) < float("inf") else None


def journal_of(out: Path) -> Path:
    """Return where the journal of the samples in `out` stands."""
    return out.with_suffix(".edits.jsonl")


class Journal:
    """Appends a line for each edit of a run, each synced to disk. A context manager.

    `identity` has the fields that are the same in every line. An edit that has a line already, of an earlier call that
    was interrupted, gets no second one: what it took the first time stays. The file is made with its first line. Raises
    InputError on opening for a line of another run.
    """

    def __init__(self, out: Path, identity: Mapping[str, Any]):
        self.path = journal_of(out)
        self._identity = identity
        self._known = set(self._read())
        self._file: JsonlAppender | None = None

    def add(self, made: MadeEdit, requests_sha256: str) -> None:
        """Write the line of `made`, unless it is there. Raises EnvironmentFault when the disk refuses.

        `requests_sha256` is of the edit's requests and of those before it in the model: with the run's identity, it
        decides what the edit is.
        """
        key = made.name, requests_sha256
        if key in self._known:
            return
        if self._file is None:
            self._file = JsonlAppender(self.path, first=["name"])
        self._file.append(made.to_row({**self._identity, "requests_sha256": requests_sha256}))
        self._known.add(key)

    def _read(self) -> Iterator[tuple[str, str]]:
        if not self.path.exists() or self.path.stat().st_size == 0:
            return
        for row in read_rows(self.path, "edit", on_torn_end=lambda line: None):
            for name, value in self._identity.items():
                if row.data.get(name) != value:
                    raise InputError(
                        f'{self.path}, line {row.line} is of an edit of another run: its "{name}" is '
                        f"{row.data.get(name)!r}, and here it is {value!r}. Remove that file if its samples are gone, "
                        "or choose another output file."
                    )
            yield row.data["name"], row.data["requests_sha256"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
