"""Docker Engines of a test's own, which it may stop, kill and start again: the shared one is never touched.

Each has its own containerd, data root, socket and control group, no network, and its files in one folder under /tmp:
the path of a Unix socket may not be longer than 108 bytes. Needs root, and the Debian packages of the engine.
"""

import errno
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker
import pytest
import requests
from docker.errors import DockerException

from edittool.judging.image.build import image_tag

from .tiers import refuse_if_pure

PREFIX = "edittool-engine-"
START_SECONDS = 30
STOP_SECONDS = 15
CGROUPS = Path("/sys/fs/cgroup")


class PrivateEngine:
    """An engine with its own state in `folder`; `flags` are further flags of dockerd.

    A `--userns-remap` or a TLS socket is one flag more; the Unix socket at `host` is always there, without TLS.
    """

    def __init__(self, folder: Path, *flags: str):
        self.folder, self._flags = folder, flags
        self.host = f"unix://{folder}/docker.sock"
        self._containerd: subprocess.Popen[bytes] | None = None
        self._dockerd: subprocess.Popen[bytes] | None = None
        folder.chmod(0o711)  # a remapped root passes through
        (folder / "daemon.json").write_text("{}")  # not the machine's own
        (folder / "containerd.toml").write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')

    def start(self) -> None:
        """Start containerd and dockerd, on the state that is there, and wait until the engine answers."""
        self._containerd = self._spawn("containerd", *self._containerd_flags())
        self._wait_for(lambda: (self.folder / "containerd.sock").is_socket(), self._containerd)
        self._dockerd = self._spawn("dockerd", *self._dockerd_flags(), *self._flags)
        self._wait_for(self._answers, self._dockerd)

    def stop(self) -> None:
        """End both as a service manager does: dockerd stops its containers first, unless told to let them live."""
        for process in (self._dockerd, self._containerd):
            if process is not None:
                process.terminate()
                process.wait(STOP_SECONDS)
        self._dockerd = self._containerd = None

    def kill(self) -> None:
        """Kill both at once; what runs in containers goes on, as after a crash of the engine."""
        for process in (self._dockerd, self._containerd):
            if process is not None:
                process.kill()
                process.wait()
        self._dockerd = self._containerd = None

    def freeze(self, seconds: float) -> None:
        """Stop dockerd in its tracks for a while, as a machine out of memory may."""
        assert self._dockerd is not None
        self._dockerd.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._dockerd.send_signal(signal.SIGCONT)

    def restart_containerd(self, seconds: float) -> None:
        """Kill containerd alone and start it again after `seconds`; dockerd goes on answering."""
        assert self._containerd is not None
        self._containerd.kill()
        self._containerd.wait()
        time.sleep(seconds)
        self._containerd = self._spawn("containerd", *self._containerd_flags())

    def client(self) -> docker.DockerClient:
        """Return a client, which the caller closes."""
        return docker.DockerClient(self.host)

    def container_ids(self) -> list[str]:
        """Return the ids of all its containers, running or not."""
        with closing(self.client()) as client:
            return [container["Id"] for container in client.api.containers(all=True)]

    def load(self, image: Path) -> None:
        """Load the images in the archive `image`."""
        with closing(self.client()) as client, image.open("rb") as archive:
            client.images.load(archive)

    def log(self, lines: int = 20) -> str:
        """Return the end of what dockerd and containerd said."""
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End everything, in order where that goes, and remove every trace."""
        with suppress(DockerException, requests.RequestException, subprocess.TimeoutExpired):
            if self._dockerd is not None:
                with closing(self.client()) as client:
                    for container in client.api.containers(all=True):
                        client.api.remove_container(container["Id"], force=True, v=True)
            self.stop()
        self.kill()
        remove_traces(self.folder)

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:  # in a session of its own: Ctrl-C goes to the test alone
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def _containerd_flags(self) -> list[str]:
        paths = {"--config": "containerd.toml", "--root": "containerd", "--state": "state"}
        paths["--address"] = "containerd.sock"
        return [part for flag, name in paths.items() for part in (flag, str(self.folder / name))]

    def _dockerd_flags(self) -> list[str]:
        paths = {"config-file": "daemon.json", "data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        paths["containerd"] = "containerd.sock"
        return [
            *(f"--{flag}={self.folder / name}" for flag, name in paths.items()),
            f"--host={self.host}",
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent=/{self.folder.name}",
        ]

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as door:  # the library leaves one open when nobody listens
                door.connect(self.host.removeprefix("unix://"))
            with closing(self.client()) as client:
                return bool(client.ping())
        except (DockerException, requests.RequestException, OSError):
            return False

    def _wait_for(self, condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{process.args} does not come up:\n{self.log()}", pytrace=False)
            time.sleep(0.02)


@contextmanager
def private_engine(*flags: str, image: Path | None = None) -> Iterator[PrivateEngine]:
    """Start an engine, with the images of the archive `image` if given; nothing of it is left afterwards.

    Skips the test where no engine can be started: not root, or not installed.
    """
    _skip_without_means()
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/tmp"))
    engine = PrivateEngine(folder, *flags)
    try:
        engine.start()
        if image is not None:
            engine.load(image)
        yield engine
    finally:
        engine.close()


def save_sandbox_image(client: docker.DockerClient, archive: Path) -> Path:
    """Write the standard sandbox image of the engine of `client` to `archive` and return that."""
    with archive.open("wb") as file:
        file.writelines(client.images.get(image_tag()).save(named=image_tag()))
    return archive


def _skip_without_means() -> None:
    refuse_if_pure("a Docker Engine of its own")
    if os.getuid() != 0:
        pytest.skip(f"only root can start a Docker Engine of a test's own; this is user {os.getuid()}")
    missing = [name for name in ("dockerd", "containerd", "runc") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} on this machine: a Docker Engine of a test's own cannot be started")


def remove_abandoned() -> None:
    """Remove the engines of test runs that were killed."""
    for folder in Path("/tmp").glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", owner).exists():
            remove_traces(folder)


def remove_traces(folder: Path) -> None:
    """Kill what still runs of the engine in `folder`, and remove its mounts, control groups and files."""
    for directory in _cgroups(folder.name):
        _kill_all(_members(directory))
    _kill_all(_with_argument(str(folder)))
    for mount in sorted(_mounts_under(folder), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=True)
    for directory in sorted(_cgroups(folder.name), reverse=True):
        _remove_cgroup(directory)
    shutil.rmtree(folder)


def _remove_cgroup(directory: Path) -> None:
    """Remove a control group. The kernel takes a moment to let go of members that were killed."""
    deadline = time.monotonic() + STOP_SECONDS
    while directory.exists():
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _cgroups(name: str) -> list[Path]:
    """Return the control groups called `name`, of every hierarchy, and all inside them."""
    tops = [*CGROUPS.glob(name), *CGROUPS.glob(f"*/{name}")]
    return [path for top in tops for path in (top, *top.rglob("*")) if path.is_dir()]


def _members(directory: Path) -> list[int]:
    with suppress(FileNotFoundError):
        return [int(pid) for pid in (directory / "cgroup.procs").read_text().split()]
    return []


def _with_argument(text: str) -> list[int]:
    """Return the processes whose command line mentions `text`: dockerd, containerd and its shims."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if text in line.read_bytes().decode(errors="replace") and int(line.parent.name) != os.getpid():
                found.append(int(line.parent.name))
    return found


def _kill_all(processes: Iterable[int]) -> None:
    """Kill `processes` and wait until they are gone; a zombie that nobody reaps is gone."""
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        while _lives(process) and time.monotonic() < deadline:
            time.sleep(0.01)


def _lives(process: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    return False


def _mounts_under(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line.split()[4] for line in lines if line.split()[4].startswith(f"{folder}/")]
