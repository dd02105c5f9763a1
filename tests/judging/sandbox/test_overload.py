"""Limits on time where there is too little CPU: a quota on the container, and a machine that is really busy."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from edittool.benchmark.sources.mbpp import load_mbpp
from edittool.judging.sandbox.job import Finding, Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import OWNER_LABEL, owner_of_this_process
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

pytestmark = pytest.mark.usefixtures("docker_client")

BUSY = Path(__file__).resolve().parents[3] / "perf" / "busy.py"
WORKS = """
import time
def f(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return 1
"""
WAITS = "import time\ndef f(seconds):\n    time.sleep(seconds)\n    return 1\n"
ENDLESS = "def f(seconds):\n    while True: pass\n"
# Threads that wake and sleep, so that they are often ready and seldom at work: a delay without a busy machine.
FEIGNS = """
import threading, time
def wake():
    while True:
        time.sleep(0.0005)
for _ in range(12):
    threading.Thread(target=wake, daemon=True).start()
def f(seconds):
    time.sleep(100)
"""


def calls(*seconds: float) -> Problem:
    tests = tuple(Test("", f"assert f({each}) == 1") for each in seconds)
    return Problem("own/f", "", "f", WORKS, tests, "specificity", None)


def judged(jobs: Iterable[Job], options: SandboxOptions) -> dict[str, Finding]:
    return {job.tag: finding for job, finding in run_jobs(jobs, options)}


def test_time_that_a_quota_takes_is_not_charged() -> None:
    options = SandboxOptions(workers=3, cpus=0.2, limits=Limits(cpu_seconds=1.0, wall_seconds=1.5))
    jobs = [
        Job(WORKS, calls(0.6), tag="works"),
        Job(ENDLESS, calls(0), tag="endless"),
        Job(WAITS, calls(1.0), tag="waits a little"),
        Job(WAITS, calls(60), tag="waits"),
    ]
    found = judged(jobs, options)
    assert {tag: finding.outcome for tag, finding in found.items()} == {
        "works": "passed",
        "endless": "timeout",
        "waits a little": "passed",
        "waits": "timeout",
    }
    assert found["works"].duration_ms > 2000 > found["works"].cpu_ms
    assert "at the limit of 1 s of CPU time" in (found["endless"].error or {})["message"]
    assert "at the limit of 1.5 s of wall time; it waited 1." in (found["waits"].error or {})["message"]
    assert {finding.attempts for finding in found.values()} == {1}


@pytest.mark.parametrize("size", [1, 8])
def test_a_starved_program_is_tried_again_and_then_not_judged(size: int) -> None:
    # Limits that are long beside the pauses of such a quota, for it makes the trusted process late too.
    limits = Limits(cpu_seconds=0.6, total_cpu_seconds=0.6, wall_seconds=0.6)
    options = SandboxOptions(workers=2, cpus=0.05, limits=limits, jobs_per_container=size)
    jobs = [Job(program, calls(60), tag=number) for number, program in enumerate((ENDLESS, WAITS, ENDLESS))]
    found = judged(jobs, options)
    assert [found[number].outcome for number in range(3)] == ["sandbox_error", "timeout", "sandbox_error"]
    assert [found[number].attempts for number in (0, 2)] == [2, 2]
    error = found[0].error or {}
    assert error["kind"] == "sandbox"
    told = re.match(r"starved: in ([0-9.]+) s", error["message"])
    assert told is not None, error
    assert float(told[1]) >= 8 * 0.6
    assert "it was tried alone, too" in error["message"]


def test_cpu_time_is_limited_for_each_part_and_in_all() -> None:
    limits = Limits(cpu_seconds=0.5, total_cpu_seconds=1.2)
    jobs = [
        Job(WORKS, calls(0.3, 0.3, 0.3), tag="within"),
        Job(WORKS, calls(0.1, 0.1, 0.7, 0.1), tag="one test"),
        Job(WORKS, calls(*[0.45] * 6), tag="all tests"),
        Job("while True: pass\n" + WORKS, calls(0.1), tag="loading"),
    ]
    found = judged(jobs, SandboxOptions(limits=limits))
    assert {tag: (finding.outcome, finding.tests_passed) for tag, finding in found.items()} == {
        "within": ("passed", 3),
        "one test": ("timeout", 2),
        "all tests": ("timeout", 2),
        "loading": ("timeout", 0),
    }
    messages = {tag: (finding.error or {}).get("message", "") for tag, finding in found.items()}
    assert "stopped in test 3 at the limit of 0.5 s of CPU time" in messages["one test"]
    assert "stopped in test 3 at the limit for the whole program of 1.2 s of CPU time" in messages["all tests"]
    assert "stopped while it loaded at the limit of 0.5 s of CPU time" in messages["loading"]
    assert found["loading"].cpu_ms < 1000


def test_threads_in_each_others_way_gain_little_time() -> None:
    ((_, finding),) = run_jobs([Job(FEIGNS, calls(0))], SandboxOptions(limits=Limits(wall_seconds=1.0)))
    assert finding.outcome == "timeout"
    assert finding.attempts == 1
    assert finding.cpu_ms < 3100


def test_a_container_that_is_stopped_for_a_while_goes_on_with_its_time(docker_client: docker.DockerClient) -> None:
    own = {"label": f"{OWNER_LABEL}={owner_of_this_process()}", "status": "running"}
    paused = threading.Event()

    def pause_it() -> None:
        while not (running := docker_client.containers.list(filters=own)):
            time.sleep(0.05)
        time.sleep(0.5)  # now it is at work
        running[0].pause()
        paused.set()
        time.sleep(7)  # longer than the wall time and the judge's own patience behind it
        running[0].unpause()

    somebody = threading.Thread(target=pause_it)
    somebody.start()
    options = SandboxOptions(workers=1, pool=1, limits=Limits(wall_seconds=2.5))
    ((_, finding),) = run_jobs([Job(WAITS, calls(2))], options, docker_client)
    somebody.join()
    assert paused.is_set()
    assert (finding.outcome, finding.attempts) == ("passed", 1)
    assert finding.duration_ms > 7000


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Keep all cores busy, at a load of 20."""
    with subprocess.Popen([sys.executable, str(BUSY), "20", "120", "5"], stdout=subprocess.PIPE) as load:
        assert load.stdout
        assert load.stdout.readline() == b"busy\n"
        yield
        load.kill()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.usefixtures("busy_machine")
def test_a_busy_machine_decides_no_verdict(datasets: Path) -> None:
    slow = next(problem for problem in load_mbpp(datasets / "mbpp.jsonl") if problem.task_id == "MBPP/123")
    jobs = [
        Job(slow.solution, slow, tag="MBPP/123"),
        Job(WORKS, calls(1.0), tag="works"),
        Job(WAITS, calls(1.0), tag="waits a little"),
        Job(WAITS, calls(60), tag="waits"),
    ]
    options = SandboxOptions(workers=2, limits=replace(Limits(), wall_seconds=3.0))
    found = judged(jobs, options)
    assert {tag: finding.outcome for tag, finding in found.items()} == {
        "MBPP/123": "passed",
        "works": "passed",
        "waits a little": "passed",
        "waits": "timeout",
    }
    assert found["works"].duration_ms > 3000
    message = (found["waits"].error or {})["message"]
    assert "at the limit of 3 s of wall time" in message
    # What the tests themselves take, more on a busy machine, counts with the waiting; both are told to a tenth.
    counted = re.findall(r"(?:it waited|the tests themselves took) (\d+\.\d) s", message)
    assert sum(map(float, counted)) == pytest.approx(3.0, abs=0.11), message
