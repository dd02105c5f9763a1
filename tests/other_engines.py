"""Podman's service, and engines without root, on sockets of a test's own; nothing is left of them afterwards.

The user without rights exists for the service alone: in a mount namespace of its own, with an account database and a
range of subordinate ids of its own.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from .engines import remove_traces
from .tiers import refuse_if_pure

START_SECONDS = 30
# Whatever a service leaves behind is found by its users: those of another worker's services are others.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
USER = 424242 + _WORKER
SUBORDINATE = range(600_100_000 + 65_536 * _WORKER, 600_100_000 + 65_536 * (_WORKER + 1))
# A runtime of Debian 12 refuses control groups of both versions at once: the service is shown those of the first.
UNSHARE = ("unshare", "--mount", "--propagation", "private")
VIEW = 'umount /sys/fs/cgroup/unified 2>/dev/null; mount --make-rshared /; exec "$@"'
ACCOUNTS = {
    "passwd": "lab:x:{user}:{user}::{home}:/bin/sh\n",
    "group": "lab:x:{user}:\n",
    "subuid": "lab:{first}:{count}\n",
    "subgid": "lab:{first}:{count}\n",
}


class Service:
    """What listens at `host`, started by `command` in `folder`."""

    def __init__(self, folder: Path, socket: Path):
        self.folder, self.socket = folder, socket
        self.host = f"unix://{socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], environment: dict[str, str], within: Sequence[str] = UNSHARE) -> None:
        """Start `command` in a mount namespace of its own, which `within` makes."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*within, "sh", "-c", VIEW, "sh", *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.socket.is_socket():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} does not come up:\n{self.log()}", pytrace=False)
            time.sleep(0.05)

    def log(self) -> str:
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-20:])

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        _end_processes_of({USER, *SUBORDINATE})
        remove_traces(self.folder)
        if self._process is not None:
            self._process.wait()


def skip_without(*programs: str) -> None:
    refuse_if_pure("an engine of its own")
    if os.getuid() != 0:
        pytest.skip(f"only root can start these engines in namespaces of their own; this is user {os.getuid()}")
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on this machine: scripts/setup-engines.sh installs them where it can")


@contextmanager
def podman() -> Iterator[Service]:
    """Start Podman's service as root."""
    skip_without("podman", "runc", "conmon")
    with podman_in(UNSHARE) as service:
        yield service


@contextmanager
def podman_in(within: Sequence[str]) -> Iterator[Service]:
    """Start the service of the Podman that is to be found in the mount namespace which `within` makes."""
    folder = _new_folder()
    service = Service(folder, folder / "podman.sock")
    state = [f"--{name}={folder / name}" for name in ("root", "runroot", "tmpdir")]
    flags = [*state, "--cgroup-manager=cgroupfs", "--runtime=runc", "system", "service", "--time=0", service.host]
    try:
        service.start(["podman", *flags], dict(os.environ), within)
        yield service
    finally:
        service.close()


@contextmanager
def rootless_podman() -> Iterator[Service]:
    """Start Podman's service as a user without rights."""
    skip_without("podman", "runc", "conmon", "newuidmap", "setpriv")
    with _unprivileged() as (service, prefix, environment):
        flags = ["--cgroup-manager=cgroupfs", "--runtime=runc", "system", "service", "--time=0", service.host]
        service.start([*prefix, "podman", *flags], environment)
        yield service


@contextmanager
def rootless_docker() -> Iterator[Service]:
    """Start a Docker Engine as a user without rights, as dockerd-rootless.sh does; without a network."""
    skip_without("dockerd", "rootlesskit", "newuidmap", "setpriv")
    with _unprivileged() as (service, prefix, environment):
        folder, run = service.folder / "home", service.folder / "run"
        (folder / "daemon.json").write_text("{}")
        paths = {"config-file": folder / "daemon.json", "data-root": folder / "data", "exec-root": run / "exec"}
        flags = [
            *(f"--{name}={path}" for name, path in paths.items()),
            f"--pidfile={run}/pid",
            f"--host={service.host}",
        ]
        daemon = ["dockerd", "--rootless", *flags, "--bridge=none", "--iptables=false", "--ip6tables=false"]
        own_run = 'rm -f /run/docker /run/containerd /run/xtables.lock; exec "$@"'
        kit = ["rootlesskit", "--net=host", "--copy-up=/etc", "--copy-up=/run", "--propagation=rslave"]
        service.start([*prefix, *kit, f"--state-dir={run}/kit", "sh", "-c", own_run, "sh", *daemon], environment)
        yield service


@contextmanager
def _unprivileged() -> Iterator[tuple[Service, list[str], dict[str, str]]]:
    folder = _new_folder()
    service = Service(folder, folder / "run" / "engine.sock")
    home, run, accounts = folder / "home", folder / "run", folder / "accounts"
    for directory in (home, run, accounts):
        directory.mkdir()
    for directory in (home, run):
        os.chown(directory, USER, USER)
    facts = {"user": USER, "home": home, "first": SUBORDINATE.start, "count": len(SUBORDINATE)}
    binds = []
    for name, line in ACCOUNTS.items():
        here = Path("/etc", name)
        (accounts / name).write_text((here.read_text() if here.exists() else "") + line.format(**facts))
        binds.append(f"touch {here} && mount --bind {accounts / name} {here}")
    become = f"setpriv --reuid={USER} --regid={USER} --clear-groups"
    prefix = ["sh", "-c", f'{" && ".join(binds)} && exec {become} "$@"', "sh"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(home), "XDG_RUNTIME_DIR": str(run)}
    try:
        yield service, prefix, environment
    finally:
        service.close()


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"edittool-service-{os.getpid()}-", dir="/tmp"))
    folder.chmod(0o755)
    return folder


def _end_processes_of(users: set[int]) -> None:
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError, ProcessLookupError):
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
            if int(fields["Uid"].split()[0]) in users:
                os.kill(int(status.parent.name), signal.SIGKILL)
