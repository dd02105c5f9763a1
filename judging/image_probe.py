"""Runs inside the sandbox in place of the runner, with the rights of an untrusted program, and prints what it finds.

One JSON object on stdout. Stdlib only, and nothing of edittool: `image_check` passes the source of this file along.
"""

import json
import os
import stat
from collections.abc import Iterator

KERNEL_FOLDERS = ("/proc", "/sys", "/dev")
INTERPRETER = "/usr/bin/python3"


def files() -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of every regular file of the image."""
    for folder, below, names in os.walk("/"):
        below[:] = [name for name in below if os.path.join(folder, name) not in KERNEL_FOLDERS]
        for path in (os.path.join(folder, name) for name in names):
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode):
                yield path, status


def is_program(path: str, status: os.stat_result) -> bool:
    """Tell whether a file could be run: the engine's empty placeholders cannot, the loader and Python must."""
    expected = path == INTERPRETER or os.path.basename(path).startswith("ld-linux")
    return bool(status.st_mode & 0o111) and status.st_size > 0 and not expected


def status_fields() -> dict[str, str]:
    """Return the fields of /proc/self/status."""
    with open("/proc/self/status") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def can_read(path: str) -> bool:
    """Tell whether this process may open `path`."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def network_interfaces() -> list[str]:
    """Return the names of all network interfaces."""
    with open("/proc/net/dev") as lines:
        return [line.split(":")[0].strip() for line in lines if ":" in line]


def findings() -> dict[str, object]:
    """Return everything there is to know."""
    everything = list(files())
    fields = status_fields()
    return {
        "programs": [path for path, status in everything if is_program(path, status)],
        "setuid": [path for path, status in everything if status.st_mode & (stat.S_ISUID | stat.S_ISGID)],
        "readable_interpreters": [path for path in (INTERPRETER, "/proc/self/exe") if can_read(path)],
        # What is in the folder of a process that is not dumpable belongs to root.
        "dumpable": os.stat("/proc/self/mem").st_uid == os.geteuid(),
        "root_read_only": bool(os.statvfs("/").f_flag & os.ST_RDONLY),
        "interfaces": network_interfaces(),
        "uids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
        "capabilities": {name: fields[name] for name in fields if name.startswith("Cap") and int(fields[name], 16)},
        "no_new_privileges": fields["NoNewPrivs"] == "1",
        "seccomp_mode": int(fields["Seccomp"]),
    }


if __name__ == "__main__":
    print(json.dumps(findings()))  # noqa: T201
