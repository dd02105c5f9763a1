"""The confinement of the container and the state of its processes, as /proc and the control groups show them.

The host compares the container's confinement with what it asked for before it sends a job, and learns afterwards from
the kernel's counters what ended a program.
"""

from __future__ import annotations

import posix
import resource
import time

from ..boundary.light import TYPE_CHECKING
from .privileges import describe_privileges

if TYPE_CHECKING:
    from typing import Any, Final

RLIMITS: Final = ("nofile", "nproc", "fsize", "core", "msgqueue", "memlock")
SETTLING_SECONDS: Final = 2.0
PF_EXITING: Final = 4  # a flag of the kernel's, in /proc/PID/stat


def waits_undisturbed(child: int) -> bool:
    """Wait until `child` sleeps; tell whether it does, or was ended or stopped, or has a signal to act on.

    Nobody who could send it one may be alive. Without a /proc, in gVisor, only ends and stops are seen: there, nobody
    could have sent it a signal for want of the system call, and one sent all the same acts on it at once.
    """
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        status = _status_fields(child)
        if not status:
            changes = posix.WEXITED | posix.WSTOPPED | posix.WNOHANG | posix.WNOWAIT
            return posix.waitid(posix.P_PID, child, changes) is None
        state = status.get("State", "Z")[0]
        if state in "TtZX":
            return False
        if state == "S" and not any(int(status[pending], 16) for pending in ("SigPnd", "ShdPnd")):
            return True
        time.sleep(0.001)
    return False


def is_ending(process: int) -> bool:
    """Tell whether `process` is on its way out: without a CPU that takes a while, after its pipes were closed."""
    fields = _read(f"/proc/{process}/stat").rpartition(")")[2].split()
    return len(fields) > 6 and bool(int(fields[6]) & PF_EXITING)


def describe_confinement() -> dict[str, Any]:
    """Return what this process sees of its own confinement, for the host to check against what it asked for."""
    return {
        "uid": posix.getuid(),
        **describe_privileges(),
        **read_limits(*map(_own_group, ("memory", "pids", "cpu"))),
        **{name: resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1] for name in RLIMITS},
    }


def _own_group(controller: str) -> str:
    """Return the folder of this container's control group: one for each controller in version 1, one in version 2."""
    folder = f"/sys/fs/cgroup/{controller}"
    return folder if posix.access(folder, posix.F_OK) else "/sys/fs/cgroup"


def read_limits(memory: str, pids: str, cpu: str) -> dict[str, Any]:
    """Return the limits of the control groups in these folders, of either version. None is what cannot be read."""
    return {
        "memory_bytes": _first_number(f"{memory}/memory.limit_in_bytes", f"{memory}/memory.max"),
        "swap": _may_swap(memory),
        "pids": _first_number(f"{pids}/pids.max"),
        "cpus": _cpus(cpu),
    }


def _status_fields(process: int | str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in _read(f"/proc/{process}/status").splitlines() if ":\t" in line)


def _may_swap(group: str) -> bool:
    """Tell whether memory of this container can leave the limit by way of swap: on a machine without, it cannot."""
    both = _first_number(f"{group}/memory.memsw.limit_in_bytes")
    if both is not None:
        return both != _first_number(f"{group}/memory.limit_in_bytes")
    if _first_number(f"{group}/memory.swap.max") == 0:
        return False
    return len(_read("/proc/swaps").splitlines()) > 1  # the first line is a heading


def _cpus(group: str) -> float | None:
    """Return how many cores this container may use, or None for as many as there are."""
    quota = _first_number(f"{group}/cpu.cfs_quota_us")
    period = _first_number(f"{group}/cpu.cfs_period_us")
    if quota is None or period is None:
        limits = _read(f"{group}/cpu.max").split()
        if len(limits) != 2 or not limits[0].isdigit():
            return None
        quota, period = int(limits[0]), int(limits[1])
    return round(quota / period, 2)


def read_counters() -> dict[str, int]:
    """Return how often the kernel killed for memory and refused a process in this container, cgroup v1 or v2."""
    return {
        "oom_kill": _counter("oom_kill", "/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"),
        "pids_max": _counter("max", "/sys/fs/cgroup/pids/pids.events", "/sys/fs/cgroup/pids.events"),
    }


def _counter(name: str, *paths: str) -> int:
    for path in paths:
        for line in _read(path).splitlines():
            key, _, value = line.partition(" ")
            if key == name and value.isdigit():
                return int(value)
    return 0


def _first_number(*paths: str) -> int | None:
    for path in paths:
        text = _read(path).strip()
        if text.isdigit():
            return int(text)
    return None


def _read(path: str) -> str:
    try:
        descriptor = posix.open(path, posix.O_RDONLY)
    except OSError:
        return ""
    try:
        return posix.read(descriptor, 65536).decode("ascii", "replace")
    finally:
        posix.close(descriptor)
