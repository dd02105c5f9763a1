"""Whether a place on the disk can be written, told before hours are spent on what is to be written there."""

import shutil
import tempfile
from pathlib import Path

from ..schemas.errors import EnvironmentFault


def check_writable(folder: Path, needed: int = 0) -> None:
    """Raise EnvironmentFault where nothing, or no more than `needed` bytes, can be written in `folder`, new or not."""
    there = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=there, buffering=0) as file:
            file.write(b"x")
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} cannot be written: {error.strerror}. Free some space, mend the permissions, or choose another "
            "place."
        ) from None
    need_space(folder, needed, free)


def need_space(folder: Path, needed: int, free: int) -> None:
    """Raise EnvironmentFault where `needed` bytes are more than are `free`."""
    if needed > free:
        raise EnvironmentFault(
            f"{folder}: {needed / 2**20:,.1f} MiB are to be written there, and {free / 2**20:,.1f} MiB are free. Free "
            "some space, or choose another place."
        )


def _nearest(folder: Path) -> Path:
    """Return `folder`, or the folder closest above it that is there."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())
