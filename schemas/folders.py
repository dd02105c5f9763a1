"""The folder of caches: files that edittool can make again. And whether anybody else could have written to them."""

import os
import stat
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class SharedPlaceError(Exception):
    """Others than its user could have written to a place. The text names the place and says what helps."""


def cache_folder() -> Path:
    """Return the folder of caches: $EDITTOOL_CACHE, else edittool under the user's own cache folder."""
    if own := os.environ.get("EDITTOOL_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edittool"


def make_private(folder: Path) -> None:
    """Make `folder`, and those it stands in, where they are missing: nobody else may write there, whatever the umask.

    Raises OSError where they cannot be made.
    """
    for one in (*reversed(folder.parents), folder):
        if not one.exists():
            one.mkdir(mode=0o755, exist_ok=True)


def check_private(path: Path) -> None:
    """Raise SharedPlaceError where others could have made or changed the file at `path`, which need not exist yet.

    The file and its folder are no links, belong to this user (or to root), and only they may write there. The folders
    above are such that nobody else can put another in the place of this one.
    """
    path = Path(os.path.abspath(path))
    for place in (path, path.parent):
        about = _about(place)
        if about is None:
            continue
        if stat.S_ISLNK(about.st_mode):
            raise SharedPlaceError(f"{place} is a link; remove it, or {_ELSEWHERE}")
        _check_owner(place, about)
        if about.st_mode & _BY_OTHERS:
            raise SharedPlaceError(_open_to_others(place, about))
    for folder in _above(path.parent):
        about = folder.stat()
        _check_owner(folder, about)
        if about.st_mode & _BY_OTHERS and not about.st_mode & stat.S_ISVTX:
            raise SharedPlaceError(_open_to_others(folder, about))


_ELSEWHERE = "set EDITTOOL_CACHE to a folder of your own"


def _above(folder: Path) -> Iterator[Path]:
    """Yield the folders that `folder` stands in, by its name and by where links lead."""
    return (each for each in dict.fromkeys(chain(folder.parents, folder.resolve().parents)) if each.exists())


def _about(place: Path) -> os.stat_result | None:
    try:
        return place.lstat()
    except FileNotFoundError:
        return None


def _check_owner(place: Path, about: os.stat_result) -> None:
    if about.st_uid not in (0, os.geteuid()):
        raise SharedPlaceError(f"{place} belongs to another user (uid {about.st_uid}); {_ELSEWHERE}")


def _open_to_others(place: Path, about: os.stat_result) -> str:
    mode = stat.S_IMODE(about.st_mode)
    return f"{place} can be written by others (mode {mode:o}); `chmod go-w {place}`, or {_ELSEWHERE}"
