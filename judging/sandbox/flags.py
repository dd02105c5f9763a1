"""Every flag of a sandbox container, in one table: its value, its reason, and the promise that checks it.

Containers are created with these flags; the runner's report of its confinement is compared with them before it is given
a job; `edittool image verify` checks their promises; `edittool doctor` names the limits that an engine has to set; and
docs/security.md shows the table: `python -m edittool.judging.sandbox.flags docs/security.md` writes it there.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from docker.types import LogConfig, Ulimit

from ...sandbox_images.python.boundary.limits import DESCRIPTORS
from .options import SandboxOptions

MIB: Final = 2**20
PIDS: Final = 32
PIPES: Final = 3  # that the runner holds to a process that waits for its job
WAITING_BYTES: Final = 1 * MIB  # of such a process; 0.75 were measured
TMP: Final = "/tmp"  # noqa: S108 - the container's own
TMP_BYTES: Final = 16 * MIB
TMP_INODES: Final = 1024
PROC: Final = "/proc"
# What gVisor's own kernel, a process of the host's, takes of a container.
GVISORS_BYTES: Final = 64 * MIB
GVISORS_PIDS: Final = 256
WAITING_IN_GVISOR_BYTES: Final = 6 * MIB  # what a forked process writes to is copied in larger pieces
# Each live container has a uid of its own, the first one and its slot. READERS may read the interpreter.
READERS: Final = 19999
FIRST_UID: Final = 20000
UIDS: Final = 40000
READONLY_PATHS: Final = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger", "pressure")]
NOT_CONFINED: Final = "not confined as asked"  # the words of a refusal, which `doctor` knows again

# Where a flag stands in what the engine is asked for: docker-py's container and host configuration (a security option,
# a ulimit and an option of the mount on /tmp are items of lists in it), the engine's own host configuration where
# docker-py has no name, or nowhere, because it is the image that sees to it.
Place = Literal["container", "host", "security_opt", "ulimits", "tmpfs", "proc", "engine", "image"]
Slot = int
Value = Callable[[SandboxOptions, Slot], Any]


@dataclass(frozen=True, slots=True)
class Flag:
    """One setting of every sandbox container.

    `promise` is the promise of `edittool image verify` that checks it, None where there is nothing to check. `reported`
    is the runner's name for it, with `expected` as what the runner has to report ("" where it cannot see the flag).
    `engine_limit` is the engine's ability that it needs, as in `EngineFacts.missing_limits`. Flags that are `gvisors`
    are set and checked with gVisor alone.
    """

    name: str
    place: Place
    key: str
    value: Value
    why: str
    promise: str | Callable[[SandboxOptions], str] | None
    reported: str = ""
    expected: Value | None = None
    engine_limit: str = ""
    shown: str = ""  # in place of the value, where that is long or differs between containers
    gvisors: bool = False

    def promised(self, options: SandboxOptions) -> str:
        """Return the promise for a container with `options`. Raises ValueError where there is none."""
        if self.promise is None:
            raise ValueError(f"there is no promise about the {self.name}")
        return self.promise if isinstance(self.promise, str) else self.promise(options)

    def to_report(self, options: SandboxOptions, slot: Slot) -> Any:
        """Return what the runner of a container in `slot` has to report under `reported`."""
        return (self.expected or self.value)(options, slot)


def _always(value: object) -> Value:
    return lambda options, slot: value


def memory_bytes(options: SandboxOptions) -> int:
    """Return the memory of a container. Processes that wait for their job take nothing from the one at work."""
    own, waiting = (GVISORS_BYTES, WAITING_IN_GVISOR_BYTES) if options.gvisor else (0, WAITING_BYTES)
    return options.limits.memory_mib * MIB + (options.processes - 1) * waiting + own


def pids(options: SandboxOptions) -> int:
    """Return how many processes and threads the programs of a container may have; those that wait come on top."""
    return PIDS + options.processes - 1


def pids_outside(options: SandboxOptions) -> int:
    """Return how many the host counts. gVisor has threads of its own, and one or two for each process inside."""
    return GVISORS_PIDS + 2 * pids(options) if options.gvisor else pids(options)


def _descriptors(options: SandboxOptions) -> int:
    return DESCRIPTORS + (options.processes - 1) * PIPES


def _environment(options: SandboxOptions) -> dict[str, str]:
    """Return the variables of a container.

    Numeric libraries would start a thread for each core of the machine, however few a container may use; with one, a
    sum is rounded in the same way on every machine.
    """
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    hash_seed = str(options.hash_seed)
    return {"PYTHONHASHSEED": hash_seed, "MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8", "HOME": TMP, **threads}


@cache
def seccomp_profile() -> str:
    """Return the allow-list of system calls as the engine takes it, inline."""
    text = files("edittool.sandbox_images.python").joinpath("image", "seccomp.json").read_text(encoding="ascii")
    return json.dumps(json.loads(text))


FLAGS: Final[Mapping[str, Flag]] = {
    flag.name: flag
    for flag in (
        Flag(
            "host name",
            "container",
            "hostname",
            _always("sandbox"),
            "a program does not learn what the machine is called",
            "host name is sandbox",
        ),
        Flag(
            "user",
            "container",
            "user",
            lambda options, slot: f"{FIRST_UID + slot}:{FIRST_UID + slot}",
            "unprivileged, and no other live container's: some kernel limits count a user across containers",
            "user and groups are nobody else's",
            reported="uid",
            expected=lambda options, slot: FIRST_UID + slot,
            shown=f"{FIRST_UID} and up",
        ),
        Flag(
            "group",
            "host",
            "group_add",
            _always([READERS]),
            "the one that may read the interpreter: gVisor runs no program that it may not read",
            None,
            gvisors=True,
        ),
        Flag(
            "environment",
            "container",
            "environment",
            lambda options, slot: _environment(options),
            "nothing of the host's; sets have one order, memory one arena, text one encoding, libraries one thread",
            "nothing of the host in the environment",
        ),
        Flag(
            "standard input",
            "container",
            "stdin_open",
            _always(True),
            "jobs come that way; a container whose owner dies reads its end, and ends",
            None,
        ),
        Flag(
            "stop signal",
            "container",
            "stop_signal",
            _always("SIGKILL"),
            "an engine that shuts down would wait ten seconds for a runner that ignores SIGTERM",
            None,
        ),
        Flag(
            "runtime",
            "host",
            "runtime",
            lambda options, slot: options.runtime,
            "the one asked for with `--runtime`",
            None,
            shown="the engine's default",
        ),
        Flag(
            "network",
            "host",
            "network_mode",
            _always("none"),
            "no interface but the loopback, no route",
            "no network interface but lo",
        ),
        Flag(
            "network namespace",
            "container",
            "network_disabled",
            _always(True),
            "with `network_mode` alone the engine still builds a network sandbox: half of a container's start",
            "no network interface but lo",
        ),
        Flag(
            "root file system",
            "host",
            "read_only",
            _always(True),
            "nothing in the image can be changed",
            "root file system read-only",
        ),
        Flag(
            "kernel files",
            "engine",
            "ReadonlyPaths",
            _always(READONLY_PATHS),
            "the engine's own list, and where any user may have the kernel watch the machine's load",
            "no file can be written elsewhere",
        ),
        Flag(
            "mount on /proc",
            "proc",
            "options",
            _always("ro,noexec,nosuid,nodev,size=4k"),
            "an empty folder in the place of the processes: gVisor lets each open the others' descriptors there",
            "nothing in /proc",
            gvisors=True,
        ),
        Flag(
            "mount on /tmp",
            "tmpfs",
            "options",
            _always("rw,noexec,nosuid,nodev,mode=1777"),
            "the only place for files; none of them can be run",
            lambda options: (
                "a tmpfs on /tmp: " + ("no program runs there" if options.gvisor else "noexec, nosuid, nodev")
            ),
        ),
        Flag(
            "room in /tmp",
            "tmpfs",
            "room",
            lambda options, slot: f"size={TMP_BYTES // MIB}m" + ("" if options.gvisor else f",nr_inodes={TMP_INODES}"),
            "a program cannot fill the machine's memory with files",
            lambda options: (
                f"{TMP_BYTES // MIB} MiB" + ("" if options.gvisor else f" and {TMP_INODES:,} inodes") + " in /tmp"
            ),
        ),
        Flag(
            "capabilities",
            "host",
            "cap_drop",
            _always(["ALL"]),
            "root's powers, one by one: none is needed",
            lambda options: f"no capability in any of the {'three' if options.gvisor else 'five'} sets",
            reported="capabilities",
            expected=_always(0),
        ),
        Flag(
            "new privileges",
            "security_opt",
            "no-new-privileges",
            _always("no-new-privileges"),
            "no file gives a program more than it was started with",
            "no new privileges",
            reported="no_new_privileges",
            expected=_always(True),
        ),
        Flag(
            "system calls",
            "security_opt",
            "seccomp",
            lambda options, slot: f"seccomp={seccomp_profile()}",
            "an allow-list of our own ([each call](seccomp.md)); the program gets a second filter on top",
            "seccomp filters on, the container's and the program's",
            reported="seccomp",
            expected=_always(True),
            shown="seccomp.json",
        ),
        Flag(
            "interpreter",
            "image",
            "mode",
            _always(0o751),
            "a process whose program it cannot read is not dumpable: nobody looks into the trusted process, which also "
            "says so itself",
            "the trusted process is not dumpable",
            reported="dumpable",
            expected=_always(False),
            shown="0o751",
        ),
        Flag(
            "memory",
            "host",
            "mem_limit",
            lambda options, slot: memory_bytes(options),
            "`--memory`; 1 MiB more for each further process that waits; with gVisor 6 MiB, and 64 for itself",
            lambda options: f"memory limited to {memory_bytes(options) / MIB:g} MiB",
            reported="memory_bytes",
            engine_limit="memory",
        ),
        Flag(
            "swap",
            "host",
            "memswap_limit",
            lambda options, slot: memory_bytes(options),
            "off: memory and swap together are no more than the memory",
            "no swap",
            reported="swap",
            expected=_always(False),
            engine_limit="swap",
        ),
        Flag(
            "processes",
            "host",
            "pids_limit",
            lambda options, slot: pids_outside(options),
            "threads count; one more for each further process that waits, with gVisor its own as well",
            lambda options: f"processes limited to {pids_outside(options)}",
            reported="pids",
            engine_limit="pids",
        ),
        Flag(
            "processes inside",
            "ulimits",
            "nproc",
            lambda options, slot: pids(options),
            "gVisor's own threads do not count here",
            lambda options: f"processes inside limited to {pids(options)}",
            reported="nproc",
            gvisors=True,
        ),
        Flag(
            "CPU",
            "host",
            "nano_cpus",
            lambda options, slot: round(options.cpus * 1e9),
            "`--cpus`: a program cannot take the machine from the others",
            lambda options: f"CPU limited to {options.cpus:g}",
            reported="cpus",
            expected=lambda options, slot: round(options.cpus, 2),
            engine_limit="cpu",
        ),
        Flag(
            "open files",
            "ulimits",
            "nofile",
            lambda options, slot: _descriptors(options),
            "of the program; the runner has three more for each further process that waits",
            lambda options: f"open files limited to {_descriptors(options)}",
            reported="nofile",
        ),
        Flag(
            "size of a file",
            "ulimits",
            "fsize",
            _always(TMP_BYTES),
            "no file is larger than /tmp",
            f"size of a file limited to {TMP_BYTES:,} bytes",
            reported="fsize",
        ),
        Flag(
            "core dumps",
            "ulimits",
            "core",
            _always(0),
            "one would land in /tmp",
            "no core dump",
            reported="core",
        ),
        Flag(
            "message queues",
            "ulimits",
            "msgqueue",
            _always(0),
            "`/dev/mqueue` can be written, and outlives a program",
            "no message queue",
            reported="msgqueue",
        ),
        Flag(
            "locked memory",
            "ulimits",
            "memlock",
            _always(0),
            "the kernel could not take it back",
            "no locked memory",
            reported="memlock",
        ),
        Flag(
            "shared memory",
            "host",
            "ipc_mode",
            _always("none"),
            "no `/dev/shm`, and nobody else's System V objects",
            "no shared memory",
        ),
        Flag(
            "log",
            "host",
            "log_config",
            _always(LogConfig(type="none")),
            "what a program prints goes to nobody but the runner",
            "nothing is logged",
            shown="none",
        ),
    )
}


# For the engine


def container_flags(options: SandboxOptions, slot: Slot) -> dict[str, Any]:
    """Return the flags of docker-py's container configuration, for the container in `slot`."""
    return {flag.key: flag.value(options, slot) for flag in flags(options, "container")}


def confinement(options: SandboxOptions) -> dict[str, Any]:
    """Return the locks of a sandbox container, under docker-py's names for the engine's host configuration."""
    values = {flag.key: flag.value(options, 0) for flag in flags(options, "host")}
    limits = {flag.key: flag.value(options, 0) for flag in flags(options, "ulimits")}
    mounts: dict[str, Place] = {TMP: "tmpfs", PROC: "proc"}
    tmpfs = {path: [flag.value(options, 0) for flag in flags(options, place)] for path, place in mounts.items()}
    return {
        **values,
        "security_opt": [flag.value(options, 0) for flag in flags(options, "security_opt")],
        "ulimits": [Ulimit(name=name, soft=value, hard=value) for name, value in limits.items()],
        "tmpfs": {path: ",".join(parts) for path, parts in tmpfs.items() if parts},
    }


def engine_flags(options: SandboxOptions) -> dict[str, Any]:
    """Return the flags for which docker-py has no name, as the engine's host configuration takes them."""
    return {flag.key: flag.value(options, 0) for flag in flags(options, "engine")}


def flags(options: SandboxOptions, place: Place | None = None) -> Iterator[Flag]:
    """Yield the flags of a container with `options`, those of one `place` or all."""
    return (
        flag
        for flag in FLAGS.values()
        if (place is None or flag.place == place) and (options.gvisor or not flag.gvisors)
    )


# For the start of each container


def find_weaker(reported: Mapping[str, Any], options: SandboxOptions, slot: Slot) -> list[str]:
    """Return what of a runner's report of its confinement is not what its container was created with."""
    wanted = {flag.reported: flag.to_report(options, slot) for flag in flags(options) if flag.reported}
    return [f"{name} is {reported.get(name)!r}, not {want!r}" for name, want in wanted.items()
            if reported.get(name) != want]  # fmt: skip


# For docs/security.md

BEGIN: Final = "<!-- flags: made by python -m edittool.judging.sandbox.flags docs/security.md -->"
END: Final = "<!-- end of flags -->"


def document_flags() -> str:
    """Return the table of flags in Markdown, with the default options where no process waits beside the first."""
    options = SandboxOptions(worlds=False)
    lines = ["| what | flag | why | promise of `image verify` | reported at start |", "| --- | --- | --- | --- | --- |"]
    for flag in FLAGS.values():
        promise = "" if flag.promise is None else flag.promised(options)
        reported = f"`{flag.reported}`" if flag.reported else ""
        name = f"{flag.name}, with gVisor" if flag.gvisors else flag.name
        lines.append(f"| {name} | {_spelled(flag, options)} | {flag.why} | {promise} | {reported} |")
    return "\n".join(lines)


def _spelled(flag: Flag, options: SandboxOptions) -> str:
    value = flag.value(options, 0)
    if flag.place in ("tmpfs", "proc"):
        return f"`tmpfs`: `{value}`"
    if value == flag.key:
        return f"`{flag.place}`: `{value}`"
    if isinstance(value, dict):
        value = " ".join(f"{name}={item}" for name, item in value.items())
    elif isinstance(value, list):
        value = " ".join(map(str, value))
    name = flag.key if flag.place in ("container", "host") else f"{flag.place} {flag.key}"
    return f"`{name}`: {flag.shown}" if flag.shown else f"`{name}`: `{value}`"


def insert_flags(page: str) -> str:
    """Return `page` with the table of flags between its two marks. Raises ValueError where it has no such marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page lacks {BEGIN!r} or {END!r}")
    return f"{before}{BEGIN}\n\n{document_flags()}\n\n{END}{after}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(insert_flags(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
