"""Findings kept from run to run: what comes back, what is never kept, and a file that cannot be used."""

import os
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.resume import cache as module
from edittool.judging.resume.cache import VerdictCache
from edittool.judging.resume.keys import finding_key
from edittool.judging.sandbox.job import Finding
from edittool.sandbox_images.python.boundary.bypasses import CODES

KEY, SETTING = b"k" * 32, b"s" * 32
ERROR = {"type": "NameError", "message": "name 'len' is not defined", "line": 2, "kind": "missing_name"}
FOUND = Finding(
    outcome="partial",
    stage="run",
    compiles=False,
    tests=({"passed": True, "error": None}, {"passed": False, "error": ERROR}),
    error=ERROR,
    calls={"my_builtin_len": 2},
    label="misuse",
    label_detail="half_migration",
    disagreement="one",
    uses=({"name": "len", "kind": "call", "line": 2},),
    bypass=("gc",),
    output="\x1b[31m \udc80 \u202e",
    duration_ms=4.5,
    cpu_ms=3.25,
    peak_memory_kib=9000,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "verdicts.sqlite"


def test_a_finding_comes_back_as_it_was(path: Path) -> None:
    with VerdictCache(path, SETTING) as cache:
        assert cache.get(KEY) is None
        cache.put(KEY, FOUND)
        assert cache.get(KEY) == FOUND
    with VerdictCache(path, SETTING) as cache:
        assert cache.get(KEY) == FOUND
        assert cache.fault is None


@given(output=st.text(), number=st.integers(0, 2**40), codes=st.lists(st.sampled_from(CODES), max_size=3))
def test_any_text_and_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, output: str, number: int, codes: list[str]
) -> None:
    finding = replace(FOUND, output=output, peak_memory_kib=number, bypass=tuple(codes))
    with VerdictCache(tmp_path_factory.mktemp("cache") / "c", SETTING) as cache:
        cache.put(KEY, finding)
        assert cache.get(KEY) == finding


def test_another_setting_or_job_finds_nothing(path: Path) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
        assert cache.get(b"l" * 32) is None
    with VerdictCache(path, b"t" * 32) as other:
        assert other.get(KEY) is None


@pytest.mark.parametrize("outcome", ["sandbox_error", "timeout"])
def test_what_the_machine_had_a_part_in_is_not_kept(path: Path, outcome: str) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, replace(FOUND, outcome=outcome))  # type: ignore[arg-type]
        assert cache.get(KEY) is None


def test_two_at_once_share_what_they_find(path: Path) -> None:
    with VerdictCache(path, SETTING) as one, VerdictCache(path, SETTING) as two:
        one.put(KEY, FOUND)
        two.put(b"l" * 32, FOUND)
        assert two.get(KEY) == one.get(b"l" * 32) == FOUND


def test_a_cache_without_a_file_keeps_nothing() -> None:
    with VerdictCache(None, SETTING) as cache:
        cache.put(KEY, FOUND)
        assert cache.get(KEY) is None
        assert cache.fault is None


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one " * 40, b"SQLite format 3\0" * 99])
def test_a_file_that_is_no_cache_is_named_and_left(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
        assert cache.get(KEY) is None
        assert str(path) in (cache.fault or "")
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with VerdictCache(tmp_path / "file" / "cache", SETTING) as cache:
        assert cache.get(KEY) is None
        assert "file/cache" in (cache.fault or "")


def test_a_cache_of_another_version_is_not_touched(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with VerdictCache(path, SETTING) as cache:
        assert "version 99" in (cache.fault or "")


def test_the_files_are_the_users_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with VerdictCache(path, SETTING) as cache:
            cache.put(KEY, FOUND)
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (path.parent, *path.parent.iterdir())}
    finally:
        os.umask(before)
    assert modes.pop("folder") == 0o755
    assert set(modes.values()) == {0o600}
    assert {"verdicts.sqlite", "verdicts.key"} <= modes.keys()


def test_the_entries_of_another_key_are_no_answers(path: Path) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
    path.with_name("verdicts.key").unlink()
    with VerdictCache(path, SETTING) as cache:
        assert cache.get(KEY) is None
        cache.put(KEY, FOUND)
        assert cache.get(KEY) == FOUND


def test_an_entry_that_is_changed_or_put_elsewhere_is_no_answer(path: Path) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
        cache.put(b"l" * 32, replace(FOUND, output="other"))
    for change in (
        "UPDATE findings SET finding = replace(finding, 'partial', 'failed')",
        "UPDATE findings SET mark = zeroblob(32)",
        "UPDATE findings SET mark = NULL",
        "UPDATE findings SET finding = CAST(finding AS BLOB)",
        # Both are ours, each in the place of the other.
        "UPDATE findings SET (finding, mark) = (SELECT finding, mark FROM findings AS o WHERE o.key != findings.key)",
    ):
        with sqlite3.connect(path) as database:
            kept = database.execute("SELECT * FROM findings").fetchall()
            database.execute(change)
        with VerdictCache(path, SETTING) as cache:
            assert cache.get(KEY) is None, change
            assert cache.fault is None
        with sqlite3.connect(path) as database:
            database.execute("DELETE FROM findings")
            database.executemany("INSERT INTO findings VALUES (?, ?, ?, ?)", kept)
    with VerdictCache(path, SETTING) as cache:
        assert cache.get(KEY) == FOUND


def test_a_cache_of_the_first_version_begins_anew(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE findings (key BLOB PRIMARY KEY, finding TEXT, day INTEGER)")
        database.execute("INSERT INTO findings VALUES (x'00', '{}', 1)")
        database.execute("PRAGMA user_version = 1")
    for _ in range(2):
        with VerdictCache(path, SETTING) as cache:
            cache.put(KEY, FOUND)
            assert (cache.get(KEY), cache.fault) == (FOUND, None)


SHARED = {
    "a folder of all": lambda path: path.parent.chmod(0o777),
    "a folder of a group": lambda path: path.parent.chmod(0o775),
    "a file of all": lambda path: path.chmod(0o666),
    "a log of all": lambda path: (
        path.with_name("verdicts.sqlite-wal").touch(0o666) or path.with_name("verdicts.sqlite-wal").chmod(0o666)
    ),
    "a link in place of the file": lambda path: path.rename(path.with_name("x")) and path.symlink_to("x"),
    "a key that others can read": lambda path: path.with_name("verdicts.key").chmod(0o644),
    "a key cut short": lambda path: path.with_name("verdicts.key").write_bytes(b"k" * 31),
    "a link in place of the key": lambda path: (
        path.with_name("verdicts.key").rename(path.with_name("y")) and path.with_name("verdicts.key").symlink_to("y")
    ),
}


@pytest.mark.parametrize("share", SHARED.values(), ids=SHARED)
def test_a_place_that_others_have_a_hand_in_is_named_and_not_used(path: Path, share: Callable[[Path], object]) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
    share(path)
    with VerdictCache(path, SETTING) as cache:
        assert cache.get(KEY) is None
        cache.put(KEY, FOUND)
        assert f"the cache {path} is not used: {path.parent}" in (cache.fault or "")
        assert any(word in (cache.fault or "") for word in ("chmod go-w", "remove it"))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcome": "passed"}', "nonsense"])
def test_an_entry_that_is_no_finding_is_no_answer(path: Path, text: str) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE findings SET finding = ?", (text,))
    with VerdictCache(path, SETTING) as cache:
        mark = cache._mark(finding_key(SETTING, KEY), text)  # as if this user had written it
        assert cache._database is not None
        cache._database.execute("UPDATE findings SET mark = ?", (mark,))
        assert cache.get(KEY) is None
        cache.put(KEY, FOUND)
        assert cache.get(KEY) == FOUND


def test_what_was_not_asked_for_longest_makes_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [bytes([number]) * 32 for number in range(20)]
    with VerdictCache(path, SETTING) as cache:
        for key in keys:
            cache.put(key, FOUND)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE findings SET day = 1")
    with VerdictCache(path, SETTING) as cache:
        assert all(cache.get(key) for key in keys[:5])  # used today
    monkeypatch.setattr(module, "MAX_FINDINGS", 10)
    with VerdictCache(path, SETTING) as cache:
        left = [key for key in keys if cache.get(key)]
    assert len(left) == 9
    assert set(keys[:5]) <= set(left)


def test_a_full_disk_costs_the_cache_not_the_run(path: Path) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
        assert cache._database is not None
        (pages,) = cache._database.execute("PRAGMA page_count").fetchone()
        cache._database.execute(f"PRAGMA max_page_count = {pages}")  # what SQLite knows a full disk by
        for number in range(100):
            cache.put(number.to_bytes(32, "big"), replace(FOUND, output="x" * 5000))
        assert "full" in (cache.fault or "")
        assert cache.get(KEY) is None
