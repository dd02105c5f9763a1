"""The sandbox image, asked from inside a container of it."""

import docker
import pytest

from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

LOOK = """
import os, stat, sys

def modes():
    found = {}
    runner = "/edittool/sandbox/trusted/runner.py"
    for path in ("/tmp", runner, "/usr/bin/python3", "/etc/passwd", "/bin/sh", "/usr/bin/env"):
        found[path] = oct(os.stat(path).st_mode) if os.path.exists(path) else "absent"
    return found

def writable():
    return sorted(f for f, _, _ in os.walk("/") if os.access(f, os.W_OK) and not f.startswith("/proc/"))

def look():
    return {"modes": modes(), "writable": writable(), "version": sys.version_info[:2],
            "site": "site" in sys.modules, "environment": sorted(os.environ), "path": sys.path, "root": os.listdir("/")}
"""
LOOKING = Problem(
    "image/look", "", "look", LOOK, (Test("", "raise ValueError(repr(candidate()))"),), "specificity", None
)


@pytest.fixture(scope="module")
def seen(docker_client: docker.DockerClient):
    """Return what a program sees of the image; the test's own error carries it out."""
    (_, finding), *_ = run_jobs([Job(LOOK, LOOKING)], SandboxOptions(workers=1), docker_client)
    (test,) = finding.tests
    return test["error"]["message"]


def test_only_the_temporary_folder_can_be_written(seen):
    # The engine mounts a queue folder everywhere; a limit of 0 bytes keeps it empty (an attack tries).
    assert "'writable': ['/dev/mqueue', '/tmp']" in seen


def test_the_runner_is_readable_the_interpreter_is_not(seen):
    assert "'/edittool/sandbox/trusted/runner.py': '0o100644'" in seen
    assert "'/usr/bin/python3': '0o100751'" in seen
    assert "'/tmp': '0o41777'" in seen


def test_there_is_no_shell(seen):
    assert "'/bin/sh': 'absent', '/usr/bin/env': 'absent'" in seen


def test_python_starts_without_site_and_finds_the_standard_library_only(seen):
    assert "'version': (3, 11), 'site': False" in seen
    assert "edittool" not in seen.partition("'path':")[2].partition("'root'")[0]
