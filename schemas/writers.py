"""Who writes a file: a note on the file itself, an extended attribute, for the process that is refused.

The lock alone decides who may write; the note only names its holder. It goes where the file goes, over NFS too, and
leaves nothing beside it. A file system without such attributes (NFS before 4.2, tmpfs before Linux 6.6) has no note.
"""

import contextlib
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

NOTE = "user.edittool.writer"


def sign(descriptor: int) -> None:
    """Note on the open file that this process writes it. Only the holder of the file's lock may."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    note = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now})
    with contextlib.suppress(OSError):
        os.setxattr(descriptor, NOTE, note.encode())


def unsign(descriptor: int) -> None:
    """Remove the note from the open file. Only the holder of the file's lock may."""
    with contextlib.suppress(OSError):
        os.removexattr(descriptor, NOTE)


def describe_writer(descriptor: int) -> str:
    """Return "process 4711 on host lab3, since 2026-11-22 14:02:11", in this machine's time, or "" when unknown."""
    try:
        note = json.loads(os.getxattr(descriptor, NOTE))
        pid, host = int(note["pid"]), str(note["host"])
        since = datetime.fromisoformat(note["since"]).astimezone()
    except (OSError, KeyError, TypeError, ValueError):
        return ""
    if host == socket.gethostname() and not Path(f"/proc/{pid}").exists():
        return ""  # one that was killed wrote it; the holder of the lock is somebody else
    return f"process {pid} on host {host}, since {since:%Y-%m-%d %H:%M:%S}"
