"""A program judged in place of a sample: it tries what a hostile one would try, and prints its findings.

`look` prints them as one JSON object. Stdlib only, and nothing of edittool: check.py passes the source of this file
along. It believes nothing that it can try: files are created, devices and the trusted process's files are opened,
sockets, processes and system calls are made.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress

INTERPRETER = "/usr/bin/python3"
KERNEL_FOLDERS = ("/proc", "/sys")
TRIAL_NAME = ".edittool-verify"

# Of the trusted process: each of them tells or opens more than that it exists.
SECRETS = ("auxv", "environ", "io", "maps", "mem", "numa_maps", "pagemap", "personality", "smaps", "stack", "syscall")
SECRET_FOLDERS = ("fd", "fdinfo", "map_files", "ns")
SECRET_LINKS = ("cwd", "exe", "root")
# Of the kernel: its memory, its keys, what the machine is.
HIDDEN = (
    *("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug"),
    *("/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware"),
)
SHELLS = frozenset("sh ash bash busybox csh dash fish ksh tcsh toybox zsh".split())
PACKAGE_MANAGERS = frozenset("apk apt apt-get aptitude dnf dpkg pip pip3 rpm snap yum zypper ensurepip".split())
COMPILERS = frozenset("as c++ cc clang cpp g++ gcc go ld make rustc tcc".split())
TOOLS = SHELLS | PACKAGE_MANAGERS | COMPILERS
GVISORS_DEVICES = ("/dev/fuse", "/dev/net/tun")
FAMILIES = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK", "AF_BLUETOOTH", "AF_CAN")
LIMITS = ("NOFILE", "NPROC", "FSIZE", "CORE", "MSGQUEUE", "MEMLOCK", "AS", "CPU")
# One for each sort of thing that the profile refuses, by the numbers on x86_64 and aarch64.
CALLS = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mknodat": (259, 33),
    "fchownat": (260, 54),
    "setuid": (105, 146),
    "capset": (126, 91),
    "personality": (135, 92),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "pidfd_open": (434, 434),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "inotify_init1": (294, 26),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mlockall": (151, 230),
    "syslog": (103, 116),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "clock_settime": (227, 112),
    "clone3": (435, 435),
}
COLUMN = {"x86_64": 0, "aarch64": 1}


def look() -> None:
    """Print everything there is to know."""
    print(json.dumps(findings()))  # noqa: T201


def findings() -> dict[str, object]:
    """Return everything there is to know."""
    fields = status_fields()
    everything = list(paths())
    return {
        "mounts": mounts(),
        "mount_points": mount_points(everything),
        "writable_folders": [path for path, status in everything if stat.S_ISDIR(status.st_mode) and can_create(path)],
        "writable_files": [path for path, status in everything if is_plain(path, status) and can_write(path)],
        "root_read_only": bool(os.statvfs("/").f_flag & os.ST_RDONLY),
        "tmp": describe_tmp(),
        "programs": [path for path, status in everything if is_program(path, status)],
        "tools": sorted(TOOLS & {os.path.basename(path) for path, status in everything if is_of_image(path, status)}),
        "setuid": [path for path, status in everything if is_of_image(path, status) and status.st_mode & 0o6000],
        "readable_interpreters": [path for path in (INTERPRETER, "/proc/1/exe") if can_read(path)],
        "devices": devices(everything),
        "answering": [path for path in GVISORS_DEVICES if is_answering(path)],
        "hidden": [path for path in HIDDEN if has_contents(path)],
        "interfaces": network_interfaces(),
        "routes": routes(),
        "sockets": [family for family in FAMILIES if can_make_socket(family)],
        "limits": {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in LIMITS},
        "memory": first_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"),
        "memory_and_swap": first_number("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
        "swap": first_number("/sys/fs/cgroup/memory.swap.max"),
        "pids": first_number("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"),
        "ids": [*os.getresuid(), *os.getresgid(), *os.getgroups()],
        "capabilities": {name: fields[name] for name in fields if name.startswith("Cap")} or capabilities(),
        "no_new_privileges": fields.get("NoNewPrivs") == "1",
        "seccomp_mode": int(fields.get("Seccomp", "0")),
        "calls": call_errors(),
        "beyond_itself": [name for name, attempt in ATTEMPTS.items() if not is_refused(attempt)],
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()),
        "proc": sorted(os.listdir("/proc")),
        "secrets": secrets(),
        "environment": dict(os.environ),
        "hostname": os.uname().nodename,
    }


# Files


def paths() -> Iterator[tuple[str, os.stat_result]]:
    """Yield path and status of everything below the root, of whatever mount, but for what is this process's own."""
    own = {"/proc/self", "/proc/thread-self", f"/proc/{os.getpid()}"}
    for folder, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in own]
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            with suppress(OSError):  # gone, or in a folder that may be listed and no more
                yield path, os.lstat(path)


def can_create(folder: str) -> bool:
    """Tell whether a file can be created in `folder`, by creating one."""
    path = os.path.join(folder, TRIAL_NAME)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(path)
    except OSError:
        return False
    return True


def can_write(path: str) -> bool:
    """Tell whether the file at `path` can be opened for writing; of another process's files, whether that does."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        # The kernel lets everybody open some of them, and looks at who writes.
        return not path.startswith("/proc/1/") or os.write(descriptor, b"1") > 0
    except OSError:
        return False
    finally:
        os.close(descriptor)


def can_read(path: str) -> bool:
    """Tell whether this process may open `path`."""
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def has_contents(path: str) -> bool:
    """Tell whether a file or a folder shows anything."""
    try:
        if os.path.isdir(path):
            return bool(os.listdir(path))
        with open(path, "rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def is_plain(path: str, status: os.stat_result) -> bool:
    """Tell whether this is a file to be tried for writing: what an image has in /tmp is writable with it."""
    return stat.S_ISREG(status.st_mode) and not path.startswith("/tmp/")  # noqa: S108 - the container's own


def is_of_image(path: str, status: os.stat_result) -> bool:
    """Tell whether this is a file that the image brought."""
    return stat.S_ISREG(status.st_mode) and not path.startswith(KERNEL_FOLDERS)


def is_program(path: str, status: os.stat_result) -> bool:
    """Tell whether a file could be run: the engine's empty placeholders cannot, the loader and Python must."""
    expected = path == INTERPRETER or os.path.basename(path).startswith("ld-linux")
    return is_of_image(path, status) and bool(status.st_mode & 0o111) and status.st_size > 0 and not expected


def mounts() -> list[dict[str, object]]:
    """Return the mount table: where, of which type, with which options."""
    rows = (line.split(" ") for line in lines_of("/proc/self/mounts"))
    return [{"target": target, "type": kind, "options": options.split(",")} for _, target, kind, options, *_ in rows]


def mount_points(everything: list[tuple[str, os.stat_result]]) -> list[str]:
    """Return where one file system ends and another begins, from the root down."""
    systems = {path: status.st_dev for path, status in everything}
    return [path for path, system in systems.items() if system != systems[os.path.dirname(path)]]


def describe_tmp() -> dict[str, object]:
    """Return the size and the inodes of /tmp, its flag, and whether code can be mapped from a file there."""
    path, system = f"/tmp/{TRIAL_NAME}", os.statvfs("/tmp")  # noqa: S108
    with open(path, "wb+") as file:
        file.write(bytes(mmap.PAGESIZE))
        file.flush()
        try:
            mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()
            executable = True
        except OSError:
            executable = False
    os.unlink(path)
    noexec = bool(system.f_flag & os.ST_NOEXEC)
    size = system.f_frsize * system.f_blocks
    return {"bytes": size, "inodes": system.f_files, "noexec": noexec, "executable": executable}


def devices(everything: list[tuple[str, os.stat_result]]) -> dict[str, tuple[str, int, int]]:
    """Return kind, major and minor number of each device node."""
    return {
        path: ("block" if stat.S_ISBLK(status.st_mode) else "char", os.major(status.st_rdev), os.minor(status.st_rdev))
        for path, status in everything
        if stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode)
    }


def is_answering(device: str) -> bool:
    """Tell whether anything is behind a device: whether it can be read, or could when it has something to say."""
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return bool(os.read(descriptor, 4096))
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(descriptor)


# Network


def network_interfaces(tables: str = "/proc/net") -> list[str]:
    """Return the names of all network interfaces."""
    return [line.split(":")[0].strip() for line in lines_of(f"{tables}/dev") if ":" in line]


def routes(tables: str = "/proc/net") -> list[str]:
    """Return the interfaces that the routing tables lead to, but for the loopback."""
    ipv4 = [line.split()[0] for line in lines_of(f"{tables}/route")[1:] if line.strip()]
    ipv6 = [line.split()[-1] for line in lines_of(f"{tables}/ipv6_route") if line.strip()]
    return sorted({*ipv4, *ipv6} - {"lo"})


def can_make_socket(family: str) -> bool:
    """Tell whether this process gets a socket of `family`."""
    kind = socket.SOCK_SEQPACKET if family == "AF_ALG" else socket.SOCK_DGRAM
    try:
        socket.socket(getattr(socket, family, -1), kind).close()
    except OSError as error:
        return error.errno not in (errno.EPERM, errno.EAFNOSUPPORT)
    return True


# Limits


def first_number(*files: str) -> int | None:
    """Return the number in the first of `files` that holds one; None where none does."""
    for path in files:
        text = "".join(lines_of(path)).strip()
        if text.isdigit():
            return int(text)
    return None


# Privileges


def status_fields() -> dict[str, str]:
    """Return the fields of /proc/self/status."""
    return dict(line.rstrip("\n").split(":\t", 1) for line in lines_of("/proc/self/status") if ":\t" in line)


def capabilities() -> dict[str, str]:
    """Return the sets of capabilities that the kernel tells by a system call, for want of /proc."""
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None).capget(header, sets) != 0:
        return {}
    return {
        name: f"{sets[place] | sets[place + 3] << 32:016x}" for place, name in enumerate(("CapEff", "CapPrm", "CapInh"))
    }


def call_errors() -> dict[str, int]:
    """Return what each of CALLS ends with, an errno or 0, given arguments that no call takes."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    machine = os.uname().machine
    errors = {}
    for name, numbers in CALLS.items() if machine in COLUMN else ():
        result = library.syscall(ctypes.c_long(numbers[COLUMN[machine]]), *[ctypes.c_long(-1)] * 6)
        errors[name] = ctypes.get_errno() if result == -1 else 0
    return errors


def fork() -> None:
    """Make a process that ends at once."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "fork": fork,
    "execute a program": lambda: os.execv("/nonexistent", ["/nonexistent"]),  # noqa: S606
    "signal PID 1": lambda: os.kill(1, 0),
    "signal everybody": lambda: os.kill(-1, 0),
}


def is_refused(attempt: Callable[[], object]) -> bool:
    """Tell whether `attempt` is not permitted; to fail for any other reason means that it is."""
    try:
        attempt()
    except OSError as error:
        return error.errno == errno.EPERM
    return False


def secrets() -> list[str]:
    """Return what of the trusted process can be read."""
    found = [name for name in SECRETS if has_contents(f"/proc/1/{name}")]
    found += [name for name in SECRET_FOLDERS if has_contents(f"/proc/1/{name}")]
    for name in SECRET_LINKS:
        with suppress(OSError):
            os.readlink(f"/proc/1/{name}")
            found.append(name)
    return found


def lines_of(path: str) -> list[str]:
    """Return the lines of a file; none where it cannot be read."""
    try:
        with open(path) as file:
            return file.readlines()
    except OSError:
        return []
