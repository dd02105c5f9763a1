"""What a trial is charged for its time: a program pays for the CPU time that it uses, and for time that it lets pass.

The clock of the candidate's process counts the first, for each part of the trial (loading, each test) and in all. The
second is what is left of wall time after that, and after the time in which a process could have gone on but was given
no CPU, by a busy machine or by the container's own quota: that time is nobody's, and the deadline moves on by it. Where
this takes too long the trial ends without a verdict: it was starved.

A program cannot make starvation up for long. Its threads can be in each other's way, but to keep others waiting they
use CPU time, and of their delays together no more than a few times the longest counts.
"""

from __future__ import annotations

import posix
import time

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final

LOOK_SECONDS: Final = 0.1
BEAT_SECONDS: Final = 1.0
STOPPED_SECONDS: Final = 0.5  # late for another reason than a busy CPU: the container, or the machine, was stopped
PATIENCE: Final = 8  # times what a trial may use or wait is the wall time after which it counts as starved
SIBLINGS: Final = 4  # times the longest delay of a thread is what all of them together can count for
PENDING_SECONDS: Final = 1.0  # by how much a delay that is not over yet can make a wait look longer
_NANO: Final = 1e-9
_OWN: Final = "/proc/self/schedstat"


class TrialEnd(BaseException):
    """The candidate cannot go on, so neither can its tests. `kind` says why, as in a verdict's error."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


class Clock:
    """Charges one trial of the candidate's process `process`. `look` has to be called often; it says how soon.

    `limits` has cpu_seconds, total_cpu_seconds and wall_seconds. `beat` is called about once a second while the trial
    goes on, for whoever waits to see that this process is well.
    """

    def __init__(self, process: int, limits: Mapping[str, Any], beat: Callable[[], object]):
        self._process, self._beat = process, beat
        self._part_limit: float = limits["cpu_seconds"]
        self._total_limit: float = limits["total_cpu_seconds"]
        self._wall_limit: float = limits["wall_seconds"]
        self._cap = PATIENCE * max(self._wall_limit, self._total_limit)
        self.part = "loading"
        self.idle = False  # since the last look this process has only waited for the candidate's
        self.limit: str | None = None  # the one that ended the trial
        self.measured = True  # whether the kernel tells how long a process was kept waiting for a CPU
        self.cpu = self.own_cpu = self.waited = self.delayed = self.wall = 0.0
        self._part_start = 0.0
        self._first_cpu, self._first_own = _cpu_clock(process) or 0.0, time.process_time()
        self._delays: dict[str, float] = {}
        self._own_delay = _delay(_OWN) or 0.0
        self._looking = False
        self._begun = self._seen = self._beaten = time.monotonic()
        self._due: float = self._seen + min(LOOK_SECONDS, self._part_limit, self._wall_limit)

    def begin(self, part: str) -> None:
        """Say that what comes now is `part`, which has a limit of its own."""
        self.part = part
        self._part_start = self._read_cpu()

    def look(self) -> float:
        """Charge what has passed since the last look. Return the seconds until the next; raise TrialEnd at a limit."""
        now = time.monotonic()
        if now < self._due:
            return self._due - now
        if self._looking:  # by a signal, in the middle of a look
            return LOOK_SECONDS
        self._looking = True
        try:
            self._charge(now)
            self._check()
            if now - self._beaten >= BEAT_SECONDS:
                self._beaten = now
                self._beat()
        finally:
            self._looking = False
        left = min(self._part_limit - (self.cpu - self._part_start), self._wall_limit - self.waited - self.own_cpu)
        pause = max(min(LOOK_SECONDS, left), 0.001)
        self._due = time.monotonic() + pause
        return pause

    def look_unless_idle(self) -> float:
        """Look, but leave it to whoever waits for the candidate's process, who learns first whether it has answered."""
        return LOOK_SECONDS if self.idle else self.look()

    def facts(self) -> dict[str, Any]:
        """Return what the trial has used until now, in milliseconds, and which limit ended it, if one did."""
        return {
            "limit": self.limit,
            "part": self.part,
            "part_cpu_ms": round((self.cpu - self._part_start) * 1000, 1),
            "wall_ms": round((time.monotonic() - self._begun) * 1000, 1),
            "waited_ms": round(self.waited * 1000, 1),
            "delayed_ms": round(self.delayed * 1000, 1),
            "tests_cpu_ms": round(self.own_cpu * 1000, 1),
            "measured": self.measured,
        }

    def _charge(self, now: float) -> None:
        passed, late = now - self._seen, now - self._due
        self._seen = now
        cpu, own_cpu = self.cpu, self.own_cpu
        self.cpu, self.own_cpu = self._read_cpu(), time.process_time() - self._first_own
        cpu, own_cpu = self.cpu - cpu, self.own_cpu - own_cpu
        theirs, ours = self._read_delays()
        stopped = late - own_cpu - ours
        if self.idle:  # that this process is late holds nobody up, unless everything was stopped
            ours = stopped if stopped > STOPPED_SECONDS else 0.0
        else:
            ours += max(0.0, stopped)
        self.idle = False
        delayed = nobodys(passed, cpu + own_cpu, theirs, ours)
        self.delayed += delayed
        self.waited = max(0.0, self.waited + passed - cpu - own_cpu - delayed)
        self.wall = now - self._begun

    def _check(self) -> None:
        used = self.cpu - self._part_start
        if used >= self._part_limit:
            self._end("cpu")
        if self.cpu >= self._total_limit:
            self._end("total_cpu")
        # The tests' own time counts here: it is the program's values that they work on.
        over = self.waited + self.own_cpu - self._wall_limit
        if over >= PENDING_SECONDS or (over >= 0 and not self._is_ready()):
            self._end("wall")
        if self.wall >= self._cap:
            self.limit = "starved"
            raise TrialEnd("starved", "the program was given no CPU for so long that its trial was given up")

    def _end(self, limit: str) -> None:
        self.limit = limit
        raise TrialEnd("timeout", "the time limit was reached")

    def _read_cpu(self) -> float:
        used = _cpu_clock(self._process)
        return self.cpu if used is None else used - self._first_cpu

    def _read_delays(self) -> tuple[list[float], float]:
        """Return by how much longer each of the candidate's threads, and this process, have waited for a CPU.

        What the candidate's had waited before the first look comes with that: little has passed then to count it for.
        """
        threads = f"/proc/{self._process}/task"
        own = _delay(_OWN)
        self.measured = own is not None
        if own is None:
            return [LOOK_SECONDS] * self._is_ready(), 0.0  # what can be known without a count
        found = {thread: _delay(f"{threads}/{thread}/schedstat") for thread in _list(threads)}
        before, self._delays = self._delays, {thread: delay for thread, delay in found.items() if delay is not None}
        ours, self._own_delay = own - self._own_delay, own
        return [delay - before.get(thread, 0.0) for thread, delay in self._delays.items()], ours

    def _is_ready(self) -> bool:
        """Tell whether a thread of the candidate's process is at work just now, or would be if it were given a CPU."""
        threads = f"/proc/{self._process}/task"
        return any(_read(f"{threads}/{thread}/stat").rpartition(")")[2].startswith(" R") for thread in _list(threads))


def nobodys(passed: float, used: float, theirs: Iterable[float], ours: float) -> float:
    """Return for how long processes were given no CPU, of the time that has `passed` and in part was `used`.

    `theirs` are the delays of the candidate's threads, `ours` is that of the trusted process. The kernel tells of a
    delay when it is over, so a single one can be longer than what has passed since the last look.
    """
    delays = [delay for delay in theirs if delay > 0]
    longest = max(delays, default=0.0)
    together = min(sum(delays), SIBLINGS * longest) + max(0.0, ours)
    return min(together, max(passed - used, longest, 0.0))


def _cpu_clock(process: int) -> float | None:
    """Return the CPU time of `process`, all its threads, dead ones too; None where there is no such process."""
    try:
        return time.clock_gettime((~process << 3) | 2)  # the clock's number: MAKE_PROCESS_CPUCLOCK of Linux
    except OSError:
        return None


def _delay(path: str) -> float | None:
    """Return the seconds that a thread has waited for a CPU; None where it is gone, or the kernel does not count."""
    fields = _read(path).split()
    counted = len(fields) == 3 and fields[0] != "0"  # a kernel that does not count says 0 of each thread
    return int(fields[1]) * _NANO if counted else None


def _list(path: str) -> list[str]:
    try:
        return posix.listdir(path)
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        descriptor = posix.open(path, posix.O_RDONLY)
    except OSError:
        return ""
    try:
        return posix.read(descriptor, 4096).decode("ascii", "replace")
    except OSError:  # the thread has ended meanwhile
        return ""
    finally:
        posix.close(descriptor)
