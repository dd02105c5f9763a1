"""What a program may return, raise, print and change: what crosses passes as in plain Python, the rest is named."""

from pathlib import Path

import docker
import pytest

from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.sandbox_images.python.boundary import codec, library
from edittool.schemas.problems import Problem, Test

# A program, the tests of its f, how many of them pass (those that plain Python passes), and a part of the error.
PASS = {
    "keys as a set": ("def f(d):\n    return d.keys()", ["assert f({'a': 1, 'b': 2}) == {'b', 'a'}"]),
    "items in a loop": ("def f(d):\n    return d.items()", ["assert [k for k, v in f({'a': 1})] == ['a']"]),
    "values never equal": ("def f(d):\n    return d.values()", ["assert f({1: 2}) != {1: 2}.values()"]),
    "order of a literal": (
        "def f(s):\n    return tuple(s)",
        [
            "s = {'pear', 'fig', 'plum', 'kiwi', 'date', 'lime'}\nassert f(s) == tuple(s)",
            "assert f({16, 8, 0}) == tuple({16, 8, 0})",
        ],
    ),
    "order of a set returned": (
        "def f(n):\n    return set(set(range(0, 64 * n, 64)))",
        ["assert list(f(9)) == list(set(set(range(0, 576, 64))))"],
    ),
    "ordered dict": (
        "from collections import OrderedDict\ndef f():\n    return OrderedDict(a=1, b=2)",
        ["from collections import OrderedDict\nassert f() != OrderedDict(b=2, a=1) and f() == {'b': 2, 'a': 1}"],
    ),
    "moment with an offset": (
        "from datetime import *\ndef f(h):\n    return datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=h)))",
        [
            "from datetime import *\nassert f(2) == datetime(2023, 12, 31, 22, tzinfo=timezone.utc)",
            "assert f(1).hour == 0",
        ],
    ),
    "a date as an argument": (
        "import datetime\ndef f(day):\n    return day + datetime.timedelta(days=1)",
        ["import datetime\nassert f(datetime.date(2024, 2, 28)).isoformat() == '2024-02-29'"],
    ),
    "deque with a length": (
        "from collections import deque\ndef f(xs):\n    return deque(xs, maxlen=2)",
        ["from collections import deque\nr = f([1, 2, 3])\nassert r == deque([2, 3]) and r.maxlen == 2"],
    ),
    "named tuple there and back": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\n"
        "def f(p):\n    assert isinstance(p, P)\n    return p._replace(x=p.y)",
        ["p = P(1, 2)\nassert p.y == 2 and f(p).x == 2 and f(p) == (2, 2)"],
    ),
    "dataclasses compared": (
        "from dataclasses import dataclass, field\n@dataclass\nclass P:\n    x: int\n"
        "    n: list = field(compare=False)\n"
        "@dataclass\nclass Q:\n    p: P\ndef f(x):\n    return Q(P(x, [x]))",
        ["assert f(1) == Q(P(1, []))", "assert f(1) != Q(P(2, []))", "assert f(1) != P(1, [])"],
    ),
    "arguments of an exception": (
        "class Bad(ValueError):\n    pass\ndef f(x):\n    raise Bad('neg', x)",
        ["try:\n    f(-1)\nexcept ValueError as e:\n    assert e.args == ('neg', -1)\nelse:\n    assert False"],
    ),
    "text of an exception": (
        "class Bad(LookupError):\n    def __str__(self):\n        return 'bad: %s' % self.args\n"
        "def f(x):\n    raise Bad(x)\ndef g(d):\n    return d['k']",
        [
            "try:\n    f(3)\nexcept LookupError as e:\n    assert str(e) == 'bad: 3' and e.args == (3,)\n"
            "else:\n    assert False",
            "try:\n    g({})\nexcept KeyError as e:\n    assert str(e) == \"'k'\"\nelse:\n    assert False",
        ],
    ),
    "a file that is missing": (
        "def f(path):\n    return open(path)",
        [
            "import errno\ntry:\n    f('/none')\nexcept FileNotFoundError as e:\n"
            "    assert e.errno == errno.ENOENT\nelse:\n    assert False"
        ],
    ),
    "done in place": (
        "def f(xs, seen=None):\n    xs.sort()\n    xs[0].append(9)\n    seen.add(len(xs))",
        ["a, s = [1], set()\nxs = [[3], a]\nf(xs, seen=s)\nassert xs == [[1, 9], [3]] and s == {2}"],
    ),
    "awaited": (
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1",
        ["import asyncio\nassert asyncio.run(f(1)) == 2"],
    ),
    "printed": (
        "def f(x):\n    print(x)\n    return x",
        [
            "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n    f('\\u2192')\n"
            "assert b.getvalue() == '\\u2192\\n'"
        ],
    ),
    "functions of the library as arguments": (
        "def f(g, xs):\n    return [g(x) for x in xs]",
        [
            "import math\nassert f(abs, [-1]) == [1] and f(math.sqrt, [4]) == [2.0]",
            "assert f(str.upper, ['a']) == ['A']",
        ],
    ),
    "signature and docstring": (
        'def f(a, b=2, *, c=None):\n    """Doc."""',
        [
            "import inspect\nassert str(inspect.signature(f)) == '(a, b=2, *, c=None)'",
            "assert (f.__doc__, f.__name__) == ('Doc.', 'f')",
        ],
    ),
}
NAMED = {
    "a generator compared": (
        "def f(n):\n    yield n",
        ["assert f(1) == [1]"],
        "f returned a generator, which stays in the program's process and equals only itself here",
    ),
    "an object of its own": (
        "class Box:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, other):\n"
        "        return True\n"
        "def f(x):\n    return Box(x)",
        ["assert f(1) == Box(1)"],
        "f returned an object of the program's class Box, which stays",
    ),
    "a type that is asked for": (
        "def f(xs):\n    return (x for x in xs)",
        ["import types\nassert isinstance(f([1]), types.GeneratorType)"],
        "f returned a generator, which stays",
    ),
    "an operator": (
        "class Money:\n    pass\ndef f():\n    return Money()",
        ["assert f() > 1"],
        "f returned an object of the program's class Money, which stays",
    ),
    "a moment in a zone of its own": (
        "import datetime\nclass Zone(datetime.tzinfo):\n    def utcoffset(self, moment):\n"
        "        return datetime.timedelta(0)\n"
        "def f():\n    return datetime.datetime(2024, 1, 1, tzinfo=Zone())",
        ["import datetime\nassert f() == datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)"],
        "in a time zone that is a Zone, not a fixed offset, which stays",
    ),
    "a factory of its own": (
        "from collections import defaultdict\ndef f():\n    return defaultdict(lambda: 7)",
        ["assert f()['new'] == 7"],
        "the default_factory of this defaultdict stays in the program's process",
    ),
    "a function of the test's": (
        "def f(g):\n    return g(1)",
        ["assert f(lambda x: x + 1) == 2"],
        "the test passes a function, which cannot cross into the program's process",
    ),
    "arguments changed beside a value": (
        "def f(xs):\n    xs.sort()\n    return len(xs)",
        ["xs = [2, 1]\nassert f(xs) == 2 and xs == [1, 2]"],
        "the last call changed its arguments",
    ),
    "input replaced": (
        "def f():\n    return input()",
        [
            "import builtins\nold, builtins.input = builtins.input, lambda: '4'\ntry:\n    assert f() == '4'\n"
            "finally:\n    builtins.input = old"
        ],
        "the test replaces input(), which the program's process does not see",
    ),
    "a process pool": (
        "from concurrent.futures import ProcessPoolExecutor\ndef f():\n    with ProcessPoolExecutor(2) as pool:\n"
        "        return list(pool.map(abs, [-1]))",
        ["assert f() == [1]"],
        "the sandbox runs no other process",
    ),
    "a pool of processes": (
        "import multiprocessing\ndef f():\n    with multiprocessing.Pool(2) as pool:\n"
        "        return pool.map(abs, [-1])",
        ["assert f() == [1]"],
        "the sandbox runs no other process",
    ),
    "a pool, its failure told in other words": (
        "import multiprocessing\ndef f():\n    try:\n        multiprocessing.Pool(2)\n    except OSError as error:\n"
        "        raise RuntimeError('no pool') from error",
        ["assert f() is None"],
        "no pool (the sandbox runs no other process",
    ),
    "a pool, another failure while its own was handled": (
        "from concurrent.futures import ProcessPoolExecutor\ndef f():\n    try:\n        ProcessPoolExecutor(2)\n"
        "    except Exception:\n        raise SystemExit('no pool')",
        ["assert f() is None"],
        "no pool (the sandbox runs no other process",
    ),
    "a pool, among several failures": (
        "import multiprocessing\ndef f():\n    try:\n        multiprocessing.Pool(2)\n    except OSError as error:\n"
        "        found = error\n    raise ExceptionGroup('workers', [found])",
        ["assert f() is None"],
        "the sandbox runs no other process",
    ),
    "a worker that never starts": (
        "import queue, threading, multiprocessing\ndef f():\n    done = queue.Queue()\n"
        "    work = lambda: done.put(multiprocessing.Pool(2))\n    threading.Thread(target=work, daemon=True).start()\n"
        "    return done.get(timeout=0.2)",
        ["assert f() is None"],
        "if it waited for another process: the sandbox runs no other process",
    ),
    "threads of multiprocessing": (
        "from multiprocessing.pool import ThreadPool\ndef f():\n    with ThreadPool(2) as pool:\n"
        "        return pool.map(abs, [-1])",
        ["assert f() == [1]"],
        "it has no semaphores and no shared memory, which multiprocessing's threads need too",
    ),
    "a fork": ("import os\ndef f():\n    return os.fork()", ["assert f() == 0"], "no other process"),
    "a subprocess of asyncio": (
        "import asyncio\nasync def run():\n    await asyncio.create_subprocess_exec('true')\n"
        "async def both():\n    async with asyncio.TaskGroup() as group:\n        group.create_task(run())\n"
        "def f():\n    return asyncio.run(both())",
        ["assert f() is None"],
        "the sandbox runs no other process",
    ),
    "a network": (
        "import urllib.request\ndef f():\n    return urllib.request.urlopen('http://example.org')",
        ["assert f() is None"],
        "the sandbox has no network",
    ),
    "more than the limits": (
        "import resource\ndef f():\n    resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))",
        ["assert f() is None"],
        "the sandbox's limits can be lowered, not raised",
    ),
    "many threads, their failure told in other words": (
        "import threading\ndef f():\n    gate = threading.Event()\n    try:\n"
        "        [threading.Thread(target=gate.wait).start() for _ in range(100)]\n"
        "    except RuntimeError as error:\n        raise SystemError('threads') from error\n    finally:\n"
        "        gate.set()",
        ["assert f() is None"],
        "the sandbox allows about 30 threads at once",
    ),
    "a huge stack": (
        "import threading\ndef f():\n    threading.stack_size(512 * 2**20)\n    threading.Thread(target=f).start()",
        ["assert f() is None"],
        "their stacks count",
    ),
    "too much memory, told in other words": (
        "def f():\n    try:\n        return bytearray(2**31)\n    except MemoryError as error:\n"
        "        raise ValueError('big') from error",
        ["assert f() is None"],
        "MiB of address space",
    ),
    "many threads": (
        "import threading\nthreading.stack_size(2**20)\ndef f():\n    gate = threading.Event()\n"
        "    try:\n        [threading.Thread(target=gate.wait).start() for _ in range(60)]\n    finally:\n"
        "        gate.set()",
        ["assert f() is None"],
        "the sandbox allows about 30 threads at once",
    ),
    "a zone of the world": (
        "from zoneinfo import ZoneInfo\ndef f():\n    return str(ZoneInfo('Asia/Tokyo'))",
        ["assert f() == 'Asia/Tokyo'"],
        "the sandbox's image has no time zone data",
    ),
    "a locale": (
        "import locale\ndef f():\n    return locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')",
        ["assert f() == 'de_DE.UTF-8'"],
        "the sandbox's image has no locales but C and POSIX",
    ),
    "a package": ("def f():\n    import scipy", ["assert f() is None"], "the sandbox's image has no scipy"),
    "a module left out": (
        "def f():\n    import tkinter",
        ["assert f() is None"],
        "leaves tkinter out of the standard library",
    ),
    "too much memory": ("def f():\n    return len(bytearray(2**30))", ["assert f() == 2**30"], "MiB of address space"),
}


def _job(name: str, program: str, tests: list[str]) -> Job:
    problem = Problem(
        task_id=f"own/{name}",
        prompt="",
        entry_point="f",
        solution=program,
        tests=tuple(Test("", test) for test in tests),
        subset="specificity",
        change_id=None,
    )
    return Job(program + "\n", problem, (), name)


def test_what_crosses_passes_and_what_does_not_is_named(
    subtests: pytest.Subtests, docker_client: docker.DockerClient
) -> None:
    jobs = [_job(name, *case[:2]) for name, case in {**PASS, **NAMED}.items()]
    options = SandboxOptions(jobs_per_container=MAX_JOBS_PER_CONTAINER)
    findings = {job.tag: finding for job, finding in run_jobs(iter(jobs), options, docker_client)}
    assert findings.keys() == {**PASS, **NAMED}.keys()
    for name in PASS:
        with subtests.test(name):
            assert (findings[name].outcome, findings[name].error) == ("passed", None)
    for name, (_, _, text) in NAMED.items():
        with subtests.test(name):
            assert findings[name].tests_passed == 0
            assert text in (findings[name].error or {})["message"]


def test_the_page_has_every_type_that_crosses() -> None:
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
    table = page.partition("<!-- tags")[2].partition("\n\n- ")[0]
    assert [tag for tag in library.ENCODERS if f"`{tag}`" not in table] == []
    assert [kind.__name__ for kind in codec._ENCODERS if f"`{kind.__name__}`" not in table] == ["ellipsis"]
