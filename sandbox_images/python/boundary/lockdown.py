"""What the untrusted process gives up, and what the container has to guarantee before a job is taken."""

from __future__ import annotations

import posix
import resource
import time

from .light import TYPE_CHECKING
from .syscall_filter import confine, prctl

if TYPE_CHECKING:
    from typing import Any, Final

PR_SET_DUMPABLE: Final = 4
REQUESTS, REPLIES = 3, 4  # the same in every untrusted process, however many others there are
RLIMITS: Final = ("nofile", "fsize", "core", "msgqueue", "memlock")
RESERVED_MIB: Final = 64  # of the container's memory, for the trusted process
SETTLING_SECONDS: Final = 2.0
DESCRIPTORS: Final = 64  # that the untrusted process may have; in a recycled container the trusted one has more


def become_untrusted(requests: int, replies: int, output: int, memory_mib: int) -> None:
    """Turn this freshly forked process into the one that runs the candidate.

    Descriptors 0 to 2 become /dev/null and the `output` pipe, then come REQUESTS and REPLIES, and no other stays open.
    When memory runs out the kernel kills this process first. Until it is made dumpable no other process can read or
    change its memory, open its descriptors or change its settings: in a recycled container it waits while programs run.
    """
    null = posix.open("/dev/null", posix.O_RDWR)
    posix.dup2(null, 0)
    posix.dup2(output, 1)
    posix.dup2(output, 2)
    _move(requests, REQUESTS)
    _move(replies, REPLIES)
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    posix.closerange(REPLIES + 1, limit)
    _volunteer_for_the_oom_killer()
    set_limits(memory_mib)
    confine()


def _move(descriptor: int, place: int) -> None:
    if descriptor != place:
        posix.dup2(descriptor, place, inheritable=False)


def _volunteer_for_the_oom_killer() -> None:
    # The interpreter's file is unreadable, which makes every process that executes it non-dumpable and its /proc
    # files root's. This process gives that protection up for as long as it writes its own oom_score_adj.
    set_dumpable(1)
    descriptor = posix.open("/proc/self/oom_score_adj", posix.O_WRONLY)
    posix.write(descriptor, b"1000")
    posix.close(descriptor)
    set_dumpable(0)


def set_dumpable(value: int) -> None:
    """Say whether others of the same user may look into this process, 1, or not, 0."""
    prctl(PR_SET_DUMPABLE, value)


def set_limits(memory_mib: int) -> None:
    """Bound this process's descriptors and its address space.

    A program over the latter sees a MemoryError before the kernel kills anyone.
    """
    size = max(memory_mib - RESERVED_MIB, RESERVED_MIB) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def limit_cpu(seconds: float) -> None:
    """Bound this process's CPU time: SIGXCPU at the limit, SIGKILL one second later; whole seconds, rounded up."""
    whole = max(1, int(-(-seconds // 1)))
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))


def waits_undisturbed(child: int) -> bool:
    """Wait until `child` sleeps; tell whether it does, or was ended or stopped, or has a signal to act on.

    Nobody who could send it one may be alive.
    """
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        status = _status_fields(child)
        state = status.get("State", "Z")[0]
        if state in "TtZX":
            return False
        if state == "S" and not any(int(status[pending], 16) for pending in ("SigPnd", "ShdPnd")):
            return True
        time.sleep(0.001)
    return False


def describe_confinement() -> dict[str, Any]:
    """Return what this process sees of its own confinement, for the host to check against what it asked for."""
    status = _status_fields("self")
    return {
        "uid": posix.getuid(),
        "capabilities": int(status.get("CapEff", "0"), 16),
        "no_new_privileges": status.get("NoNewPrivs") == "1",
        "seccomp": status.get("Seccomp") == "2",
        "dumpable": posix.stat("/proc/self/status").st_uid == posix.getuid(),
        "memory_bytes": _first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"),
        "swap": _may_swap(),
        "pids": _first_number("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"),
        "cpus": _cpus(),
        **{name: resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1] for name in RLIMITS},
    }


def _status_fields(process: int | str) -> dict[str, str]:
    return dict(line.split(":\t", 1) for line in _read(f"/proc/{process}/status").splitlines() if ":\t" in line)


def _may_swap() -> bool:
    """Tell whether memory of this container can leave the limit by way of swap: on a machine without, it cannot."""
    both = _first_number("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
    if both is not None:
        return both != _first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes")
    if _first_number("/sys/fs/cgroup/memory.swap.max") == 0:
        return False
    return len(_read("/proc/swaps").splitlines()) > 1  # the first line is a heading


def _cpus() -> float | None:
    """Return how many cores this container may use, or None for as many as there are."""
    quota = _first_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
    period = _first_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if quota is None or period is None:
        limits = _read("/sys/fs/cgroup/cpu.max").split()
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
