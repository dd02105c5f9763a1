"""The user's key: made once, theirs alone, and the same for all who ask at the same time."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edittool.judging.resume.user_key import KEY_BYTES, user_key
from edittool.schemas.folders import SharedPlaceError


def test_it_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        key = user_key(path)
    finally:
        os.umask(before)
    assert len(key) == KEY_BYTES
    assert user_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["key"]
    assert user_key(tmp_path / "other") != key


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edittool.judging.resume.user_key import user_key; "
        "sys.stdin.read(); print(user_key(Path(sys.argv[1])).hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "key")]
    asking = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for process in asking:
        assert process.stdin is not None
        process.stdin.close()
    answers = []
    for process in asking:
        assert process.stdout is not None
        with process.stdout as output:
            answers.append(output.read())
        assert process.wait() == 0
    assert len(set(answers)) == 1


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602, 0o777])
def test_one_that_others_could_know_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    user_key(path)
    path.chmod(mode)
    with pytest.raises(SharedPlaceError, match=f"key is not this user's alone .*mode {mode:o}.*remove it"):
        user_key(path)


@pytest.mark.root
def test_one_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    user_key(path)
    os.chown(path, 12345, 12345)
    with pytest.raises(SharedPlaceError, match="uid 12345"):
        user_key(path)


@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(b"k" * size)
    with pytest.raises(SharedPlaceError, match="holds no key; remove it"):
        user_key(path)


def test_links_and_pipes_are_refused(tmp_path: Path) -> None:
    user_key(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "nowhere").symlink_to("missing")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "nowhere", "pipe"):
        with pytest.raises(SharedPlaceError, match=f"{name} .*remove it"):
            user_key(tmp_path / name)
    assert not (tmp_path / "missing").exists()
