"""Where caches lie, and whether others could have put something there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edittool.schemas.folders import SharedPlaceError, cache_folder, check_private, make_private


def test_the_cache_folder_is_the_users_own_or_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("EDITTOOL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "edittool"
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_folders_are_made_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    before = os.umask(0)
    try:
        make_private(folder)
        make_private(folder)
    finally:
        os.umask(before)
    assert [each.stat().st_mode & 0o777 for each in (folder, folder.parent)] == [0o755] * 2
    check_private(folder / "file")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a file in a folder in a folder, all of them private."""
    path = tmp_path / "above" / "folder" / "file"
    make_private(path.parent)
    path.touch(0o600)
    check_private(path)
    return path


SHARED = {
    "file": (lambda place: place.chmod(0o620), "file can be written by others .mode 620.; `chmod go-w .*file`"),
    "folder": (lambda place: place.parent.chmod(0o757), "folder can be written by others .mode 757."),
    "sticky folder": (lambda place: place.parent.chmod(0o1777), "folder can be written by others .mode 1777."),
    "above": (lambda place: place.parents[1].chmod(0o777), "above can be written by others .mode 777."),
    "link": (lambda place: place.rename(place.with_name("x")) and place.symlink_to("x"), "file is a link; remove it"),
    "linked folder": (
        lambda place: place.parent.rename(place.parents[1] / "x") and place.parent.symlink_to("x"),
        "folder is a link; remove it, or set EDITTOOL_CACHE",
    ),
    "link to nothing": (lambda place: place.unlink() or place.symlink_to("nowhere"), "file is a link"),
}


@pytest.mark.parametrize(("share", "message"), SHARED.values(), ids=SHARED)
def test_a_place_that_others_have_a_hand_in_is_named(
    place: Path, share: Callable[[Path], object], message: str
) -> None:
    share(place)
    with pytest.raises(SharedPlaceError, match=message):
        check_private(place)


def test_a_folder_in_one_that_all_may_use_and_nobody_may_rename_is_private(place: Path) -> None:
    place.parents[1].chmod(0o1777)
    check_private(place)


def test_a_link_above_counts_for_where_it_leads(place: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("above")
    check_private(tmp_path / "link" / "folder" / "file")
    place.parents[1].chmod(0o777)
    with pytest.raises(SharedPlaceError, match="can be written by others"):
        check_private(tmp_path / "link" / "folder" / "file")


@pytest.mark.root
@pytest.mark.parametrize("level", [-1, 0, 1])
def test_what_belongs_to_another_user_is_named(place: Path, level: int) -> None:
    other = place if level < 0 else place.parents[level]
    os.chown(other, 12345, 12345)
    with pytest.raises(SharedPlaceError, match=rf"{other} belongs to another user \(uid 12345\); set EDITTOOL_CACHE"):
        check_private(place)
