"""The lockdown of a forked process: the descriptors, limits and system calls that it gives up before it has a program.

The trusted process calls `become_untrusted` in its child; the child gives up the rest when it has the job.
"""

from __future__ import annotations

import posix
import resource

from .light import TYPE_CHECKING
from .limits import DESCRIPTORS, LIBRARIES, RESERVED_MIB, kernel_cpu_seconds
from .syscall_filter import confine, prctl

if TYPE_CHECKING:
    from typing import Final

PR_SET_DUMPABLE: Final = 4
REQUESTS, REPLIES = 3, 4  # the same in every untrusted process, however many others there are


def become_untrusted(requests: int, replies: int, output: int, memory_mib: int) -> None:
    """Turn this freshly forked process into the one that runs the candidate.

    Descriptors 0 to 2 become /dev/null and the `output` pipe, then come REQUESTS and REPLIES, and no other stays open.
    When memory runs out the kernel kills this process first. Until it is made dumpable no other process can read or
    change its memory, open its descriptors or change its settings: in a recycled container it waits while programs run.
    Raises OSError where the kernel refuses a part of that.
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
    # The /proc files of a process that is not dumpable are root's. This one gives that protection up for as long as it
    # writes its own oom_score_adj. In gVisor there is no /proc, and no kernel inside that would choose whom to kill.
    set_dumpable(1)
    try:
        descriptor = posix.open("/proc/self/oom_score_adj", posix.O_WRONLY)
    except FileNotFoundError:
        descriptor = None
    if descriptor is not None:
        posix.write(descriptor, b"1000")
        posix.close(descriptor)
    set_dumpable(0)


def set_dumpable(value: int) -> None:
    """Say whether others of the same user may look into this process, 1, or not, 0."""
    prctl(PR_SET_DUMPABLE, value)


def set_limits(memory_mib: int) -> None:
    """Bound this process's descriptors and its address space.

    A program over the latter sees a MemoryError before the kernel kills anyone. The shared libraries of an own image's
    packages come on top: mapping them takes address space, and hardly any memory.
    """
    libraries_mib = int(posix.environ.get(LIBRARIES, b"0"))
    size = (max(memory_mib - RESERVED_MIB, RESERVED_MIB) + libraries_mib) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def limit_cpu(seconds: float) -> None:
    """Bound this process's CPU time where nobody ends it at `seconds`: SIGXCPU soon after, SIGKILL one second later."""
    whole = kernel_cpu_seconds(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))
