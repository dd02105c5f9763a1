"""Findings kept from run to run: what comes back, what is never kept, and a file that cannot be used."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.resume import cache as module
from edittool.judging.resume.cache import VerdictCache
from edittool.judging.sandbox.job import Finding

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


@given(output=st.text(), number=st.integers(0, 2**40), codes=st.lists(st.text(max_size=5), max_size=3))
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


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outcome": "passed"}', "nonsense"])
def test_an_entry_that_is_no_finding_is_no_answer(path: Path, text: str) -> None:
    with VerdictCache(path, SETTING) as cache:
        cache.put(KEY, FOUND)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE findings SET finding = ?", (text,))
    with VerdictCache(path, SETTING) as cache:
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
