"""Faults that are not the program's: tried again, reported when that does not help, and never in the way of others."""

import random
import threading
import time

import docker
import pytest

from edittool.judging.sandbox.job import Job, Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import OWNER_LABEL, owner_of_this_process
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

pytestmark = pytest.mark.usefixtures("docker_client")

GOOD = "def f():\n    return 1\n"
SLEEPS = "import time\ntime.sleep(3)\n" + GOOD
ENDLESS = "def f():\n    while True: pass\n"
TASK = Problem("own/f", "", "f", GOOD, (Test("", "assert f() == 1"),), "specificity", None)
ENDS_THE_RUNNER = Problem("own/g", "", "f", GOOD, (Test("", "import os\nos._exit(7)"),), "specificity", None)


@pytest.mark.parametrize("size", [1, 8])
def test_what_breaks_the_sandbox_three_times_is_reported_and_the_run_goes_on(size: int) -> None:
    problems = [TASK, TASK, ENDS_THE_RUNNER, TASK, TASK]
    jobs = [Job(GOOD, problem, tag=number) for number, problem in enumerate(problems)]
    found = {job.tag: finding for job, finding in run_jobs(jobs, SandboxOptions(workers=1, jobs_per_container=size))}
    assert [found[n].outcome for n in range(5)] == ["passed", "passed", "sandbox_error", "passed", "passed"]
    assert [found[n].attempts for n in range(5)] == [1, 1, 3, 1, 1]
    error = found[2].error
    assert error
    assert error["kind"] == "sandbox"
    assert "exit code 7" in error["message"]


def test_a_container_that_somebody_removes_makes_its_program_be_tried_again(docker_client: docker.DockerClient) -> None:
    owner = f"{OWNER_LABEL}={owner_of_this_process()}"

    def remove_one() -> None:
        for _ in range(600):
            time.sleep(0.05)
            for found in docker_client.api.containers(filters={"label": owner, "status": "running"}):
                time.sleep(0.3)  # now it is at work
                docker_client.api.remove_container(found["Id"], force=True)
                return

    somebody = threading.Thread(target=remove_one)
    somebody.start()
    ((_, finding),) = run_jobs([Job(SLEEPS, TASK)], SandboxOptions(workers=1, pool=1))
    somebody.join()
    assert (finding.outcome, finding.attempts) == ("passed", 2)


def test_a_clock_that_jumps_changes_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = random.Random(7)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * jumps.uniform(-48, 48))  # any thread may ask
    options = SandboxOptions(workers=2, limits=Limits(cpu_seconds=0.3, wall_seconds=5.0))
    jobs = [Job(program, TASK, tag=program) for program in (GOOD, ENDLESS, SLEEPS)]
    found = {job.tag: finding for job, finding in run_jobs(jobs, options)}
    assert {tag: finding.outcome for tag, finding in found.items()} == {
        GOOD: "passed",
        ENDLESS: "timeout",
        SLEEPS: "passed",
    }
