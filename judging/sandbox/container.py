"""One sandbox container: created locked down, attached, started, given its job or jobs, removed."""

import contextlib
import json
import math
import signal
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from ...sandbox_images.python.boundary.limits import MAX_RESULT_BYTES
from ...schemas.errors import EnvironmentFault
from ..engine.dialects import host_config
from .flags import NOT_CONFINED, confinement, container_flags, engine_flags, find_weaker
from .options import SandboxOptions
from .outer_limits import read_outer_limits

REMOVAL_PAUSES = (0.0, 0.05, 0.2, 1.0, 3.0)  # seconds before each attempt
END_SECONDS = 1.0  # for a runner that has served its last job, and ends
GRACE_SECONDS = 3.0  # the runner's own deadline comes first; this one is for a runner that hangs
HANGING_CPU_SECONDS = 2.0  # that a runner uses without a word: it hangs, it is not kept from its CPU
STARVING = 8  # times a trial's time is how long one is waited for that uses none
MAX_AHEAD_BYTES = 24 * 2**10  # of jobs that wait in the pipe, which holds 64 KiB, while another is at work
STDOUT = 1


class SandboxFaultError(Exception):
    """The sandbox, not the program in it, failed: the job may be tried again."""


class RunnerLostError(Exception):
    """The container ended or hung without a result, or with one that load decided.

    `reason`: timeout, out_of_memory or fault; starved, or unmeasured where nobody knows whether it was.
    """

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Container:
    """A fresh container for one job, or for as many as it has processes for.

    As a context manager it is removed whatever happens, even after half a start.
    """

    def __init__(self, api: APIClient, image: str, options: SandboxOptions, slot: int, labels: Mapping[str, str]):
        self._api = api
        self._options = options
        self.jobs = options.jobs_per_container
        self._image = image
        self.slot = slot
        self.labels = dict(labels)
        self.id: str | None = None
        self._socket: socket.socket | None = None
        self._attached: Any = None
        self._stream = bytearray()
        self._stdout = bytearray()
        self._ahead: deque[Mapping[str, Any]] = deque()  # jobs that were sent and not asked for yet
        self.takes_more = True  # jobs: it has the processes for another one

    def start(self) -> None:
        """Create, attach and start the container, and wait until its runner is ready and found as confined as asked.

        Raises SandboxFaultError when that fails or takes too long, EnvironmentFault when the image is gone or the
        confinement is weaker.
        """
        try:
            self.id = self._create()
            self._attach(self.id)
            self._api.start(self.id)
            hello = self._read_frame(self._options.start_seconds)
        except RunnerLostError as error:
            raise SandboxFaultError(f"the container did not get ready: {error}") from error
        except ImageNotFound as error:
            raise EnvironmentFault(
                f"the sandbox image {self._options.image or self._image} is gone: it was removed while it was in use. "
                "Build it again (`edittool image build`, with the options it was built with); "
                "then the same command goes on."
            ) from error
        except (APIError, OSError) as error:
            raise SandboxFaultError(f"the container could not be started: {_explain(error)}") from error
        self._check(hello.get("confinement", {}) | self._seen_from_outside())

    def _seen_from_outside(self) -> Mapping[str, Any]:
        if not self._options.gvisor:
            return {}
        assert self.id is not None
        return read_outer_limits(self.id, self.inspect()["State"]["Pid"])

    def inspect(self) -> Mapping[str, Any]:
        """Return what the engine says of the container. Raises SandboxFaultError when it says nothing."""
        assert self.id is not None
        try:
            facts: Mapping[str, Any] = self._api.inspect_container(self.id)
        except (APIError, OSError) as error:
            raise SandboxFaultError(f"the engine does not describe a container: {_explain(error)}") from error
        return facts

    def _create(self) -> str:
        api: Any = self._api  # its stub leaves this method untyped
        created: dict[str, Any] = api.create_container_from_config(self._config())
        identity: str = created["Id"]
        return identity

    def _config(self) -> dict[str, Any]:
        limits = self._options.limits
        host = self._api.create_host_config(**host_config(self._api, confinement(self._options)))
        host.update(engine_flags(self._options))
        config: dict[str, Any] = self._api.create_container_config(
            self._image,
            [str(number) for number in (limits.memory_mib, limits.output_kib * 1024, *self._processes())],
            labels=self.labels,
            host_config=host,
            **container_flags(self._options, self.slot),
        )
        return config

    def _processes(self) -> tuple[int, int]:
        return self._options.processes, self._options.runs

    def _attach(self, identity: str) -> None:
        parameters = {"stdin": 1, "stdout": 1, "stderr": 0, "stream": 1}
        self._attached = self._api.attach_socket(identity, params=parameters)
        # What docker returns is a file object that keeps the HTTP response alive; the socket is inside.
        self._socket = getattr(self._attached, "_sock", self._attached)

    def _check(self, seen: Mapping[str, Any]) -> None:
        weaker = find_weaker(seen, self._options, self.slot)
        if weaker:
            raise EnvironmentFault(
                f"The container is {NOT_CONFINED}: {'; '.join(weaker)}. Nothing was run in it. "
                "Run `edittool doctor`; rootless engines need cgroup v2 with delegation for their limits."
            )

    def run(
        self, job: Mapping[str, Any], wall_seconds: float, following: Iterable[Mapping[str, Any]] = ()
    ) -> dict[str, Any]:
        """Send `job` and return the runner's result. Raises RunnerLostError when none comes.

        `following` are the jobs that the next calls will bring: some are sent ahead, together, so that neither the
        runner nor the engine, which wakes for each message, is kept waiting.
        """
        unsent = not self._ahead
        if not unsent:
            assert job is self._ahead.popleft()
        if not self._ahead:
            frames = [_frame(job)] if unsent else []
            frames += self._frames_ahead(following)
            try:
                self._send(b"".join(frames), wall_seconds)
            except RunnerLostError:
                if unsent:
                    raise
                # What became of `job` is told all the same; the next call hears of the loss.
        result = self._await_result(wall_seconds)
        self.takes_more = bool(result["more"])
        return result

    def _frames_ahead(self, following: Iterable[Mapping[str, Any]]) -> list[bytes]:
        """Return the frames of the first of `following`, as many as may wait in the runner's pipe."""
        frames, size = [], 0
        for job in following:
            frame = _frame(job)
            size += len(frame)
            if size > MAX_AHEAD_BYTES:
                break
            frames.append(frame)
            self._ahead.append(job)
        return frames

    def _await_result(self, wall_seconds: float) -> dict[str, Any]:
        """Return the trial's result. Until then its runner speaks about once a second; it may be silent for so long."""
        try:
            return self._read_result(wall_seconds + GRACE_SECONDS)
        except RunnerLostError as loss:
            if loss.reason != "timeout":
                raise
        self._await_engine()
        used, deadline = self.cpu_seconds(), time.monotonic() + STARVING * wall_seconds
        while True:
            try:
                return self._read_result(GRACE_SECONDS)
            except RunnerLostError as loss:
                if loss.reason != "timeout" or not self.cpu_seconds() - used < HANGING_CPU_SECONDS:
                    raise
            if time.monotonic() > deadline:
                raise RunnerLostError("starved", "starved: the sandbox was given no CPU, and was given up")

    def _read_result(self, seconds: float) -> dict[str, Any]:
        """Return the next frame that is no sign of life, as long as one comes every so many `seconds`."""
        while (message := self._read_frame(seconds)).get("alive"):
            continue
        return message

    def cpu_seconds(self) -> float:
        """Return the CPU time that the container has used, in the engine's words; infinity where it has none for it."""
        try:
            api: Any = self._api  # its stub knows containers of other classes
            stats = api.stats(self.id, stream=False, one_shot=True)
            return float(stats["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9
        except (DockerException, OSError, KeyError, TypeError):
            return math.inf

    def _await_engine(self) -> None:
        """Wait until the engine answers: one that hung for a while may still hold the runner's result."""
        try:
            self._api.ping()
        except (APIError, OSError) as error:
            raise RunnerLostError("fault", f"the engine hangs: {error}") from error

    def _send(self, frame: bytes, seconds: float) -> None:
        assert self._socket is not None
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(frame)
        except OSError as error:
            raise self._lost(f"its standard input is closed: {error}") from error

    def _read_frame(self, seconds: float) -> dict[str, Any]:
        """Return the next frame; one that is not whole in time can be read on later."""
        deadline = time.monotonic() + seconds
        self._fill(4, deadline)
        end = 4 + int.from_bytes(self._stdout[:4], "big")
        if end > MAX_RESULT_BYTES:
            raise RunnerLostError("fault", f"a result of {end} bytes")
        self._fill(end, deadline)
        message = json.loads(self._stdout[4:end])
        del self._stdout[:end]
        if not isinstance(message, dict):
            raise RunnerLostError("fault", "a result that is no object")
        return message

    def _fill(self, count: int, deadline: float) -> None:
        while len(self._stdout) < count:
            self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        """Read from the attached stream, and take the engine's framing (type, length, payload) off it."""
        assert self._socket is not None
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunk = self._socket.recv(1 << 16)
        except TimeoutError:
            raise RunnerLostError("timeout", "the time limit was reached, and the runner did not answer") from None
        except OSError as error:
            raise self._lost(str(error)) from error
        if not chunk:
            raise self._lost("the container has ended")
        self._stream += chunk
        while len(self._stream) >= 8:
            size = int.from_bytes(self._stream[4:8], "big")
            if len(self._stream) < 8 + size:
                break
            if self._stream[0] == STDOUT:
                self._stdout += self._stream[8 : 8 + size]
            del self._stream[: 8 + size]

    def _lost(self, message: str) -> RunnerLostError:
        """Return why the container ended: the engine's word for it."""
        assert self.id is not None
        try:
            state = self._api.inspect_container(self.id)["State"]
        except (APIError, OSError) as error:
            return RunnerLostError("fault", f"{message}; the engine cannot say why ({_explain(error)})")
        reason = "out_of_memory" if state.get("OOMKilled") else "fault"
        code = state.get("ExitCode")
        name = f"exit code {code}" + (f", {signal.Signals(code - 128).name}" if 128 < (code or 0) < 160 else "")
        return RunnerLostError(reason, f"{message} ({state.get('Status')}, {name}) {state.get('Error', '')}".strip())

    def kill(self) -> None:
        """Remove the container; whoever waits for its result in another thread sees the stream end.

        Raises SandboxFaultError when the engine does not remove it, asked several times: it refuses, for one, when
        the container ends by itself just then.
        """
        identity, refusal = self.id, None  # another thread may be removing it too
        if identity is None:
            return
        for pause in REMOVAL_PAUSES:
            time.sleep(pause)
            try:
                self._api.remove_container(identity, force=True, v=True)
            except NotFound:
                return
            except (APIError, OSError) as error:
                refusal = error
            else:
                return
        raise SandboxFaultError(f"a container cannot be removed: {_explain(refusal)}") from refusal

    def remove(self) -> None:
        """Remove the container, running or not, and close the stream. Safe to repeat. Raises as `kill` does."""
        try:
            self._await_end()
            self.kill()
            self.id = None
        finally:
            self._close()

    def _await_end(self) -> None:
        """Wait until a container that has served its last job ends, as it is about to: killing it is more work."""
        if self.takes_more or self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.settimeout(END_SECONDS)
            while self._socket.recv(1 << 16):
                continue

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            for end in (self._attached, self._socket):
                if end is not None:
                    end.close()
        self._attached = self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _frame(job: Mapping[str, Any]) -> bytes:
    body = json.dumps(job).encode("ascii")
    return len(body).to_bytes(4, "big") + body


def _explain(error: Exception | None) -> str:
    return str(getattr(error, "explanation", None) or error)
