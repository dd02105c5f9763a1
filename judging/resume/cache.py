"""Findings kept from run to run, by everything that decided them.

A finding is kept only where the same program would give it again: neither the sandbox's faults nor timeouts, which the
machine's load decides too. The cache is a convenience: whatever is wrong with it costs time, never a verdict. So a
place that others can write to is not used, and an entry counts that the user's own key signed and is a whole finding.
"""

import hmac
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ...schemas.folders import SharedPlaceError, check_private, make_private
from ..sandbox.job import Finding
from .findings import read_finding, write_finding
from .keys import finding_key
from .user_key import user_key

MAX_FINDINGS: Final = 1_000_000  # about 1 GiB
PATIENCE_SECONDS: Final = 5.0  # for another edittool that writes
_SECONDS_A_DAY: Final = 86400
KEY_NAME: Final = "verdicts.key"
_FIRST_VERSION: Final = 1  # its entries are not signed
_VERSION: Final = 2
_BESIDE: Final = ("-wal", "-shm", "-journal")  # files that SQLite makes beside its own
_NEVER_KEPT: Final = frozenset({"sandbox_error", "timeout"})


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
        self._user_key = b""
        try:
            make_private(path.parent)
            for suffix in ("", *_BESIDE):
                check_private(path.with_name(path.name + suffix))
            self._user_key = user_key(path.with_name(KEY_NAME))
            self._database = _open(path)
            self._forget_old()
        except SharedPlaceError as error:
            self.fault = f"the cache {path} is not used: {error}"
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def get(self, job_key: bytes) -> Finding | None:
        """Return what is known of the job with `job_key`, or None."""
        if self._database is None:
            return None
        key = finding_key(self._setting, job_key)
        try:
            found = self._database.execute("SELECT finding, day, mark FROM findings WHERE key = ?", (key,)).fetchone()
            if found and found[1] != self._today:
                self._database.execute("UPDATE findings SET day = ? WHERE key = ?", (self._today, key))
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return self._checked(key, found[0], found[2]) if found else None

    def _checked(self, key: bytes, text: object, mark: object) -> Finding | None:
        """Return the finding that `text` is, where this user wrote it to this place; None for anything else."""
        if not isinstance(text, str) or not isinstance(mark, bytes):
            return None
        return read_finding(text) if hmac.compare_digest(mark, self._mark(key, text)) else None

    def _mark(self, key: bytes, text: str) -> bytes:
        return hmac.digest(self._user_key, key + text.encode("utf-8", "surrogatepass"), "sha256")

    def put(self, job_key: bytes, finding: Finding) -> None:
        """Keep `finding`, where it would be found again."""
        if self._database is None or finding.outcome in _NEVER_KEPT:
            return
        key, text = finding_key(self._setting, job_key), write_finding(finding)
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?)", (key, text, self._today, self._mark(key, text))
            )
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
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)
    try:
        # A power failure may cost the newest entries, never the file: the log is replayed, or dropped whole.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, _FIRST_VERSION, _VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}, and this edittool reads version {_VERSION}")
        if version == _FIRST_VERSION:
            database.execute("DROP TABLE IF EXISTS findings")
        database.execute(
            "CREATE TABLE IF NOT EXISTS findings (key BLOB PRIMARY KEY, finding TEXT, day INTEGER, mark BLOB)"
        )
        database.execute(f"PRAGMA user_version = {_VERSION}")
    except sqlite3.Error:
        database.close()
        raise
    return database
