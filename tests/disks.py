"""Disks so small that they are full at once."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .tiers import refuse_if_pure


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """Mount a disk of `size` bytes at `folder`; skip the test where that is not allowed."""
    refuse_if_pure("a disk of its own, which needs root")
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "edittool-test", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here (user {os.getuid()}): {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def enlarge(disk: Path) -> None:
    """Make room on a disk that `small_disk` mounted."""
    subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
