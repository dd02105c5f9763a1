"""Where caches lie."""

from pathlib import Path

import pytest

from edittool.schemas.folders import cache_folder


def test_the_cache_folder_is_the_users_own_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EDITTOOL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edittool"
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
