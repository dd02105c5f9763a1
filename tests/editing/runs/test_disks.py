from pathlib import Path

import pytest

from edittool.editing.runs.preflight import check_writable, need_space
from edittool.schemas.errors import EnvironmentFault


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b", 2**10)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", ["/proc/a/b", "/dev/null/a"])
def test_a_folder_that_cannot_be_written(folder: str) -> None:
    with pytest.raises(EnvironmentFault, match=f"{folder} cannot be written: .*choose another place"):
        check_writable(Path(folder))


def test_too_little_space(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match=r"MiB are to be written there"):
        check_writable(tmp_path, 2**60)
    need_space(tmp_path, 5, 5)
