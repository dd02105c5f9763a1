"""Containers started ahead of need, never more than asked for, and none left behind."""

import hashlib
import os
import queue
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from docker import DockerClient
from docker.errors import APIError

from ..schemas.errors import EnvironmentFault
from .container import Container, SandboxFaultError
from .options import SandboxOptions

LABEL = "edittool"
OWNER_LABEL = "edittool.owner"
MAX_FAILED_STARTS = 5  # in a row: then it is the engine, not bad luck


class Pool:
    """Hands out ready containers. A context manager: on leaving it, every container of this run is gone.

    Containers are started for the jobs that `expect` announced, and for no others.
    """

    def __init__(self, client: DockerClient, image: str, options: SandboxOptions):
        self._client, self._image, self._options = client, image, options
        self.run_id = secrets.token_hex(6)
        self._labels = {LABEL: self.run_id, OWNER_LABEL: owner_of_this_process()}
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._expected = threading.Semaphore(0)
        self._ready: queue.SimpleQueue[Container | None] = queue.SimpleQueue()
        self._live: dict[int, Container] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._fault: EnvironmentFault | None = None
        self._failures = 0
        for slot in range(options.pool_size):
            self._slots.put(slot)
        self._starters = [
            threading.Thread(target=self._keep_starting, name=f"starter-{number}", daemon=True)
            for number in range(min(options.workers, options.pool_size))
        ]

    def __enter__(self) -> Self:
        remove_orphans(self._client)
        for thread in self._starters:
            thread.start()
        return self

    def expect(self) -> None:
        """Announce one more job."""
        self._expected.release()

    @contextmanager
    def container(self) -> Iterator[Container]:
        """Wait for a ready container, lend it for one job and remove it.

        Raises EnvironmentFault when containers can no longer be started.
        """
        container = self._ready.get()
        if container is None:
            self._ready.put(None)  # for the next one who waits
            raise self._fault or EnvironmentFault("The sandbox is closing.")
        try:
            yield container
        finally:
            self._remove(container)

    def _keep_starting(self) -> None:
        while True:
            self._expected.acquire()
            slot = self._slots.get()
            if self._closing or self._fault:
                return
            container = Container(self._client.api, self._image, self._options, slot, self._labels)
            with self._lock:
                self._live[id(container)] = container
            self._start(container)

    def _start(self, container: Container) -> None:
        try:
            container.start()
        except Exception as error:
            self._remove(container)
            self._note_failure(error)
            return
        self._failures = 0
        if self._closing:
            self._remove(container)
        else:
            self._ready.put(container)

    def _note_failure(self, error: Exception) -> None:
        if self._closing:
            return
        self._failures += 1
        if isinstance(error, SandboxFaultError) and self._failures < MAX_FAILED_STARTS:
            self.expect()  # the job still needs its container
            return
        fault = error if isinstance(error, EnvironmentFault) else None
        self._give_up(
            fault
            or EnvironmentFault(
                f"Containers can no longer be started: {error}. Run `edittool doctor`; then the same command goes on."
            )
        )

    def _give_up(self, fault: EnvironmentFault) -> None:
        self._fault = self._fault or fault
        self._ready.put(None)

    def _remove(self, container: Container) -> None:
        """Remove `container` and free its place; one that stays keeps its place, and ends the run."""
        try:
            container.remove()
        except SandboxFaultError as error:
            self._give_up(EnvironmentFault(f"The sandbox stops: {error}. Run `edittool doctor`."))
            return
        with self._lock:
            known = self._live.pop(id(container), None)
        if known is not None:
            self._slots.put(container.slot)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._ready.put(None)
        for _ in self._starters:
            self._expected.release()
            self._slots.put(-1)
        with self._lock:
            live = list(self._live.values())
        for container in live:
            with suppress(SandboxFaultError):  # tried once more below
                container.kill()
        for thread in self._starters:
            thread.join(self._options.start_seconds)
        self._remove_by_label()

    def _remove_by_label(self) -> None:
        """Remove what a start that was cut short left behind."""
        try:
            for found in self._client.api.containers(all=True, filters={"label": f"{LABEL}={self.run_id}"}):
                self._client.api.remove_container(found["Id"], force=True, v=True)
        except (APIError, OSError):
            return  # the engine is gone; the next run removes them


def remove_orphans(client: DockerClient) -> int:
    """Remove containers whose edittool has died on this machine without removing them; return how many."""
    removed = 0
    try:
        for found in client.api.containers(all=True, filters={"label": OWNER_LABEL}):
            if _is_dead(found["Labels"][OWNER_LABEL]):
                client.api.remove_container(found["Id"], force=True, v=True)
                removed += 1
    except (APIError, OSError):
        return removed  # another edittool was faster, or the engine will say so itself at the next call
    return removed


def owner_of_this_process() -> str:
    """Return what names this process among all that share an engine: machine, boot, process id, start time."""
    return f"{_machine()}:{_boot()}:{os.getpid()}:{_start_time(os.getpid())}"


def _is_dead(owner: str) -> bool:
    machine, boot, pid, started = (owner.split(":") + [""] * 4)[:4]
    if machine != _machine():
        return False  # another host's, or another container's: not ours to judge
    return boot != _boot() or not pid.isdigit() or _start_time(int(pid)) != started


def _machine() -> str:
    # The name alone does not tell two machines apart: those that share an engine may all be called "localhost".
    identity = Path("/etc/machine-id")
    number = identity.read_text(encoding="ascii").strip() if identity.is_file() else ""
    namespace = os.stat("/proc/self/ns/pid").st_ino
    return hashlib.sha256(f"{socket.gethostname()} {number} {namespace}".encode()).hexdigest()[:12]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]


def _start_time(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, or "" when it does not exist."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
