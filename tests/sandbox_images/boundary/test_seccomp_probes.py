"""Every system call that is refused, made by its number: in a container as the trusted process is, and in a program.

The arguments are -1 throughout: a call that got past the filters would fail with EFAULT, EINVAL or EBADF, or succeed.
"""

import json
import signal
from collections.abc import Callable, Sequence
from errno import ENOSYS, EPERM
from importlib.resources import files
from pathlib import Path

import docker
import pytest
from docker.types import LogConfig

from edittool.judging.engine.engine import describe_engine
from edittool.judging.image.build import find_image
from edittool.judging.sandbox.flags import FIRST_UID, confinement
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

Call = tuple[int, Sequence[int]]
Probe = Callable[[list[Call]], list[int]]

PROFILE = json.loads(files("edittool.sandbox_images.python").joinpath("image", "seccomp.json").read_text("ascii"))
ALLOWED = {name for rule in PROFILE["syscalls"] for name in rule["names"]}
TABLE = [line.split() for line in (Path(__file__).parent / "system_calls.txt").read_text("ascii").splitlines()[1:]]
NOTHING = (-1,) * 6
# The kernel makes them for itself, from a page of its own only, and shows them to no filter (Linux 6.14 and later).
PAST_EVERY_FILTER = {"uretprobe", "uprobe"}
HIGHEST = 1023

PROBING = """
import ctypes, json
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long

def errors(calls):
    seen = []
    for number, arguments in calls:
        result = LIBC.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        seen.append(ctypes.get_errno() if result == -1 else 0)
    return seen
"""
# mov eax, 20 (getpid in the 32-bit table); int 0x80; ret
OLD_GATE = """
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
"""
X32_GETPID = 0x40000000 + 39

CONDITIONAL: dict[str, dict[str, tuple[int, ...]]] = {
    "clone": {
        "CLONE_NEWNS": (0x00020011,),
        "CLONE_NEWCGROUP": (0x02000011,),
        "CLONE_NEWUTS": (0x04000011,),
        "CLONE_NEWIPC": (0x08000011,),
        "CLONE_NEWUSER": (0x10000011,),
        "CLONE_NEWPID": (0x20000011,),
        "CLONE_NEWNET": (0x40000011,),
        "all of them, for a thread": (0x7E020000 | 0x3D0F00,),
    },
    "prlimit64": {"PID 1": (1, 7, 0, 0), "another": (2, 7, 0, 0), "none": (-1, 7, 0, 0)},
    "socketpair": {
        "AF_INET": (2, 1, 0, -1),
        "AF_INET6": (10, 1, 0, -1),
        "AF_NETLINK": (16, 3, 0, -1),
        "AF_PACKET": (17, 3, 0, -1),
        "AF_ALG": (38, 5, 0, -1),
        "AF_VSOCK": (40, 1, 0, -1),
        "AF_UNIX and a bit more": (2**32 + 1, 1, 0, -1),
    },
    "ioctl": {
        "TIOCSTI": (0, 0x5412, -1),
        "TCSETS": (0, 0x5402, -1),
        "TIOCLINUX": (0, 0x541C, -1),
        "TIOCSPTLCK": (0, 0x40045431, -1),
        "FIOASYNC": (0, 0x5452, -1),
        "FIOSETOWN": (0, 0x8901, -1),
        "SIOCSPGRP": (0, 0x8902, -1),
        "SIOCGIFCONF": (0, 0x8912, -1),
        "FICLONE": (0, 0x40049409, -1),
        "FIFREEZE": (0, 0xC0045877, -1),
        "FS_IOC_SETFLAGS": (0, 0x40086602, -1),
    },
}
OPTIONS_OF_PRCTL = (*range(4), *range(5, 15), *range(17, 100), 0x53564D41, 0x59616D61)
# By the second filter alone; PID 1's number stands for any process but the caller.
IN_A_PROGRAM: dict[str, dict[str, tuple[int, ...]]] = {
    "execve": {"a program": NOTHING},
    "clone": {"fork": (17,), "posix_spawn": (0x4111,), "a process without a signal": (0,)},
    "kill": {"PID 1": (1, 0), "the group": (0, 0), "everybody": (-1, 0), "a group": (-2, 0)},
    "tgkill": {"PID 1": (1, 1, 0), "nobody": (-1, -1, 0)},
    "fcntl": {
        "F_SETOWN": (0, 8, 1),
        "F_SETSIG": (0, 10, 9),
        "F_SETOWN_EX": (0, 15, -1),
        "F_SETOWN and a bit more": (0, 2**32 + 8, 1),
    },
    "prctl": {f"option {option}": (option, -1, -1, -1, -1) for option in OPTIONS_OF_PRCTL},
    "setsid": {"a session": ()},
}


def cases(table: dict[str, dict[str, tuple[int, ...]]]) -> list[tuple[str, str]]:
    return [(name, what) for name, arguments in table.items() for what in arguments]


@pytest.fixture(scope="module")
def numbers(docker_client: docker.DockerClient) -> dict[str, int]:
    """Return the numbers of all system calls on the engine's machine."""
    column = {"x86_64": 1, "aarch64": 2}[describe_engine(docker_client).architecture]
    return {row[0]: int(row[column]) for row in TABLE if row[column] != "-"}


def run_beside_the_runner(client: docker.DockerClient, source: str) -> tuple[int, str]:
    """Run `source` in a container like any other, in the runner's place; return exit status and output."""
    container = client.containers.create(
        find_image(client),
        entrypoint=["/usr/bin/python3", "-P", "-s", "-S", "-B", "-c", source],
        user=f"{FIRST_UID}:{FIRST_UID}",
        network_disabled=True,
        **confinement(SandboxOptions()) | {"log_config": LogConfig(type="json-file")},
    )
    try:
        container.start()
        status = container.wait(timeout=60)["StatusCode"]
        return status, container.logs().decode()
    finally:
        container.remove(force=True, v=True)


def judge(client: docker.DockerClient, program: str, call: str):
    """Judge `program`; its test fails with what `call` returns in the message."""
    problem = Problem("p/1", "", "probe", program, (Test("", f"raise ValueError(repr({call}))"),), "specificity", None)
    ((_, finding),) = run_jobs([Job(program, problem)], SandboxOptions(workers=1), client)
    return finding


@pytest.fixture(scope="module")
def before(docker_client: docker.DockerClient) -> Probe:
    """Return what makes calls where the profile alone is on, and returns each one's errno, or 0."""

    def probe(calls: list[Call]) -> list[int]:
        source = f"{PROBING}\nprint(json.dumps(errors({calls!r})))"
        status, output = run_beside_the_runner(docker_client, source)
        assert status == 0, output
        seen: list[int] = json.loads(output)
        return seen

    return probe


@pytest.fixture(scope="module")
def inside(docker_client: docker.DockerClient) -> Probe:
    """Return what makes calls in a program that is judged, and returns each one's errno, or 0."""

    def probe(calls: list[Call]) -> list[int]:
        program = f"{PROBING}\ndef probe():\n    print(json.dumps(errors({calls!r})))\n"
        finding = judge(docker_client, program, "candidate()")
        seen: list[int] = json.loads(finding.output)
        return seen

    return probe


@pytest.fixture(scope="module", params=["before", "inside"])
def probe(request: pytest.FixtureRequest) -> Probe:
    chosen: Probe = request.getfixturevalue(request.param)
    return chosen


def test_the_table_has_every_call_of_the_profile(numbers):
    assert {name for name, *_ in TABLE} > ALLOWED
    assert len(numbers) > 300


def test_every_call_that_the_profile_does_not_name_is_refused(probe, numbers):
    refused = sorted(numbers.keys() - ALLOWED - PAST_EVERY_FILTER)
    assert len(refused) > 200
    seen = dict(zip(refused, probe([(numbers[name], NOTHING) for name in refused]), strict=True))
    newest = max(numbers[name] for name in ALLOWED)  # runc answers for what came later: the kernel lacks it
    allowed = {name: {EPERM} if numbers[name] < newest else {EPERM, ENOSYS} for name in refused}
    assert {name: error for name, error in seen.items() if error not in allowed[name]} == {}


def test_clone3_does_not_exist(probe, numbers):
    assert probe([(numbers["clone3"], NOTHING)]) == [ENOSYS]


def test_a_number_that_linux_has_not_given_yet_is_refused(probe, numbers):
    free = sorted(set(range(HIGHEST + 1)) - set(numbers.values()))
    assert set(probe([(number, NOTHING) for number in free])) <= {EPERM, ENOSYS}


@pytest.mark.parametrize("name", CONDITIONAL)
def test_an_allowed_call_is_refused_with_other_arguments(probe, numbers, name):
    seen = probe([(numbers[name], arguments) for arguments in CONDITIONAL[name].values()])
    assert dict(zip(CONDITIONAL[name], seen, strict=True)) == dict.fromkeys(CONDITIONAL[name], EPERM)


@pytest.mark.parametrize("name", IN_A_PROGRAM)
def test_what_the_runner_may_and_a_program_may_not(inside, numbers, name):
    seen = inside([(numbers[name], arguments) for arguments in IN_A_PROGRAM[name].values()])
    assert dict(zip(IN_A_PROGRAM[name], seen, strict=True)) == dict.fromkeys(IN_A_PROGRAM[name], EPERM)


def test_the_runner_may_do_what_it_has_to(before, numbers):
    calls = {"kill": (1, 0), "setsid": (), "prctl": (3, 0, 0, 0, 0), "execve": (0, 0, 0), "fcntl": (0, 8, 0)}
    assert EPERM not in before([(numbers[name], arguments) for name, arguments in calls.items() if name != "setsid"])


WORKS = """
import asyncio, os, signal, threading

def probe():
    handled, threads = [], []
    signal.signal(signal.SIGUSR1, lambda number, frame: handled.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
    workers = [threading.Thread(target=threads.append, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(handled), sorted(threads), asyncio.run(asyncio.sleep(0, "slept"))
"""


def test_a_program_has_threads_an_event_loop_and_signals_to_itself(docker_client):
    finding = judge(docker_client, WORKS, "candidate()")
    assert finding.error["message"] == "(3, [0, 1, 2, 3], 'slept')"


# Another table of system calls

on_x86 = pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"{PROBING}\ncall = lambda: errors([({X32_GETPID}, ())])", id="x32"),
        pytest.param(OLD_GATE, id="32 bit"),
    ],
)


@pytest.fixture
def needs_x86(docker_client: docker.DockerClient) -> None:
    if describe_engine(docker_client).architecture != "x86_64":
        pytest.skip("only x86_64 has other tables of system calls that a program of its own can reach")


@on_x86
@pytest.mark.usefixtures("needs_x86")
def test_a_call_of_another_table_ends_the_container(docker_client, source):
    status, output = run_beside_the_runner(docker_client, f"{source}\nprint(call())")
    assert (status, output) == (128 + signal.SIGSYS, "")


@on_x86
@pytest.mark.usefixtures("needs_x86")
def test_a_call_of_another_table_ends_the_program(docker_client, source):
    finding = judge(docker_client, f"{source}\ndef probe():\n    print(call())\n", "candidate()")
    assert (finding.outcome, finding.output) == ("crashed", "")
    assert "SIGSYS" in finding.error["message"]
