"""What is loaded ahead of need looks, to a program, as if nothing had been loaded: each case runs with and without."""

import subprocess
import sys
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

from edittool.sandbox_images.python.boundary import preloading
from edittool.sandbox_images.python.boundary.frames import pack, unpack
from edittool.sandbox_images.python.boundary.preloading import POPULAR

# Runs each program twice as the sandbox would, in an interpreter where there is no `site`: in a process forked beside
# the shelf that offers it, and in one that does not.
HOST = """
import posix, sys
sys.path.insert(0, sys.argv[1])
from python.boundary.frames import pack, read_frame, write_all
from python.boundary.preloading import POPULAR, Shelf
del sys.path[0]
programs = read_frame(0)
before = set(sys.modules)
shelf = Shelf(POPULAR)
assert set(sys.modules) == before

def run(program, offered):
    reader, writer = posix.pipe()
    child = posix.fork()
    if child == 0:
        if offered:
            shelf.offer()
        names = {}
        try:
            exec(program, names)
            found = names["found"]()
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        write_all(writer, pack(found))
        posix._exit(0)
    posix.close(writer)
    found = read_frame(reader)
    posix.close(reader)
    posix.waitpid(child, 0)
    return found

write_all(1, pack([[run(program, False), run(program, True)] for program in programs]))
"""

# What each import brings: names, in their order, and for each module what stands in it.
LOOK = """
import sys
def found():
    modules = [module for name, module in sys.modules.items() if not name.startswith("python")]
    return [[each.__name__, sorted(vars(each)), getattr(each.__spec__, "origin", None)] for each in modules]
"""
OTHERS = "random json statistics dataclasses decimal fractions inspect collections.abc os.path re._parser copy".split()

CASES = {
    "a module that nobody has imported": "found = lambda: re",
    "what is in sys.modules": "import sys\nfound = lambda: list(sys.modules)",
    "an optional part of a package": "import importlib\nfound = lambda: hasattr(importlib, 'util')",
    "a module that is barred": """
        import sys
        sys.modules["re"] = None
        import string
        found = lambda: 1
        """,
    "a module that stands in for one": """
        import sys, types
        sys.modules["functools"] = types.SimpleNamespace(name="own")
        import functools
        found = lambda: functools.name
        """,
    "a part taken away before the whole is imported": """
        import re, sys
        old = re
        del sys.modules["re"]
        import string
        found = lambda: [sys.modules["re"] is old, string._re is old]
        """,
    "a module imported anew": """
        import heapq, sys
        old = heapq
        del sys.modules["heapq"]
        import heapq
        found = lambda: [heapq is old, heapq.heappush is old.heappush]
        """,
    "a module that is reloaded": """
        import importlib, bisect
        bisect.own = 1
        again = importlib.reload(bisect)
        found = lambda: [again is bisect, bisect.own]
        """,
    "a file of the program's own, found first": """
        import os, sys, tempfile
        folder = tempfile.mkdtemp()
        with open(f"{folder}/heapq.py", "w") as file:
            file.write("own = 1")
        sys.path.insert(0, folder)
        for name in ("heapq", "_heapq"):
            sys.modules.pop(name, None)
        import heapq
        os.unlink(f"{folder}/heapq.py"), os.rmdir(folder)
        found = lambda: getattr(heapq, "own", 0)
        """,
    "a finder of the program's own": """
        import sys
        asked = []
        class Finder:
            def find_spec(name, path=None, target=None):
                asked.append(name)
        sys.meta_path.insert(0, Finder)
        import string
        found = lambda: asked
        """,
    "no finder at all": "import sys\nsys.meta_path.clear()\nimport string\nfound = lambda: 1",
    "an import of the program's own": """
        import builtins
        asked, real = [], builtins.__import__
        def own(name, *rest):
            asked.append(name)
            return real(name, *rest)
        builtins.__import__ = own
        import string
        found = lambda: asked
        """,
    "specifications": """
        import importlib.util
        specs = [importlib.util.find_spec(name) for name in ("re", "typing", "_heapq", "heapq")]
        found = lambda: [[each.name, each.origin, type(each.loader).__name__, each.has_location] for each in specs]
        """,
    "objects of C modules": """
        import _collections, _functools, collections, functools
        found = lambda: [functools.partial is _functools.partial, collections.deque is _collections.deque]
        """,
    "classes that know each other": """
        import collections.abc, typing, enum, re
        found = lambda: [isinstance([], typing.Sequence), isinstance(re.I, enum.Flag), repr(typing.List[int]),
                         typing.Counter.__origin__ is collections.Counter]
        """,
    "what an import that fails leaves behind": """
        import sys
        try:
            import typing.no_such
        except ImportError as error:
            text = str(error)
        found = lambda: [text, "typing" in sys.modules]
        """,
}


def run_both(programs: list[str]) -> list[tuple[Any, Any]]:
    """Return what each program finds without the shelf, and with it."""
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", HOST, Path(preloading.__file__).parents[2]],
        input=pack(programs),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return [tuple(pair) for pair in unpack(ended.stdout[4:])]


def imports(*names: str) -> str:
    return "".join(f"import {name}\n" for name in names) + LOOK


def test_a_program_sees_nothing_of_what_is_loaded_ahead() -> None:
    for (what, _), (without, with_shelf) in zip(
        CASES.items(), run_both(list(map(dedent, CASES.values()))), strict=True
    ):
        assert with_shelf == without, what


def test_each_module_brings_what_its_import_brings() -> None:
    names = [*POPULAR, *OTHERS]
    for name, (without, with_shelf) in zip(names, run_both([imports(name) for name in names]), strict=True):
        assert with_shelf == without, name


def test_modules_bring_the_same_in_any_order() -> None:
    luck, names = Random(0), [*POPULAR, *OTHERS]
    orders = [luck.sample(names, 5) for _ in range(40)]
    for order, (without, with_shelf) in zip(orders, run_both([imports(*order) for order in orders]), strict=True):
        assert with_shelf == without, order


def test_no_two_programs_get_the_same_random_numbers() -> None:
    draw = "import random\nfound = lambda: random.random()"
    drawn = [number for pair in run_both([draw] * 4) for number in pair]
    assert len(set(drawn)) == len(drawn)
