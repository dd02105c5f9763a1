"""A secret of the user's, in a file that only they can read: what is signed with it was written by them."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from ...schemas.folders import SharedPlaceError

KEY_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def user_key(path: Path) -> bytes:
    """Return the key in the file at `path`, which is made where it is missing.

    Raises SharedPlaceError where others could know it or have made it, OSError where it cannot be read or made.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if path.is_symlink():
        raise SharedPlaceError(f"{path} is a link; remove it")
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        _make(path)
        descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        key = file.read(KEY_BYTES + 1) if stat.S_ISREG(about.st_mode) else b""
    if about.st_uid != os.geteuid() or about.st_mode & _OTHERS:
        mode = stat.S_IMODE(about.st_mode)
        raise SharedPlaceError(f"{path} is not this user's alone (uid {about.st_uid}, mode {mode:o}); remove it")
    if len(key) != KEY_BYTES:
        raise SharedPlaceError(f"{path} holds no key; remove it")
    return key


def _make(path: Path) -> None:
    """Write a new key to `path`, unless another process has just done so: whoever reads it finds a whole one."""
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(made, path, follow_symlinks=False)
    finally:
        made.unlink()
