"""Findings kept from run to run, by everything that decided them.

A finding is kept only where the same program would give it again: neither the sandbox's faults nor timeouts, which the
machine's load decides too. The cache is a convenience: whatever is wrong with it costs time, never a verdict.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ..sandbox.job import Finding
from .keys import finding_key

MAX_FINDINGS: Final = 1_000_000  # about 1 GiB
PATIENCE_SECONDS: Final = 5.0  # for another edittool that writes
_SECONDS_A_DAY: Final = 86400
_VERSION: Final = 1
_NEVER_KEPT: Final = frozenset({"sandbox_error", "timeout"})
_TUPLES: Final = ("tests", "uses", "bypass", "seen", "again")


class VerdictCache:
    """The findings in the SQLite file at `path`, for one setting (see keys.setting_digest); a context manager.

    Any number of processes may share the file; without a path nothing is kept. `fault` says what is wrong with it, if
    anything: then it answers nothing and keeps nothing more.
    """

    def __init__(self, path: Path | None, setting: bytes):
        self.path = path
        self.fault: str | None = None
        self._setting = setting
        self._today = int(time.time()) // _SECONDS_A_DAY
        self._database: sqlite3.Connection | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = _open(path)
            self._forget_old()
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, job_key: bytes) -> Finding | None:
        """Return what is known of the job with `job_key`, or None."""
        if self._database is None:
            return None
        key = finding_key(self._setting, job_key)
        try:
            found = self._database.execute("SELECT finding, day FROM findings WHERE key = ?", (key,)).fetchone()
            if found and found[1] != self._today:
                self._database.execute("UPDATE findings SET day = ? WHERE key = ?", (self._today, key))
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return _read_finding(found[0]) if found else None

    def put(self, job_key: bytes, finding: Finding) -> None:
        """Keep `finding`, where it would be found again."""
        if self._database is None or finding.outcome in _NEVER_KEPT:
            return
        row = (finding_key(self._setting, job_key), json.dumps(asdict(finding), ensure_ascii=True), self._today)
        try:
            self._database.execute("INSERT OR REPLACE INTO findings VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            self._give_up(error)

    def _forget_old(self) -> None:
        """Make room when there is too much: what was not used for longest goes."""
        assert self._database is not None
        (count,) = self._database.execute("SELECT count(*) FROM findings").fetchone()
        if count > MAX_FINDINGS:
            self._database.execute(
                "DELETE FROM findings WHERE key IN (SELECT key FROM findings ORDER BY day LIMIT ?)",
                (count - MAX_FINDINGS + MAX_FINDINGS // 10,),
            )

    def _give_up(self, error: Exception) -> None:
        self.fault = f"the cache {self.path} is not used: {error}. Remove the file, or free some space"
        self.close()

    def close(self) -> None:
        """Close the file; safe to repeat."""
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        # A power failure may cost the newest entries, never the file: the log is replayed, or dropped whole.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}, and this edittool reads version {_VERSION}")
        database.execute("CREATE TABLE IF NOT EXISTS findings (key BLOB PRIMARY KEY, finding TEXT, day INTEGER)")
        database.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.Error:
        database.close()
        raise
    return database


def _read_finding(text: str) -> Finding | None:
    """Return the finding written as `text`, or None for what this edittool cannot have written."""
    try:
        row: Any = json.loads(text)
        return _make_finding(row) if isinstance(row, Mapping) else None
    except (ValueError, TypeError, KeyError):
        return None


def _make_finding(row: Mapping[str, Any]) -> Finding:
    trace = {int(index): tuple(paths) for index, paths in row["trace"].items()}
    return Finding(**{**row, **{name: tuple(row[name]) for name in _TUPLES}, "trace": trace})
