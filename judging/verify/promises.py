"""The promises of the sandbox, each with its check: takes the findings of the probe, returns a list of checks."""

import errno
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...sandbox_images.python.boundary.limits import LIBRARIES
from ..sandbox.flags import (
    FIRST_UID,
    FLAGS,
    MIB,
    PROC,
    READERS,
    TMP,
    TMP_BYTES,
    TMP_INODES,
    container_flags,
    flags,
    memory_bytes,
    pids_outside,
)
from ..sandbox.options import SandboxOptions
from .probe import COMPILERS, PACKAGE_MANAGERS, SHELLS

FILTERING = 2  # SECCOMP_MODE_FILTER
# null, zero, full, random, urandom; tty and the multiplexer of pseudo-terminals, which no terminal is behind.
HARMLESS_DEVICES = frozenset({(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2)})
KERNEL_FILE_SYSTEMS = frozenset({"proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2"})
# Written by the engine for each container: its own name, and no name server.
FILES_OF_THE_ENGINE = frozenset({"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"})
# The other two, which only a new program would use, gVisor does not tell.
TOLD_BY_GVISOR = frozenset({"CapInh", "CapPrm", "CapEff"})
CAPABILITY_SETS = TOLD_BY_GVISOR | {"CapBnd", "CapAmb"}
# Devices of gVisor's own kernel: file systems in user space, and tunnels. The probe tries whether they answer.
GVISORS_DEVICES = frozenset({(10, 229), (10, 200)})
GVISORS_MOUNTS = frozenset({PROC, TMP, "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup"}) | FILES_OF_THE_ENGINE
# What the engine sets, and an own image of the packages in it.
ENVIRONMENT_OF_THE_ENGINE = frozenset({"PATH", "HOSTNAME", LIBRARIES.decode()})
MAX_LISTED = 8

Findings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, whether it is kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


def checks(found: Findings, trusted: Findings, engine: Findings, options: SandboxOptions) -> list[Check]:
    """Return the promises of a container started with `options`, kept or broken.

    `found` is what the probe saw, `trusted` what the trusted process says of its own confinement, `engine` what the
    engine says of the container.
    """
    return [
        *_file_system(found, engine, options),
        *_image(found, options),
        *_kernel_folders(found, options),
        *_network(found, options),
        *_limits(found, trusted, engine, options),
        *_privileges(found, trusted, options),
        *_surroundings(found, engine, options),
    ]


def _file_system(found: Findings, engine: Findings, options: SandboxOptions) -> list[Check]:
    size, inodes = found["tmp"]["bytes"], found["tmp"]["inodes"]
    if options.gvisor:
        strange = [path for path in found["mount_points"] if not _is_gvisors(path)]
    else:
        strange = [mount["target"] for mount in found["mounts"] if not _is_expected(mount)]
    given = [mount.get("Destination", "?") for mount in engine.get("Mounts") or []]
    return [
        _of("root file system", options, found["root_read_only"], "ro" if found["root_read_only"] else "rw"),
        Check(
            "no file can be created but in /tmp", found["writable_folders"] == [TMP], _list(found["writable_folders"])
        ),
        _none(FLAGS["kernel files"].promised(options), found["writable_files"]),
        _mount_on_tmp(found, options),
        _of(
            "room in /tmp",
            options,
            size == TMP_BYTES and (options.gvisor or inodes == TMP_INODES),
            f"{size / MIB:g} MiB" + ("" if options.gvisor else f", {inodes:,} inodes"),
        ),
        _none("nothing of the host is mounted", sorted({*strange, *given})),
    ]


def _mount_on_tmp(found: Findings, options: SandboxOptions) -> Check:
    if options.gvisor:  # It knows no other flag of a mount, and lets code be mapped: of a file, as of memory.
        seen = ["tmpfs" if TMP in found["mount_points"] else "no mount", "noexec" if found["tmp"]["noexec"] else "exec"]
        return _of("mount on /tmp", options, seen == ["tmpfs", "noexec"], _list(seen))
    tmp = next((mount for mount in found["mounts"] if mount["target"] == TMP), {"type": "", "options": []})
    seen = [flag for flag in ("noexec", "nosuid", "nodev") if flag in tmp["options"]]
    executable = found["tmp"]["executable"]
    return _of(
        "mount on /tmp",
        options,
        tmp["type"] == "tmpfs" and len(seen) == 3 and not executable,
        _list([tmp["type"] or "no mount", *seen, *(["code can be mapped"] if executable else [])]),
    )


def _is_gvisors(mount_point: str) -> bool:
    return mount_point in GVISORS_MOUNTS or mount_point.startswith("/sys/fs/cgroup/")


def _is_expected(mount: Findings) -> bool:
    target, kind = mount["target"], mount["type"]
    if target in _MASKED_FILES:
        return kind in ("tmpfs", "devtmpfs")
    if kind == "tmpfs":
        mask = "ro" in mount["options"] and target.startswith(("/proc/", "/sys/"))
        return mask or target in (TMP, "/dev", "/sys/fs/cgroup")
    return kind in KERNEL_FILE_SYSTEMS or target == "/" or target in FILES_OF_THE_ENGINE


# The engine lays /dev/null, a file of the container's tmpfs or of the machine's, over these.
_MASKED_FILES = frozenset(
    f"/proc/{name}" for name in ("kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats")
)


def _image(found: Findings, options: SandboxOptions) -> list[Check]:
    names = set(found["tools"])
    interpreter = [] if options.gvisor else [_none("interpreter unreadable", found["readable_interpreters"])]
    return [
        _none("no shell", sorted(names & SHELLS)),
        _none("no package manager", sorted(names & PACKAGE_MANAGERS)),
        _none("no compiler", sorted(names & COMPILERS)),
        _none("no other program", found["programs"]),
        _none("no setuid or setgid file", found["setuid"]),
        *interpreter,
    ]


def _kernel_folders(found: Findings, options: SandboxOptions) -> list[Check]:
    devices = {path: (kind, major, minor) for path, (kind, major, minor) in found["devices"].items()}
    harmless = HARMLESS_DEVICES | (GVISORS_DEVICES if options.gvisor else frozenset())
    others = [path for path, (kind, *numbers) in devices.items() if kind != "char" or tuple(numbers) not in harmless]
    others += found["answering"]
    names = sorted(path.removeprefix("/dev/") for path in devices if path.startswith("/dev/"))
    return [
        Check("no device but the harmless ones", not others, _list(others or names)),
        _none("the kernel's memory, keys and firmware hidden", found["hidden"]),
    ]


def _network(found: Findings, options: SandboxOptions) -> list[Check]:
    return [
        _of("network", options, found["interfaces"] == ["lo"], _list(found["interfaces"])),
        _none("no route", found["routes"]),
        _none("no socket of any family", found["sockets"]),
    ]


def _limits(found: Findings, trusted: Findings, engine: Findings, options: SandboxOptions) -> list[Check]:
    memory, seen_memory, seen_pids = memory_bytes(options), trusted.get("memory_bytes"), trusted.get("pids")
    cpus = trusted.get("cpus")
    return [
        _of("memory", options, seen_memory == memory, _mib(seen_memory)),
        _swap(found, trusted, engine, options),
        _of("processes", options, seen_pids == pids_outside(options), str(seen_pids)),
        _of("CPU", options, cpus == options.cpus, f"{cpus:g}" if cpus else "no limit seen"),
        *(
            _of(
                flag.name,
                options,
                found["limits"][flag.key.upper()] == [flag.value(options, 0)] * 2,
                _pair(found, flag.key),
            )
            for flag in flags(options, "ulimits")
        ),
    ]


def _pair(found: Findings, name: str) -> str:
    return ", ".join("unlimited" if value == -1 else f"{value:,}" for value in found["limits"][name.upper()])


def _swap(found: Findings, trusted: Findings, engine: Findings, options: SandboxOptions) -> Check:
    """Check that there is none: by cgroup v1's sum, by v2's own limit, else by the engine's word."""
    memory, both, swap = memory_bytes(options), found["memory_and_swap"], found["swap"]
    if options.gvisor:
        return _of("swap", options, trusted.get("swap") is False, "none" if trusted.get("swap") is False else "allowed")
    if both is not None:
        return _of("swap", options, both == memory, f"with it {_mib(both)}")
    if swap is not None:
        return _of("swap", options, swap == 0, _mib(swap))
    asked = engine["HostConfig"].get("MemorySwap")
    return _of("swap", options, asked == memory, f"not seen; the engine was told {_mib(asked)} with it")


def _privileges(found: Findings, trusted: Findings, options: SandboxOptions) -> list[Check]:
    held = {name: value for name, value in found["capabilities"].items() if int(value, 16)}
    all_sets = found["capabilities"].keys() >= (TOLD_BY_GVISOR if options.gvisor else CAPABILITY_SETS)
    allowed = [
        name for name, number in found["calls"].items()
        if number != (errno.ENOSYS if name == "clone3" else errno.EPERM)
    ]  # fmt: skip
    dumpable = trusted.get("dumpable", True)
    # The program has it from its own filter too; the container's is what the trusted process sees. In gVisor, where no
    # /proc tells, the program has inherited the one, and that its filter is on is seen from what that refuses.
    no_new_privileges = (found["no_new_privileges"] or options.gvisor) and trusted.get("no_new_privileges") is True
    filtered = not found["beyond_itself"] if options.gvisor else found["seccomp_mode"] == FILTERING
    users = set(found["ids"]) - ({READERS} if options.gvisor else set())
    nothing_in_proc = [_none(FLAGS["mount on /proc"].promised(options), found["proc"])] if options.gvisor else []
    return [
        _of(
            "user",
            options,
            bool(users) and min(users) >= FIRST_UID,
            _list(sorted(users)),
        ),
        _of(
            "capabilities",
            options,
            all_sets and not held and trusted.get("capabilities") == 0,
            _list(f"{name} {value}" for name, value in held.items()) if all_sets else "not to be seen",
        ),
        _of("new privileges", options, no_new_privileges, "set" if no_new_privileges else "not set"),
        _of(
            "system calls",
            options,
            trusted.get("seccomp") is True and filtered,
            f"{'on' if trusted.get('seccomp') else 'off'}, {'on' if filtered else 'off'}",
        ),
        Check(
            "system calls refused",
            bool(found["calls"]) and not allowed,
            f"not refused: {_list(allowed)}" if allowed else f"{len(found['calls'])} tried, all refused",
        ),
        _none("a program starts no process and no program, and signals nobody", found["beyond_itself"]),
        _none("the trusted process cannot be looked into", found["secrets"]),
        _of("interpreter", options, not dumpable, "dumpable" if dumpable else "not dumpable"),
        *nothing_in_proc,
        _none("no process but the trusted one is seen", [number for number in found["processes"] if number != 1]),
    ]


def _surroundings(found: Findings, engine: Findings, options: SandboxOptions) -> list[Check]:
    environment = found["environment"]
    asked = container_flags(options, 0)
    foreign = sorted(environment.keys() - asked["environment"].keys() - ENVIRONMENT_OF_THE_ENGINE)
    settings = engine["HostConfig"]
    log, ipc = settings["LogConfig"]["Type"], settings.get("IpcMode")
    shared = [mount["target"] for mount in found["mounts"] if mount["target"] == "/dev/shm"]  # noqa: S108
    return [
        _of("environment", options, not foreign, _list(foreign or sorted(environment))),
        _of("host name", options, found["hostname"] == asked["hostname"], found["hostname"]),
        _of("shared memory", options, ipc == "none" and not shared, _list([f"ipc {ipc}", *shared])),
        _of("log", options, log == "none", f"log driver {log}"),
    ]


def _of(flag: str, options: SandboxOptions, kept: bool, seen: str) -> Check:
    """Return the check of the promise about `flag`."""
    return Check(FLAGS[flag].promised(options), kept, seen)


def _none(promise: str, things: Collection[object]) -> Check:
    return Check(promise, not things, _list(things))


def _list(things: Iterable[object]) -> str:
    shown = [str(thing) for thing in things]
    more = f" and {len(shown) - MAX_LISTED} more" if len(shown) > MAX_LISTED else ""
    return ", ".join(shown[:MAX_LISTED]) + more or "none"


def _mib(size: int | None) -> str:
    return "no limit seen" if size is None else f"{size / MIB:,.0f} MiB"
