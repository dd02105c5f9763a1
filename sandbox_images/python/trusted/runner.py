"""PID 1 of the sandbox: the trusted process.

How it works. The container starts this program and nothing else. It forks the untrusted process U *before* it has
read anything, so no test was ever in U's memory, and takes U's end of three pipes: requests, replies, output. Then
it says that it is ready, with what it sees of its own confinement, and waits for one job, one frame, on standard
input. U gets the program and the world out of that job, no more. The tests run here; when they call the candidate
the call crosses to U and plain data comes back. One frame, the result, goes to standard output, and the container
ends with this process, U and all it may have started included.

U cannot signal PID 1 (the kernel drops signals that it has not asked for; gVisor's does not, but U's own filter of
system calls lets it signal nobody), cannot read its memory (it is non-dumpable) and holds none of its descriptors.
Whoever may see them in /proc can open them in gVisor, dumpable or not: so there, the host has an empty /proc mounted.

Recycled. Asked to, a container serves several jobs, one after the other: as many processes U are forked before the
first job is read, so that each of them is as innocent of tests as a single one, and what one program leaves behind is
wiped before the next job is taken. A program at work can neither look into those that wait nor signal them; a job whose
process was ended or stopped all the same, or is about to be, is not answered, and the host gives it another container.

Again. A program that passes in a world runs again in processes that were forked then too (`again.py`). A container ends
when it has too few of them left for the next job.
"""

from __future__ import annotations

import _signal
import gc
import posix
import sys
import time
from _contextvars import copy_context

from ..boundary.frames import pack, read_frame, write_all
from ..boundary.light import TYPE_CHECKING, ModuleType
from ..boundary.limits import MAX_RESULT_BYTES
from ..boundary.lockdown import REPLIES, REQUESTS, become_untrusted, set_dumpable
from ..untrusted import candidate
from .again import run_again
from .channel import Channel
from .clocks import Clock
from .confinement import describe_confinement, read_counters, waits_undisturbed
from .restore import OwnState
from .tests import Trial, has_ended, reap
from .wipe import free_room, wipe

if TYPE_CHECKING:
    from typing import Any

    from ..boundary.preloading import Shelf

PROTOCOL = 1
ALIVE = pack({"alive": True})  # what the host is told now and then, until the result of a job follows
LOST_ITS_CANDIDATE = 5  # exit statuses of a container that leaves its other jobs to another one
NOT_AS_BEFORE = 7


def main() -> None:
    """Serve jobs while there are processes left for them. Exit status 0: no job was left without a result."""
    memory_mib, output_limit, processes, runs = (int(argument) for argument in sys.argv[1:5])
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # as PID 1: U's SIGINT then does nothing
    set_dumpable(0)  # the mode of the interpreter does the same, but in gVisor, which has to read it
    shelf = _shelf() if processes > runs else None  # it pays for itself from the second program on
    own = _take_own_modules()
    gc.disable()  # here, not in U: megabytes of nested lists would be walked over and over
    gc.freeze()  # to walk what is here by now would give each U a copy of its own of all of it
    waiting = [_fork_candidate(memory_mib, output_limit, shelf) for _ in range(processes)]
    results = _keep_standard_output_private()
    confinement = describe_confinement()
    for _, channel in waiting:
        channel.await_lockdown()
    write_all(results, pack({"ready": PROTOCOL, "confinement": confinement}))
    Server(waiting, results, runs, own).serve()
    posix._exit(0)


class Server:
    """Answers one job after the other, each with a process of its own, and `runs` - 1 more where it may run again."""

    def __init__(self, waiting: list[tuple[int, Channel]], results: int, runs: int, own: list[ModuleType]):
        self._waiting, self._results, self._runs = waiting, results, runs
        several = len(waiting) > 1
        self._room = free_room() if several else []
        self._own = OwnState(own) if several else None
        gc.freeze()  # what stays is not walked over after each job

    def serve(self) -> None:
        """Answer jobs until there are too few processes left for another one, or no more come."""
        while len(self._waiting) >= self._runs and (job := read_frame(0)) is not None:
            result = self._try_out(job)
            write_all(self._results, _pack_result(result | {"more": len(self._waiting) >= self._runs}))
            if len(self._waiting) >= self._runs:
                self._clear()

    def _try_out(self, job: dict[str, Any]) -> dict[str, Any]:
        result = self._run(job)
        if self._runs > 1 and job["changes"] and not result["fault"]:
            return result | run_again(job, result, lambda changed: self._run_cleared(job | changed))
        return result

    def _run_cleared(self, job: dict[str, Any]) -> dict[str, Any]:
        self._clear()
        return self._run(job)

    def _run(self, job: dict[str, Any]) -> dict[str, Any]:
        child, channel = self._waiting.pop(0)
        if not waits_undisturbed(child):
            posix._exit(LOST_ITS_CANDIDATE)
        clock = Clock(child, job, beat=lambda: write_all(self._results, ALIVE))
        return _try_out(job, child, channel, clock)

    def _clear(self) -> None:
        """Leave nothing of a run to the next one."""
        assert self._own is not None
        wipe(keep={1, *(process for process, _ in self._waiting)}, room=self._room)
        if not self._own.restore():
            posix._exit(NOT_AS_BEFORE)
        gc.collect()


def _pack_result(result: dict[str, Any]) -> bytes:
    """Return the frame of `result`: without the messages of its tests where thousands of them make it too long."""
    frame = pack(result)
    if len(frame) - 4 <= MAX_RESULT_BYTES:
        return frame
    tests = [test | {"error": test["error"] and test["error"] | {"message": ""}} for test in result["tests"]]
    return pack(result | {"tests": tests})


def _shelf() -> Shelf:
    from ..boundary.preloading import POPULAR, Shelf

    return Shelf(POPULAR)


def _take_own_modules() -> list[ModuleType]:
    """Take the runner's modules out of `sys.modules`, where programs and tests look, and return them.

    Here, and not in each process: to take them apart, as the last reference would, touches many pages.
    """
    package = __name__.rsplit(".", 2)[0]
    return [sys.modules.pop(name) for name in [*sys.modules] if name == package or name.startswith(f"{package}.")]


def _fork_candidate(memory_mib: int, output_limit: int, shelf: Shelf | None) -> tuple[int, Channel]:
    requests_read, requests_write = posix.pipe()
    replies_read, replies_write = posix.pipe()
    output_read, output_write = posix.pipe()
    child = posix.fork()
    if child == 0:
        gc.enable()
        posix.setsid()
        become_untrusted(requests_read, replies_write, output_write, memory_mib)
        candidate.run(REQUESTS, REPLIES, shelf)
    for descriptor in (requests_read, replies_write, output_write):
        posix.close(descriptor)
    return child, Channel(requests_write, replies_read, output_read, output_limit=output_limit)


def _keep_standard_output_private() -> int:
    """Return a descriptor for frames, and send what a test prints to /dev/null."""
    results = posix.dup(1)
    null = posix.open("/dev/null", posix.O_WRONLY)
    posix.dup2(null, 1)
    posix.dup2(null, 2)
    posix.close(null)
    return results


def _try_out(job: dict[str, Any], child: int, channel: Channel, clock: Clock) -> dict[str, Any]:
    started, before = time.monotonic(), read_counters()
    trial = Trial(job, channel, clock)
    fault = _run(trial)
    end = channel.end and channel.end.kind
    if end == "timeout" and has_ended(child):
        end = "died"  # unnoticed: a child of its own held the pipes open
    used = clock.facts()
    channel.drain()
    channel.hang_up()
    # Its exit status counts, unless it is we who end it.
    death = reap(child, 0.5 if end == "died" else 0.0)
    channel.close()
    if end == "died" and death.killed:
        end = "closed"
    after = read_counters()
    return {
        "fault": fault,
        "end": end,
        "stage": trial.stage,
        "tests": trial.tests,
        "error": trial.error,
        "calls": trial.calls,
        "calls_on_load": trial.calls_on_load,
        "failed_calls": trial.failed_calls,
        "refused_calls": trial.refused_calls,
        "rebound": trial.rebound,
        "trace": trial.trace,
        "bypass": trial.bypass,
        "seen": trial.seen,
        "opaque": trial.opaque,
        "output": channel.printed.decode("utf-8", "backslashreplace"),
        "status": death.status,
        "counters": {name: after[name] - before[name] for name in after},
        "clock": used,
        "cpu_ms": round(death.cpu_seconds * 1000, 1),
        "peak_memory_kib": death.peak_kib,
        "duration_ms": round((time.monotonic() - started) * 1000, 1),
    }


def _run(trial: Trial) -> str | None:
    """Run the trial; return what is wrong with the problem's own code where that stops it."""
    try:
        copy_context().run(trial.run)  # decimal keeps its precision there
    except BaseException as error:  # helpers may exit, and this process is the container's first
        return f"the problem's own helpers or tests cannot run: {type(error).__name__}: {error}"[:1000]
    return None
