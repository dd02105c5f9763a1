"""Keeps this machine busy for a while: `python perf/busy.py PROCESSES SECONDS [SESSIONS]`.

The processes are of as many sessions, by default one each: those of one session the kernel may take as one (autogroup),
and then the load of 20 that `stress -c 20` makes takes no more than half of a core from others.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy(processes: int, seconds: float, sessions: int | None = None) -> Iterator[None]:
    """Keep the machine busy inside of this, for so many seconds at most."""
    command = [sys.executable, __file__, str(processes), str(seconds), str(sessions or processes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as load:
        try:
            assert load.stdout
            load.stdout.readline()
            yield
        finally:
            load.send_signal(signal.SIGTERM)


def work(until: float, first: int) -> None:
    """Use a core until then, or until the process `first` has ended."""
    while time.monotonic() < until and os.path.exists(f"/proc/{first}"):
        sum(range(200_000))


def main() -> None:
    """Start the processes, say so in a line, and wait."""
    processes, seconds = int(sys.argv[1]), float(sys.argv[2])
    sessions = int(sys.argv[3]) if len(sys.argv) > 3 else processes
    until, first = time.monotonic() + seconds, os.getpid()
    for session in range(sessions):
        if os.fork() == 0:
            os.setsid()
            for _ in range(len(range(session, processes, sessions)) - 1):
                if os.fork() == 0:
                    break
            work(until, first)
            os._exit(0)
    print("busy", flush=True)
    time.sleep(seconds)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    main()
