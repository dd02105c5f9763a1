"""The clock of a trial, on real processes: what each is charged, and which limit ends it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.trusted.clocks import SIBLINGS, Clock, TrialEnd, nobodys
from edittool.sandbox_images.python.trusted.confinement import is_ending

WORKS = "while True: pass"
WAITS = "import time; time.sleep(60)"
WORKS_AND_WAITS = """
import time
while True:
    until = time.process_time() + 0.02
    while time.process_time() < until:
        pass
    time.sleep(0.02)
"""
AMPLE = {"cpu_seconds": 9.0, "total_cpu_seconds": 9.0, "wall_seconds": 9.0}
SECONDS = st.floats(0, 100)

# What has passed, what was used of it, delays of the program's threads and of the trusted process: what is nobody's.
CHARGES = [
    (1.0, 1.0, [], 0.0, 0.0),
    (1.0, 0.0, [], 0.0, 0.0),  # asleep
    (1.0, 0.3, [0.7], 0.0, 0.7),
    (1.0, 0.3, [0.5], 0.0, 0.5),  # 0.2 asleep
    (1.0, 0.3, [0.4, 0.3], 0.0, 0.7),  # one thread after the other
    (1.0, 0.9, [0.4, 0.3], 0.0, 0.4),  # both at once
    (1.0, 0.0, [0.01] * 30, 0.0, 0.04),  # many that are in each other's way
    (0.1, 0.0, [2.5], 0.0, 2.5),  # one delay that began many looks ago
    (1.0, 0.2, [], 0.5, 0.5),
    (1.0, 0.2, [0.5], 0.5, 0.8),
    (1.0, 3.0, [0.5, 0.5], 0.0, 0.5),  # on several cores
    (1.0, 0.2, [-0.5], -0.5, 0.0),
]


def test_what_is_nobodys_of_the_time_that_has_passed() -> None:
    found = [(case, nobodys(*case[:4])) for case in CHARGES]
    assert [(case, round(one, 9)) for case, one in found] == [(case, case[4]) for case in CHARGES]


@given(SECONDS, SECONDS, st.lists(SECONDS, max_size=40), SECONDS)
def test_threads_make_up_no_more_than_their_longest_delay_allows(
    passed: float, used: float, theirs: list[float], ours: float
) -> None:
    longest = max(theirs, default=0.0)
    found = nobodys(passed, used, theirs, ours)
    assert 0 <= found <= min(SIBLINGS * longest + ours, max(passed, longest))


@contextmanager
def process(program: str) -> Iterator[int]:
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", program])
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


def watched(pid: int, **limits: float) -> tuple[Clock, str]:
    """Return the clock of a trial that only waits for `pid`, and how that ended it."""
    return wait_for(Clock(pid, AMPLE | limits, beat=lambda: None))


def wait_for(clock: Clock) -> tuple[Clock, str]:
    while True:
        try:
            pause = clock.look()
        except TrialEnd as end:
            return clock, end.kind
        clock.idle = True
        time.sleep(pause)


@pytest.mark.parametrize(
    ("program", "limits", "limit"),
    [
        (WORKS, {"cpu_seconds": 0.3}, "cpu"),
        (WORKS, {"total_cpu_seconds": 0.3}, "total_cpu"),
        (WORKS, {"cpu_seconds": 0.4, "wall_seconds": 0.2}, "cpu"),
        (WAITS, {"wall_seconds": 0.3}, "wall"),
        (WAITS, {"wall_seconds": 0.3, "cpu_seconds": 0.2}, "wall"),
        (WORKS_AND_WAITS, {"wall_seconds": 0.2}, "wall"),
        (WORKS_AND_WAITS, {"cpu_seconds": 0.2}, "cpu"),
    ],
)
def test_the_limit_that_ends_a_program(program: str, limits: dict[str, float], limit: str) -> None:
    with process(program) as pid:
        clock, kind = watched(pid, **limits)
    assert (clock.limit, kind) == (limit, "timeout")
    facts = clock.facts()
    reached = {"cpu": "part_cpu_ms", "total_cpu": "part_cpu_ms", "wall": "waited_ms"}[limit]
    wanted = {"cpu": "cpu_seconds", "total_cpu": "total_cpu_seconds", "wall": "wall_seconds"}[limit]
    assert 1000 * limits[wanted] * 0.8 <= facts[reached] <= 1000 * limits[wanted] + 500


def test_each_part_has_its_own_cpu_time() -> None:
    with process(WORKS) as pid:
        clock = Clock(pid, AMPLE | {"cpu_seconds": 0.3}, beat=lambda: None)
        for number in range(4):
            clock.begin(f"test {number}")
            until = clock.cpu + 0.2
            while clock.cpu < until:
                time.sleep(clock.look())
        _, kind = wait_for(clock)
    assert (clock.part, clock.limit, kind) == ("test 3", "cpu", "timeout")
    assert clock.cpu > 0.8


def test_a_program_that_has_ended_is_charged_for_what_is_waited() -> None:
    with process("pass") as pid:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        clock, kind = watched(pid, wall_seconds=0.2)
    assert (clock.limit, kind) == ("wall", "timeout")


def test_a_process_on_its_way_out_is_told_from_one_that_stays() -> None:
    with process("pass") as ended, process(WAITS) as waiting:
        os.waitid(os.P_PID, ended, os.WEXITED | os.WNOWAIT)
        assert (is_ending(ended), is_ending(waiting)) == (True, False)
    assert not is_ending(ended)


# The clock's own process and the program are stopped for a second, as a container or a machine may be.
STOPPED = """
import sys, time
from edittool.sandbox_images.python.trusted.clocks import Clock, TrialEnd
clock = Clock(int(sys.argv[1]), {"cpu_seconds": 9, "total_cpu_seconds": 9, "wall_seconds": 1}, lambda: None)
print("ready", flush=True)
try:
    while True:
        pause = clock.look()
        clock.idle = True
        time.sleep(pause)
except TrialEnd:
    print(clock.limit, clock.facts()["wall_ms"] > 2000, clock.facts()["delayed_ms"] > 900)
"""


def test_time_in_which_everything_was_stopped_is_not_charged() -> None:
    with process(WAITS) as pid:
        command = [sys.executable, "-c", STOPPED, str(pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clock:
            assert clock.stdout
            assert clock.stdout.readline() == "ready\n"
            clock.send_signal(signal.SIGSTOP)
            threading.Timer(1.3, clock.send_signal, [signal.SIGCONT]).start()
            assert clock.communicate(timeout=30)[0] == "wall True True\n"


def test_it_says_about_once_a_second_that_it_goes_on() -> None:
    beats: list[float] = []
    with process(WAITS) as pid:
        clock = Clock(pid, AMPLE, beat=lambda: beats.append(time.monotonic()))
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            time.sleep(clock.look())
    assert len(beats) == 1
