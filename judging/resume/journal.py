"""The judge's journal beside its output: which samples there are, which have their verdict, which are being tried.

All but the attempts follows from the sample file and the output, so a journal can be lost, and is filled anew where it
does not fit the two. What it is for: memory that does not grow with the number of samples, a resume that reads neither
file row by row, and finding out in the end which program it is that ends the judge itself.
"""

import contextlib
import hashlib
import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ...schemas.jsonl import KEPT
from ...schemas.whole_files import write_faults

_VERSION: Final = 4
_PAGE: Final = 256  # rows fetched at a time
_TAIL_BYTES: Final = 64 * 1024  # of the output, by which it is known again

# `number` counts the rows of `samples`: a line of the file has one for each world that its sample is judged in. `queue`
# has the first unjudged one of each job; an attempt whose `run` is over was ended with the judge.
_TABLES: Final = """
    CREATE TABLE identity (name TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE state (seen INTEGER, left_out INTEGER, strangers INTEGER, covered INTEGER, lines INTEGER, tail TEXT,
                        noticed TEXT);
    CREATE TABLE samples (number INTEGER PRIMARY KEY, line INTEGER, start INTEGER, place INTEGER, id TEXT UNIQUE,
                          key BLOB, world INTEGER, outcome TEXT, label TEXT, bypass TEXT);
    CREATE TABLE queue (number INTEGER PRIMARY KEY);
    CREATE TABLE attempts (key BLOB PRIMARY KEY, run TEXT, begun INTEGER, alone INTEGER);
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample is: its line, that line's first byte, its `sample_index`. `key` is that of its job.

    `world` tells apart the worlds that one sample is judged in, counted from 0.
    """

    line: int
    start: int
    sample_index: int
    sample_id: str
    key: bytes
    world: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What the journal keeps of a verdict."""

    sample_id: str
    outcome: str
    label: str | None
    bypass: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of the output the journal knows: its first `size` bytes, which are `lines` lines."""

    size: int
    lines: int


class Journal:
    """The journal at `path`, held by one process; a context manager.

    One thread fills and reads it; `begin` may be called by any. Raises EnvironmentFault where it cannot be kept.
    """

    def __init__(self, path: Path):
        self.path = path
        self._run = secrets.token_hex(8)
        self._lock = threading.Lock()
        with self._faults():
            self._database = _open(path)

    def _faults(self) -> AbstractContextManager[None]:
        return write_faults(self.path, sqlite3.Error, note=KEPT)

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Give the database for one transaction."""
        with self._faults(), self._lock, self._database:
            self._database.execute("BEGIN")
            yield self._database

    def _read(self, statement: str, *values: Any) -> list[Any]:
        with self._faults(), self._lock:
            return self._database.execute(statement, values).fetchall()

    def fits(self, identity: Mapping[str, str], output: Path) -> bool:
        """Tell whether the journal was filled under the same `identity`, and `output` still begins as it knows it."""
        if dict(self._read("SELECT name, value FROM identity")) != dict(identity):
            return False
        ((size, tail),) = self._read("SELECT covered, tail FROM state")
        return bool(_tail(output, size) == tail)

    def fill(
        self,
        places: Iterable[Place | None],
        identity: Mapping[str, str],
        noticed: Callable[[], str] = str,
    ) -> None:
        """Take `places` for all there is to judge, none of it judged; None is a sample left out. Attempts are kept.

        `noticed` is asked, when all places have come, for what there is to say of the samples.
        """
        with self._change() as database:
            database.execute("DELETE FROM identity")
            database.execute("DELETE FROM state")
            database.execute("DELETE FROM samples")
            database.execute("DROP INDEX IF EXISTS samples_by_key")
            seen = left_out = 0
            for place in places:
                if place is None:
                    left_out += 1
                    continue
                seen += 1
                row = (seen, place.line, place.start, place.sample_index, place.sample_id, place.key, place.world)
                database.execute(
                    "INSERT OR IGNORE INTO samples (number, line, start, place, id, key, world) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                )
            database.execute("CREATE INDEX samples_by_key ON samples (key)")
            state = (seen, left_out, _digest(b""), noticed())
            database.execute("INSERT INTO state VALUES (?, ?, 0, 0, 0, ?, ?)", state)
            database.executemany("INSERT INTO identity VALUES (?, ?)", identity.items())

    def covered(self) -> Covered:
        """Return how much of the output the journal knows."""
        ((size, lines),) = self._read("SELECT covered, lines FROM state")
        return Covered(size, lines)

    def note(self, verdicts: Iterable[tuple[int, Judged]], output: Path) -> None:
        """Note `verdicts`, the rows of `output` that the journal did not know yet, each with its line."""
        with self._change() as database:
            (lines,) = database.execute("SELECT lines FROM state").fetchone()
            strangers = 0
            for line, verdict in verdicts:
                lines = line
                values = (verdict.outcome, verdict.label, json.dumps(verdict.bypass), _storable(verdict.sample_id))
                changed = database.execute(
                    "UPDATE samples SET outcome = ?, label = ?, bypass = ? WHERE id = ?", values
                ).rowcount
                strangers += changed == 0
            size = output.stat().st_size
            database.execute(
                "UPDATE state SET strangers = strangers + ?, lines = ?, covered = ?, tail = ?",
                (strangers, lines, size, _tail(output, size)),
            )

    def counts(self) -> tuple[int, int, int, int]:
        """Return how many samples the file has, how many differ, how many are judged; and verdicts of none of them."""
        ((seen, strangers),) = self._read("SELECT seen, strangers FROM state")
        ((different, judged),) = self._read("SELECT count(*), count(outcome) FROM samples")
        return seen, different, judged, strangers

    def noticed(self) -> str:
        """Return what was noticed of the samples as the journal was filled."""
        ((noticed,),) = self._read("SELECT noticed FROM state")
        return str(noticed)

    def left_out(self) -> int:
        """Return how many samples of the file are not to be judged."""
        ((left_out,),) = self._read("SELECT left_out FROM state")
        return int(left_out)

    def tally(self) -> list[tuple[Judged, int]]:
        """Return what was found of the judged samples, and of how many each."""
        rows = self._read(
            "SELECT outcome, label, bypass, count(*) FROM samples WHERE outcome IS NOT NULL GROUP BY 1, 2, 3"
        )
        return [
            (Judged("", outcome, label, tuple(json.loads(bypass))), count) for outcome, label, bypass, count in rows
        ]

    def queue(self) -> Iterator[Place]:
        """Yield the first unjudged sample of each job, in the file's order, as things stand when it is asked."""
        with self._change() as database:
            database.execute("DELETE FROM queue")
            database.execute("INSERT INTO queue SELECT min(number) FROM samples WHERE outcome IS NULL GROUP BY key")
        yield from self._pages("SELECT {} FROM queue JOIN samples USING (number) WHERE queue.number > ?")

    def samples_of(self, key: bytes) -> Iterator[Place]:
        """Yield the unjudged samples whose job has `key`."""
        yield from self._pages("SELECT {} FROM samples WHERE number > ? AND key = ? AND outcome IS NULL", key)

    def _pages(self, select: str, *values: Any) -> Iterator[Place]:
        """Yield what `select` finds, page by page: the table changes in between."""
        statement = select.format("number, line, start, place, id, key, world") + f" ORDER BY number LIMIT {_PAGE}"
        last = 0
        while page := self._read(statement, last, *values):
            yield from (Place(*row) for _, *row in page)
            last = page[-1][0]

    def begin(self, key: bytes, *, alone: bool = False) -> None:
        """Note that the job with `key` is being tried, `alone` or beside others; once for each run of the judge."""
        with self._change() as database:
            database.execute(
                "INSERT INTO attempts VALUES (?, ?, 1, ?) ON CONFLICT DO UPDATE SET run = excluded.run, "
                "begun = begun + 1, alone = alone + excluded.alone WHERE run != excluded.run",
                (key, self._run, int(alone)),
            )

    def end(self, keys: Iterable[bytes]) -> None:
        """Note that the jobs with `keys` were found out."""
        with self._change() as database:
            database.executemany("DELETE FROM attempts WHERE key = ?", ((key,) for key in keys))

    def suspects(self, deaths: int) -> list[tuple[Place, int]]:
        """Return jobs that were being tried at `deaths` or more ends of the judge, with how often they were alone."""
        rows = self._read(
            "SELECT min(number), line, start, place, id, key, world, alone FROM samples JOIN attempts USING (key) "
            "WHERE outcome IS NULL AND begun >= ? AND run != ? GROUP BY key ORDER BY 1",
            deaths,
            self._run,
        )
        return [(Place(*place), alone) for _, *place, alone in rows]

    def close(self) -> None:
        """Close the journal. What this run was trying did not end it."""
        with contextlib.suppress(sqlite3.Error), closing(self._database) as database, database:
            database.execute("BEGIN")
            database.execute("DELETE FROM attempts WHERE run = ? AND begun = 1", (self._run,))
            database.execute("UPDATE attempts SET begun = begun - 1, run = '' WHERE run = ?", (self._run,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def journal_path(output: Path) -> Path:
    """Return the path of the journal of `output`."""
    return output.with_name(f".{output.name}.journal")


def remove_journal(path: Path) -> None:
    """Remove the closed journal at `path`, if there is one."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def _open(path: Path) -> sqlite3.Connection:
    """Open the journal at `path`; one that is damaged, or of another version, makes room for a new one."""
    try:
        database = _connect(path)
    except sqlite3.OperationalError:  # a full disk, a missing permission: a kind of DatabaseError, but no damage
        raise
    except sqlite3.DatabaseError:
        remove_journal(path)
        database = _connect(path)
    return database


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        # Whoever holds the output holds the journal; so there is no need of shared memory, which some disks lack.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"a journal of version {version}")
        elif database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("a damaged journal")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _storable(text: str) -> str:
    """Return `text` as SQLite takes it: without lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _tail(output: Path, size: int) -> str:
    """Return the digest of the last of the first `size` bytes of `output`; "" where it has less."""
    with output.open("rb") as file:
        start = max(0, size - _TAIL_BYTES)
        file.seek(start)
        data = file.read(size - start)
    return _digest(data) if len(data) == size - start else ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
