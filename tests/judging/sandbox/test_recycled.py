"""Containers that serve several jobs: each program finds the place as if it were the first, or is tried elsewhere."""

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from textwrap import dedent

import pytest

from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.problems import Problem, Test

pytestmark = pytest.mark.usefixtures("docker_client")

TASK = Problem("own/f", "", "f", "def f():\n    return 1\n", (Test("", "assert f() == 1"),), "specificity", None)
GOOD = "def f():\n    return 1\n"

# What a program leaves behind, by what it is.
LEAVES = {
    "files": """
        import os
        os.makedirs("/tmp/a/b/c")
        open("/tmp/a/b/c/left", "w").write("x")
        os.symlink("/proc", "/tmp/link")
        os.chmod("/tmp/a/b", 0)
    """,
    "no room": """
        import os
        held = open("/tmp/held", "wb")
        try:
            while True:
                held.write(bytes(2**20))
                held.flush()
        except OSError:
            pass
        os.unlink("/tmp/held")
    """,
    "no inodes": """
        import itertools
        try:
            for number in itertools.count():
                open(f"/tmp/{number}", "w").close()
        except OSError:
            pass
    """,
    "shared memory and message queues": """
        for folder in ("/dev/shm", "/dev/mqueue"):
            try:
                open(f"{folder}/left", "w").write("x")
            except OSError:
                pass
    """,
    "threads that hold a file and ignore signals": """
        import signal, threading, time
        held = open("/tmp/held", "wb")
        held.write(bytes(2**20))
        held.flush()
        for number in range(1, 60):
            try:
                signal.signal(number, signal.SIG_IGN)
            except OSError:
                pass
        for _ in range(5):
            threading.Thread(target=time.sleep, args=(100,)).start()
    """,
    "limits and settings of its own": """
        import gc, locale, os, resource, signal, sys
        for name in ("NOFILE", "FSIZE", "STACK", "DATA"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (2**20, 2**20) if name != "NOFILE" else (8, 8))
        os.umask(0o777)
        os.chdir("/proc")
        os.environ["LEFT"] = "x"
        os.putenv("LEFT", "x")
        sys.setrecursionlimit(50)
        gc.set_threshold(1)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        open("/proc/self/oom_score_adj", "w").write("1000")
    """,
    "timers": """
        import signal
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)
    """,
    "open descriptors and pipes": """
        import os
        ends = []
        try:
            while True:
                ends += os.pipe()
        except OSError:
            pass
        os.set_blocking(1, False)
        os.set_blocking(3, False)
        os.set_blocking(4, False)
    """,
    "threads": """
        import threading, time
        for _ in range(4):
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    """,
    "another interpreter": """
        import builtins, math, sys
        builtins.sorted = None
        math.pi = 3
        sys.modules["json"] = math
        sys.path.insert(0, "/tmp")
    """,
    "an interrupted load": """
        raise SystemExit(0)
    """,
    "a crash": """
        import os, signal
        os.kill(os.getpid(), signal.SIGSEGV)
    """,
}

# Prints whatever could tell that others were here. Names of waiting processes are no trace: there are fewer each time.
SPY = """
import gc, math, os, resource, signal, sys, threading, time
def listed(folder):
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else None
def f():
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}
    room = os.statvfs("/tmp")
    own = {str(os.getpid()), "1"}
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        for descriptor in held:
            os.close(descriptor)
    facts = {
        "folders": [listed(folder) for folder in ("/tmp", "/dev/shm", "/dev/mqueue")],
        "room": (room.f_bfree, room.f_ffree),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit() and name not in own]) - WAITING,
        "limits": limits,
        "descriptors": held,
        "blocking": [os.get_blocking(descriptor) for descriptor in range(5)],
        "groups": (os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid(), os.getppid()),
        "oom": open("/proc/self/oom_score_adj").read(),
        "status": {name: status[name] for name in status if name[:3] in "Sig Shd Cap Sec NoN Uma".split()},
        "cwd": os.getcwd(),
        "environment": sorted(os.environ.items()),
        "handlers": [str(signal.getsignal(number)) for number in signal.valid_signals()],
        "timers": [signal.getitimer(timer) for timer in range(3)],
        "modules": list(sys.modules),
        "path": sys.path,
        "interpreter": (sorted("ba"), math.pi, sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled()),
        "threads": threading.active_count(),
    }
    for name, fact in facts.items():
        print(name, fact)
    return 1
"""
KILLS_ALL_OTHERS = """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass
def f():
    return 1
"""
SIGNALS = {
    "killed": "SIGKILL",
    "stopped": "SIGSTOP",
    "stopped and continued": "SIGSTOP), os.kill(int(name), signal.SIGCONT",
    "interrupted": "SIGINT",
    "told of a timer": "SIGALRM",
    "told of its CPU time": "SIGXCPU",
    "told of a child": "SIGCHLD",
    "told of a broken pipe": "SIGPIPE",
    "sent a realtime signal": "SIGRTMIN",
}
# Reaches for the processes that wait in every way there is to another process of one's own user. Prints what works.
REACHES_OUT = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(64)
vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 64)
def attempts(pid):
    folder = f"/proc/{pid}"
    for name in "mem environ maps smaps auxv pagemap io stack syscall personality exe".split():
        yield f"read {name}", lambda name=name: open(f"{folder}/{name}", "rb").read(1)
    for name in "mem oom_score_adj comm coredump_filter clear_refs timerslack_ns autogroup sched".split():
        yield f"write {name}", lambda name=name: open(f"{folder}/{name}", "wb", 0).write(b"1")
    for name in ("fd", "fdinfo", "map_files", "root/tmp", "cwd/tmp", f"task/{pid}/fd"):
        yield f"list {name}", lambda name=name: os.listdir(f"{folder}/{name}")
    for number in range(8):
        yield f"open fd {number}", lambda number=number: os.open(f"{folder}/fd/{number}", os.O_WRONLY)
        yield f"read fd {number}", lambda number=number: os.open(f"{folder}/fd/{number}", os.O_RDONLY)
    yield "setpriority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)
    yield "affinity", lambda: os.sched_setaffinity(pid, {0})
    yield "scheduler", lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    yield "prlimit", lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))
    yield "setpgid", lambda: os.setpgid(pid, 0)
    yield "pidfd", lambda: os.pidfd_open(pid)
    yield "pidfd_getfd", lambda: called(libc.syscall(438, pid, 3, 0))
    yield "ptrace", lambda: called(libc.ptrace(16, pid, 0, 0))
    yield "read memory", lambda: called(libc.process_vm_readv(pid, vector, 1, vector, 1, 0))
    yield "write memory", lambda: called(libc.process_vm_writev(pid, vector, 1, vector, 1, 0))
    yield "kcmp", lambda: called(libc.syscall(312, pid, os.getpid(), 0, 1, 1))
    yield "ioprio_set", lambda: called(libc.syscall(251, 1, pid, 0x6000))
    yield "move pages", lambda: called(libc.syscall(256, pid, 1, ctypes.byref(ctypes.c_ulong(1)), buffer))
def called(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), "refused")
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
def f():
    assert len(others) == WAITING, others
    for pid in others:
        for what, attempt in attempts(pid):
            try:
                attempt()
            except OSError:
                continue
            print(what)
    return 1
"""
ENDLESS = "def f():\n    while True: pass\n"
WRONG = "def f():\n    return 2\n"
THREADS_WITHOUT_END = """
import threading, time
def f():
    while True:
        threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
"""
SLOW = "import time\ntime.sleep(2)\n" + GOOD
HUNGRY = "def f():\n    return len(bytearray(2**40))\n"


def judge_in_one_container(programs: Iterable[str], size: int = 8) -> list[Finding]:
    """Judge `programs`, of which each has a process waiting in the container from its start."""
    return judge_one_by_one([Job(program, TASK) for program in programs], size)


def judge_one_by_one(jobs: Iterable[Job], size: int) -> list[Finding]:
    numbered = [replace(job, tag=number) for number, job in enumerate(jobs)]
    options = SandboxOptions(workers=1, pool=1, jobs_per_container=size, worlds=False)
    findings = {job.tag: finding for job, finding in run_jobs(numbered, options)}
    return [findings[number] for number in range(len(numbered))]


@pytest.fixture(scope="module")
def seen_in_a_fresh_container() -> str:
    [finding] = judge_in_one_container([SPY.replace("WAITING", "0")], size=1)
    assert finding.outcome == "passed", finding.error
    return finding.output


@pytest.mark.parametrize("what", LEAVES)
def test_nothing_of_one_program_is_left_for_the_next(what: str, seen_in_a_fresh_container: str) -> None:
    # Processes are counted, so a container that was dropped and not wiped shows too.
    programs = [dedent(LEAVES[what]) + GOOD, SPY.replace("WAITING", "6"), *[GOOD] * 6]
    _, spy, *others = findings = judge_in_one_container(programs)
    assert spy.output == seen_in_a_fresh_container
    assert [finding.attempts for finding in findings] == [1] * 8
    assert {finding.outcome for finding in (spy, *others)} == {"passed"}


def test_a_container_has_a_process_for_each_of_its_programs_and_no_more(seen_in_a_fresh_container: str) -> None:
    spy, *_ = judge_in_one_container([SPY.replace("WAITING", "2"), GOOD, GOOD], size=8)
    assert spy.output == seen_in_a_fresh_container


def test_what_cannot_be_wiped_is_left_behind_with_its_container(seen_in_a_fresh_container: str) -> None:
    deeper = "import os\nos.chdir('/tmp')\nfor _ in range(300):\n    os.mkdir('x')\n    os.chdir('x')\n"
    first, spy, *_ = judge_in_one_container([deeper + GOOD, SPY.replace("WAITING", "6"), *[GOOD] * 6])
    assert (first.outcome, spy.outcome, spy.attempts) == ("passed", "passed", 1)
    assert spy.output == seen_in_a_fresh_container


def test_a_program_reaches_no_process_that_waits() -> None:
    reaching, *others = judge_in_one_container([REACHES_OUT.replace("WAITING", "7"), *[GOOD] * 7])
    assert (reaching.outcome, reaching.output) == ("passed", "")
    assert {finding.outcome for finding in others} == {"passed"}


@pytest.mark.parametrize("sent", SIGNALS.values(), ids=SIGNALS)
def test_a_program_whose_process_was_sent_a_signal_is_judged_as_ever(sent: str) -> None:
    findings = judge_in_one_container([KILLS_ALL_OTHERS.replace("SIGKILL", sent), GOOD, WRONG, GOOD])
    assert [finding.outcome for finding in findings] == ["passed", "passed", "failed", "passed"]
    assert [finding.attempts for finding in findings] == [1] * 4


# What tests may do in passing to the process that they run in, and what the tests of the next job then look at.
TESTS_LEAVE = {
    "a precision": "import decimal\ndecimal.getcontext().prec = 3",
    "a patched module": "import math, json, time\nmath.pi, json.dumps, time.sleep = 3, None, None",
    "a patched builtin": "import builtins\nbuiltins.abs = None",
    "a new builtin": "import builtins\nbuiltins.leftover = 1",
    "a missing builtin": "import builtins\ndel builtins.abs",
    "limits": "import sys\nsys.setrecursionlimit(5000)\nsys.set_int_max_str_digits(0)",
    "signal handlers": "import signal\nsignal.signal(signal.SIGTERM, print)\nsignal.signal(signal.SIGALRM, print)",
    "a timer": "import signal\nsignal.setitimer(signal.ITIMER_PROF, 100)",
    "garbage collection": "import gc\ngc.enable()\ngc.set_threshold(1)\ngc.callbacks.append(print)",
    "a folder and a mask": "import os\nos.chdir('/usr')\nos.umask(0o777)",
    "a path": "import sys\nsys.path.insert(0, '/tmp')\nsys.modules['math'] = sys",
    "a filter of warnings": "import warnings\nwarnings.simplefilter('error')",
    "a tracer": "import sys\nsys.settrace(lambda *event: None)\nsys.setprofile(lambda *event: None)",
    "a variable": "import os\nos.environ['LEFT'] = 'x'",
    "a global": "global leftover\nleftover = 1",
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()",
}
LOOKS_AROUND = (
    ("import sys", "len(sys.modules), list(sys.modules)[-5:]"),
    ("import decimal", "decimal.getcontext()"),
    ("import math, json, time", "math, math.pi, json.dumps.__name__, time.sleep"),
    ("import builtins", "abs(-1), len(vars(builtins))"),
    ("import sys", "sys.getrecursionlimit(), sys.get_int_max_str_digits(), sys.path"),
    ("import signal", "[str(signal.getsignal(n)) for n in (1, 2, 10, 15)], [signal.getitimer(n)[1] for n in range(3)]"),
    ("import signal", "signal.getitimer(signal.ITIMER_PROF)"),
    ("import gc", "gc.isenabled(), gc.get_threshold(), gc.callbacks"),
    ("import os", "os.getcwd(), os.umask(0o022), os.environ.get('LEFT')"),
    ("import sys, warnings", "len(warnings.filters), sys.gettrace(), sys.getprofile()"),
    ("import threading", "threading.active_count(), 'leftover' in globals()"),
)


def problem_of(*tests: Test) -> Problem:
    return replace(TASK, tests=tests)


@pytest.fixture(scope="module")
def seen_by_tests_in_a_fresh_container() -> list[str]:
    [finding] = judge_one_by_one([job_that_looks_around()], size=1)
    return [test["error"]["message"] for test in finding.tests]


def job_that_looks_around() -> Job:
    return Job(GOOD, problem_of(*(Test(imports, f"assert False, ({facts})") for imports, facts in LOOKS_AROUND)))


@pytest.mark.parametrize("what", TESTS_LEAVE)
def test_nothing_of_one_jobs_tests_is_left_for_the_next(
    what: str, seen_by_tests_in_a_fresh_container: list[str]
) -> None:
    leaving = Job(GOOD, problem_of(Test(TESTS_LEAVE[what], "assert f() == 1")))
    left, looking, good = judge_one_by_one([leaving, job_that_looks_around(), Job(GOOD, TASK)], size=8)
    assert [test["error"]["message"] for test in looking.tests] == seen_by_tests_in_a_fresh_container
    assert (left.outcome, good.outcome) == ("passed", "passed")
    assert [finding.attempts for finding in (left, looking, good)] == [1, 1, 1]


def test_what_the_kernel_counted_for_one_program_is_not_charged_to_the_next() -> None:
    findings = judge_in_one_container([THREADS_WITHOUT_END, WRONG, HUNGRY, WRONG, WRONG])
    kinds = [finding.error and finding.error["kind"] for finding in findings]
    assert kinds == ["process_limit", "assertion", "out_of_memory", "assertion", "assertion"]


def test_the_memory_of_a_program_is_its_own_however_many_wait() -> None:
    large = f"held = bytearray({150 * 2**20})\n" + GOOD
    outcomes = [
        judge_in_one_container([large, large, GOOD], size=size)[0].outcome for size in (1, MAX_JOBS_PER_CONTAINER)
    ]
    assert outcomes == ["passed", "passed"]


def test_as_many_as_one_container_serves() -> None:
    findings = judge_in_one_container([GOOD] * MAX_JOBS_PER_CONTAINER, size=MAX_JOBS_PER_CONTAINER)
    assert [finding.outcome for finding in findings] == ["passed"] * MAX_JOBS_PER_CONTAINER


def test_ends_of_one_program_are_not_those_of_the_next() -> None:
    findings = judge_in_one_container([ENDLESS, GOOD, HUNGRY, "def f(:\n", GOOD, "import os\nos._exit(3)\n", GOOD])
    outcomes = ["timeout", "passed", "out_of_memory", "syntax_error", "passed", "crashed", "passed"]
    assert [finding.outcome for finding in findings] == outcomes


def test_more_jobs_than_one_container_serves() -> None:
    assert [finding.outcome for finding in judge_in_one_container([GOOD] * 7, size=3)] == ["passed"] * 7


def test_jobs_and_results_of_all_sizes_in_one_container() -> None:
    printing = "print('x' * 500_000)\n" + GOOD
    programs = [
        program + "#" * size for size in (0, 40_000, 10, 1_000_000, 31_000, 31_000) for program in (GOOD, printing)
    ]
    findings = judge_in_one_container(programs, size=len(programs))
    assert [(finding.outcome, finding.attempts) for finding in findings] == [("passed", 1)] * len(programs)
    assert [len(finding.output) > 0 for finding in findings] == [False, True] * 6


def test_a_finding_comes_as_soon_as_it_is_made() -> None:
    options = SandboxOptions(workers=1, pool=1, jobs_per_container=2, worlds=False)
    with closing(run_jobs([Job(GOOD, TASK), Job(SLOW, TASK)], options)) as findings:
        next(findings)
        came = time.monotonic()
        next(findings)
    assert time.monotonic() - came > 1


def test_sets_are_ordered_by_the_hash_seed_asked_for() -> None:
    program = "def f():\n    raise ValueError(','.join(set('abcdefgh')))\n"
    orders = set()
    for seed in (0, 1, 2, 1):
        [(_, finding)] = run_jobs([Job(program, TASK)], SandboxOptions(workers=1, pool=1, hash_seed=seed))
        assert finding.error
        orders.add((seed, finding.error["message"]))
    assert len(orders) == 3
    assert len({message for _, message in orders}) == 3


@pytest.mark.parametrize("number", [0, MAX_JOBS_PER_CONTAINER + 1])
def test_numbers_of_jobs_that_no_container_serves(number: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MAX_JOBS_PER_CONTAINER}"):
        SandboxOptions(jobs_per_container=number)
