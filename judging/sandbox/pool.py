"""Containers started ahead of need, never more than asked for, and none left behind."""

import hashlib
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docker import DockerClient
from docker.errors import APIError

from ...schemas.errors import EnvironmentFault
from ..engine.engine import find_silence
from ..engine.outages import Outages
from .container import REMOVAL_PAUSES, Container, RunnerLostError, SandboxFaultError
from .flags import UIDS
from .options import SandboxOptions

LABEL = "edittool"
OWNER_LABEL = "edittool.owner"
OUTAGES_LABEL = "edittool.outages"  # how many there had been when the container was made
FAILED_START_PAUSES = (0.1, 0.5, 2.0, 5.0)  # seconds after each in a row; one more failure is no bad luck
ENGINE_UNAVAILABLE = "transport: Error while dialing"  # what dockerd says while its own containerd is away


class EngineLostError(Exception):
    """The engine was lost while a container was at work: whatever became of the program in it says nothing."""


class Pool:
    """Hands out ready containers. A context manager: on leaving it, every container of this run is gone.

    Containers are started for the jobs that `expect` announced, and for no others.
    """

    def __init__(self, client: DockerClient, image: str, options: SandboxOptions):
        self._client, self._image, self._options = client, image, options
        self.run_id = secrets.token_hex(6)
        self._labels = {LABEL: self.run_id, OWNER_LABEL: owner_of_this_process()}
        self._slots: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._expected: queue.SimpleQueue[int] = queue.SimpleQueue()  # jobs, for each container that is needed
        self._ready: queue.SimpleQueue[Container | None] = queue.SimpleQueue()
        self._live: dict[int, Container] = {}
        self._lock = threading.Lock()
        self._pausing = threading.Lock()
        self._closing = threading.Event()
        self._fault: EnvironmentFault | None = None
        self._failures = 0
        self._outages = Outages(client, options.engine_patience, self._remove_stale)
        first = secrets.randbelow(UIDS - options.pool_size)  # pools of others on this machine have theirs
        for slot in range(first, first + options.pool_size):
            self._slots.put(slot)
        self._starters = [
            threading.Thread(target=self._keep_starting, name=f"starter-{number}", daemon=True)
            for number in range(min(options.workers, options.pool_size))
        ]

    def __enter__(self) -> Self:
        self._outages.start()
        remove_orphans(self._client)
        for thread in self._starters:
            thread.start()
        return self

    def expect(self, jobs: int) -> None:
        """Announce so many jobs for one more container."""
        self._expected.put(jobs)

    @contextmanager
    def container(self) -> Iterator[Container]:
        """Wait for a ready container, lend it and remove it.

        Raises EnvironmentFault when containers can no longer be started, and EngineLostError in place of the
        RunnerLostError of one that the engine was lost with; the engine is back then.
        """
        container = self._ready.get()
        if container is None:
            self._ready.put(None)  # for the next one who waits
            raise self._fault or EnvironmentFault("The sandbox is closing.")
        try:
            yield container
        except RunnerLostError as loss:
            if self._outages.check() != int(container.labels[OUTAGES_LABEL]):
                raise EngineLostError(str(loss)) from loss
            raise
        finally:
            self._remove(container)

    def _keep_starting(self) -> None:
        while True:
            jobs = self._expected.get()
            slot = self._slots.get()
            if self._closing.is_set() or self._fault:
                return
            labels = self._labels | {OUTAGES_LABEL: str(self._outages.count)}
            options = self._options.for_jobs(jobs)
            container = Container(self._client.api, self._image, options, slot, labels)
            with self._lock:
                self._live[id(container)] = container
            self._start(container)

    def _start(self, container: Container) -> None:
        try:
            container.start()
        except Exception as error:
            self._note_failure(container, error)
            return
        self._failures = 0
        if self._closing.is_set():
            self._remove(container)
        else:
            self._ready.put(container)

    def _note_failure(self, container: Container, error: Exception) -> None:
        """Try another start, unless there is no point in that: whoever expects a container still needs it."""
        if self._closing.is_set():
            self._remove(container)
            return
        try:
            fault = self._find_fault(container, error)
        except EnvironmentFault as away:
            fault = away
        self._remove(container)
        if fault is None:
            self.expect(container.jobs)
        else:
            self._give_up(fault)

    def _find_fault(self, container: Container, error: Exception) -> EnvironmentFault | None:
        """Return what ends the run, or None after the time that it is good to wait before the next start."""
        if isinstance(error, EnvironmentFault):
            return error
        if isinstance(error, SandboxFaultError):
            if self._outages.check() != int(container.labels[OUTAGES_LABEL]):
                return None
            with self._pausing:  # one starter after the other
                self._failures += 1
                pauses = self._pauses_after(error)
                if self._failures <= len(pauses):
                    self._closing.wait(pauses[self._failures - 1])
                    return None
        return EnvironmentFault(
            f"Containers can no longer be started: {error}. Run `edittool doctor`; then the same command goes on."
        )

    def _pauses_after(self, error: SandboxFaultError) -> tuple[float, ...]:
        """Return the seconds to wait after each failed start: longer where the engine waits for a part of its own."""
        if ENGINE_UNAVAILABLE not in str(error):
            return FAILED_START_PAUSES
        longest = FAILED_START_PAUSES[-1]
        return (*FAILED_START_PAUSES, *repeat(longest, int(self._options.engine_patience / longest)))

    def _give_up(self, fault: EnvironmentFault) -> None:
        self._fault = self._fault or fault
        self._ready.put(None)

    def _remove(self, container: Container) -> None:
        """Remove `container` and free its place; one that stays keeps its place, and ends the run."""
        try:
            self._remove_patiently(container)
        except EnvironmentFault as fault:
            self._give_up(fault)
            return
        with self._lock:
            known = self._live.pop(id(container), None)
        if known is not None:
            self._slots.put(container.slot)

    def _remove_patiently(self, container: Container) -> None:
        while not self._outages.given_up:
            outages = self._outages.count
            try:
                container.remove()
            except SandboxFaultError as error:
                if self._closing.is_set() or self._outages.check() == outages:
                    raise EnvironmentFault(f"The sandbox stops: {error}. Run `edittool doctor`.") from error
            else:
                return

    def _remove_stale(self, outages: int) -> None:
        """Remove what is older than the last of `outages`: its streams are cut, or its start was."""
        for found in self._of_this_run():
            if int(found["Labels"][OUTAGES_LABEL]) < outages:
                with suppress(APIError, OSError):  # another thread is removing it
                    self._client.api.remove_container(found["Id"], force=True, v=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._outages.stop()
        self._ready.put(None)
        for _ in self._starters:
            self._expected.put(1)
            self._slots.put(-1)
        if find_silence(self._client, self._options.start_seconds) is None:
            self._end_all()
        for thread in self._starters:
            thread.join(self._options.start_seconds)
        self._remove_by_label()
        remove_orphans(self._client)  # the engine may have made one for a killed edittool since this one started

    def _end_all(self) -> None:
        with self._lock:
            live = list(self._live.values())
        for container in live:
            with suppress(SandboxFaultError):  # tried once more by its label
                container.kill()

    def _remove_by_label(self) -> None:
        """Remove what a start that was cut short left behind."""
        for pause in REMOVAL_PAUSES:
            time.sleep(pause)
            left = self._of_this_run()
            if not left:
                return
            for found in left:
                with suppress(APIError, OSError):
                    self._client.api.remove_container(found["Id"], force=True, v=True)

    def _of_this_run(self) -> list[dict[str, Any]]:
        """Return the containers of this run, or none when the engine is gone: the next edittool removes them."""
        try:
            found: list[dict[str, Any]] = self._client.api.containers(
                all=True, filters={"label": f"{LABEL}={self.run_id}"}
            )
        except (APIError, OSError):
            return []
        return found


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
