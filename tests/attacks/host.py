"""What an escape from a container would change on the host, as far as others who use the machine leave it alone.

Programs of the sandbox run under user ids of their own, so what they left is told by its owner. What belongs to other
containers, to the engine's bookkeeping, and to temporary folders comes and goes while tests run, and is left out.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edittool.judging.sandbox.flags import FIRST_UID, UIDS

Host = dict[str, frozenset[object]]

SANDBOX_UIDS: Final = range(FIRST_UID, FIRST_UID + UIDS)
# Whole trees, with modes, owners, sizes and times.
WATCHED: Final = ("/etc", "/boot", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/var/spool/cron", "/root/.ssh")
SHARED: Final = ("/", "/tmp", "/var/tmp", "/dev", "/dev/shm", "/dev/mqueue", "/run", "/home", "/root", "/var/lib")
ENGINES: Final = re.compile(r"docker|containerd|podman|crun|runc|/tmp/|/run/user/")
CONTAINER: Final = re.compile(r"[0-9a-f]{64}")  # its id, in the name of its control group
BRIDGES: Final = re.compile(r"veth|docker|br-|podman|cni")
SETTINGS: Final = """kernel/core_pattern kernel/core_pipe_limit kernel/modprobe kernel/hotplug kernel/poweroff_cmd
    kernel/hostname kernel/domainname kernel/sysrq kernel/panic kernel/panic_on_oops kernel/randomize_va_space
    kernel/kptr_restrict kernel/dmesg_restrict kernel/perf_event_paranoid kernel/unprivileged_bpf_disabled
    kernel/yama/ptrace_scope kernel/pid_max kernel/threads-max kernel/shmmax kernel/msgmax kernel/sem
    kernel/modules_disabled kernel/kexec_load_disabled vm/overcommit_memory vm/panic_on_oom vm/mmap_min_addr
    vm/max_map_count vm/swappiness vm/unprivileged_userfaultfd fs/suid_dumpable fs/file-max fs/protected_symlinks
    fs/protected_hardlinks fs/mqueue/queues_max user/max_user_namespaces net/ipv4/ip_forward
    net/core/bpf_jit_enable""".split()


def observe() -> Host:
    """Return what is seen of the host now; two observations are equal where nothing has changed."""
    return {
        "files": frozenset(_files()),
        "files of a sandbox's user": frozenset(_files_of_sandboxes()),
        "processes of a sandbox's user in no container": frozenset(_processes_outside()),
        "sockets of a sandbox's user": frozenset(_sockets_of_sandboxes()),
        "mounts": frozenset(_mounts()),
        "interfaces": frozenset(name for name in _names("/sys/class/net") if not BRIDGES.match(name)),
        "routes": frozenset(line for line in _lines("/proc/net/route") if not BRIDGES.match(line)),
        "kernel modules": frozenset(line.split()[0] for line in _lines("/proc/modules")),
        "settings": frozenset((name, *_lines(f"/proc/sys/{name}")) for name in SETTINGS),
    }


def _files() -> Iterator[tuple[object, ...]]:
    for top in WATCHED:
        for folder, folders, names in os.walk(top):
            for name in (*folders, *names):
                path = os.path.join(folder, name)
                found = os.lstat(path)
                yield path, found.st_mode, found.st_uid, found.st_gid, found.st_size, found.st_mtime_ns


def _files_of_sandboxes() -> Iterator[str]:
    for folder in SHARED:
        for name in _names(folder):
            path = Path(folder, name)
            try:
                if path.lstat().st_uid in SANDBOX_UIDS:
                    yield str(path)
            except OSError:
                continue  # just gone


def _processes_outside() -> Iterator[str]:
    for name in _names("/proc"):
        if name.isdigit():
            status = dict(line.split(":\t", 1) for line in _lines(f"/proc/{name}/status") if ":\t" in line)
            uids = {int(uid) for uid in status.get("Uid", "").split()}
            groups = _lines(f"/proc/{name}/cgroup")  # none where the process has just ended
            if any(uid in SANDBOX_UIDS for uid in uids) and groups and not any(map(CONTAINER.search, groups)):
                yield f"{name} {status['Name']}"


def _sockets_of_sandboxes() -> Iterator[str]:
    for protocol in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        for line in _lines(f"/proc/net/{protocol}")[1:]:
            if int(line.split()[7]) in SANDBOX_UIDS:
                yield f"{protocol} {line}"


def _mounts() -> Iterator[tuple[str, ...]]:
    for line in _lines("/proc/self/mountinfo"):
        fields = line.split()
        if not ENGINES.search(line):
            yield tuple(fields[3:6])


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
