"""Worlds: what is removed is gone by every way of reaching it, and nothing else is."""

from dataclasses import dataclass

import pytest

from edittool.sandbox_images.python.boundary.codec import decode
from edittool.sandbox_images.python.untrusted import removal
from edittool.sandbox_images.python.untrusted import world as world_module


@dataclass(frozen=True)
class Removed:
    """An API, a shim for it, and an expression that uses it with its value."""

    name: str
    shim: str
    value: object = None

    @property
    def change(self):
        replacement = "my_" + self.name.replace(".", "_")
        return {"deprecated": self.name, "replacement": replacement, "shim": self.shim.replace("NAME", replacement)}


SORTED = Removed("sorted", "def NAME(*, values):\n    return sorted(values)\n")
INT = Removed("int", "def NAME(x):\n    return int(x)\n")
JOIN = Removed("os.path.join", "import os\ndef NAME(parts):\n    return os.path.join(*parts)\n")
DATE = Removed("datetime.date", "import datetime\ndef NAME(*, y, m, d):\n    return datetime.date(y, m, d)\n")
PI = Removed("math.pi", "import math\ndef NAME():\n    return math.pi\n")
SQRT = Removed("math.sqrt", "import math\ndef NAME(x):\n    return math.sqrt(x)\n")
SPLIT = Removed("str.split", "def NAME(text, sep=None):\n    return text.split(sep)\n")
APPEND = Removed("list.append", "def NAME(xs, x):\n    xs.append(x)\n")
MERGE = Removed("heapq.merge", "import heapq\ndef NAME(*args):\n    return heapq.merge(*args)\n")
RE_MATCH = Removed("re.match", "import re\ndef NAME(p, s):\n    return re.match(p, s)\n")
PRINT = Removed("print", "def NAME(*, values):\n    print(*values)\n")
LEN = Removed("len", "def NAME(xs):\n    return len(xs)\n")

NAME, ATTRIBUTE, IMPORT, KEY = "NameError", "AttributeError", "ImportError", "KeyError"
NO_SORTED = "name 'sorted' is not defined"
NO_JOIN = "module 'posixpath' has no attribute 'join'"
NO_SPLIT = "'str' object has no attribute 'split'"

# What is removed, a program that reaches for it, the error and Python's own words for it.
GONE = [
    # a builtin function
    (SORTED, "sorted([1])", NAME, NO_SORTED),
    (SORTED, "f = sorted", NAME, NO_SORTED),
    (SORTED, "import builtins\nbuiltins.sorted([1])", ATTRIBUTE, "module 'builtins' has no attribute 'sorted'"),
    (SORTED, "from builtins import sorted", IMPORT, "cannot import name 'sorted' from 'builtins' (unknown location)"),
    (SORTED, "from builtins import sorted as s", IMPORT, "cannot import name 'sorted'"),
    (SORTED, "from builtins import *\nsorted([1])", NAME, NO_SORTED),
    (SORTED, "__builtins__['sorted']", KEY, "'sorted'"),
    (SORTED, "import builtins\ngetattr(builtins, 'sorted')", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "import builtins\nvars(builtins)['sorted']", KEY, "'sorted'"),
    (SORTED, "import builtins\nbuiltins.__dict__['sorted']", KEY, "'sorted'"),
    (SORTED, "import sys\nsys.modules['builtins'].sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "import sys\nsys.modules.get('builtins').sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "import sys\ndict(sys.modules.items())['builtins'].sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "import importlib\nimportlib.import_module('builtins').sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "from importlib import import_module as i\ni('builtins').sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "__import__('builtins').sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    (SORTED, "eval('sorted([1])')", NAME, NO_SORTED),
    (SORTED, "exec('sorted([1])')", NAME, NO_SORTED),
    (SORTED, "eval('sorted([1])', {})", NAME, NO_SORTED),
    (SORTED, "exec(compile('sorted([1])', 'x', 'exec'))", NAME, NO_SORTED),
    (SORTED, "(lambda: sorted([1]))()", NAME, NO_SORTED),
    (SORTED, "class C:\n    def m(self):\n        return sorted([1])\nC().m()", NAME, NO_SORTED),
    (SORTED, "[sorted(x) for x in [[1]]]", NAME, NO_SORTED),
    (SORTED, "import os\nos.sys.modules['builtins'].sorted", ATTRIBUTE, "has no attribute 'sorted'"),
    # a builtin type
    (INT, "int('1')", NAME, "name 'int' is not defined"),
    (INT, "list(map(int, ['1']))", NAME, "name 'int' is not defined"),
    (INT, "isinstance(1, int)", NAME, "name 'int' is not defined"),
    (INT, "import builtins\nbuiltins.int", ATTRIBUTE, "has no attribute 'int'"),
    (INT, "match 5:\n    case int():\n        pass", NAME, "name 'int' is not defined"),
    (INT, "class C(int):\n    pass", NAME, "name 'int' is not defined"),
    (INT, "import typing\ndef g(x: int): ...\ntyping.get_type_hints(g)", NAME, "name 'int' is not defined"),
    (INT, "async def g():\n    return int('1')\ng().send(None)", NAME, "name 'int' is not defined"),
    (INT, "def g():\n    yield int('1')\nnext(g())", NAME, "name 'int' is not defined"),
    (INT, "class C:\n    def __init_subclass__(cls):\n        int('1')\nclass D(C):\n    pass", NAME, "name 'int'"),
    (PRINT, "print(1)", NAME, "name 'print' is not defined"),
    (PRINT, "class C:\n    print(1)", NAME, "name 'print' is not defined"),
    # a module's function, and its twin in another module
    (JOIN, "import os\nos.path.join('a', 'b')", ATTRIBUTE, NO_JOIN),
    (JOIN, "import os.path\nos.path.join('a', 'b')", ATTRIBUTE, NO_JOIN),
    (JOIN, "import os.path as p\np.join('a', 'b')", ATTRIBUTE, NO_JOIN),
    (JOIN, "from os import path\npath.join('a', 'b')", ATTRIBUTE, NO_JOIN),
    (JOIN, "from os.path import join", IMPORT, "cannot import name 'join' from 'posixpath'"),
    (JOIN, "from posixpath import join", IMPORT, "cannot import name 'join' from 'posixpath'"),
    (JOIN, "import posixpath\nposixpath.join('a', 'b')", ATTRIBUTE, NO_JOIN),
    (JOIN, "from os.path import *\njoin('a', 'b')", NAME, "name 'join' is not defined"),
    (JOIN, "import importlib\nimportlib.import_module('os.path').join", ATTRIBUTE, NO_JOIN),
    (JOIN, "import sys, os\nsys.modules['posixpath'].join", ATTRIBUTE, NO_JOIN),
    (JOIN, "import sys, os\nsys.modules['os'].path.join", ATTRIBUTE, NO_JOIN),
    (JOIN, "import os\ngetattr(os.path, 'join')", ATTRIBUTE, NO_JOIN),
    (JOIN, "import os\nvars(os.path)['join']", KEY, "'join'"),
    (JOIN, "import os\nos.path.__dict__['join']", KEY, "'join'"),
    (JOIN, "import operator, os\noperator.attrgetter('path.join')(os)", ATTRIBUTE, NO_JOIN),
    (JOIN, "import operator, os\noperator.methodcaller('join', 'a', 'b')(os.path)", ATTRIBUTE, NO_JOIN),
    (JOIN, "import shutil\nshutil.os.path.join", ATTRIBUTE, NO_JOIN),
    (
        SQRT,
        "def f():\n    import math\n    return math.sqrt(4)\nf()",
        ATTRIBUTE,
        "module 'math' has no attribute 'sqrt'",
    ),
    # a class and a constant
    (DATE, "import datetime\ndatetime.date(2020, 1, 1)", ATTRIBUTE, "module 'datetime' has no attribute 'date'"),
    (DATE, "from datetime import date", IMPORT, "cannot import name 'date' from 'datetime'"),
    (PI, "import math\nmath.pi", ATTRIBUTE, "module 'math' has no attribute 'pi'"),
    (PI, "from math import pi", IMPORT, "cannot import name 'pi' from 'math'"),
    (PI, "from math import *\npi", NAME, "name 'pi' is not defined"),
    # a method of a builtin type
    (SPLIT, "'a b'.split()", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "s = 'a b'\ns.split(' ')", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "g = 'a b'.split", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "str.split('a b')", ATTRIBUTE, "type object 'str' has no attribute 'split'"),
    (SPLIT, "list(map(str.split, ['a b']))", ATTRIBUTE, "type object 'str' has no attribute 'split'"),
    (SPLIT, "getattr('a b', 'split')()", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "getattr(str, 'split')('a b')", ATTRIBUTE, "type object 'str' has no attribute 'split'"),
    (SPLIT, "import operator\noperator.methodcaller('split')('a b')", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "from operator import attrgetter\nattrgetter('split')('a b')", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "vars(str)['split']", KEY, "'split'"),
    (SPLIT, "str.__dict__['split']", KEY, "'split'"),
    (SPLIT, "getattr(str, '__dict__')['split']", KEY, "'split'"),
    (SPLIT, "import functools\nfunctools.partial(str.split, 'a b')()", ATTRIBUTE, "'str' has no attribute 'split'"),
    (SPLIT, "eval(\"'a b'.split()\")", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "exec(\"'a b'.split()\")", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "eval(compile(\"'a b'.split()\", 'x', 'eval'))", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "class T(str):\n    pass\nT('a b').split()", ATTRIBUTE, "'T' object has no attribute 'split'"),
    (SPLIT, "class T(str):\n    def s(self):\n        return super().split()\nT('a').s()", ATTRIBUTE, "'split'"),
    (SPLIT, "f'{\"a b\".split()}'", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "(lambda s=' a'.split(): s)()", ATTRIBUTE, NO_SPLIT),
    (SPLIT, "match 'a b'.split():\n    case _:\n        pass", ATTRIBUTE, NO_SPLIT),
    (APPEND, "xs = []\nxs.append(1)", ATTRIBUTE, "'list' object has no attribute 'append'"),
    (APPEND, "push = [].append", ATTRIBUTE, "'list' object has no attribute 'append'"),
]

# Programs that have to load in the world, and what their global `answer` says.
FINE = [
    (SORTED, "import builtins\nanswer = hasattr(builtins, 'sorted')", False),
    (SORTED, "import builtins\nanswer = 'sorted' in dir(builtins)", False),
    (SORTED, "answer = sorted = 5", 5),
    (SORTED, "def sorted(xs):\n    return xs\nanswer = sorted([2, 1])", [2, 1]),
    (SORTED, "xs = [2, 1]\nxs.sort()\nanswer = xs", [1, 2]),
    (SORTED, "import json\nanswer = json.dumps({'b': 1, 'a': 2}, sort_keys=True)", '{"a": 2, "b": 1}'),
    (SORTED, "import statistics\nanswer = statistics.median([3, 1, 2])", 2),
    (SORTED, "import heapq\nanswer = list(heapq.merge([1, 3], [2]))", [1, 2, 3]),
    (LEN, "import textwrap\nanswer = textwrap.dedent('  a\\n  b')", "a\nb"),
    (LEN, "import re\nanswer = re.sub('a+', 'b', 'caat')", "cbt"),
    (LEN, "import collections\nanswer = collections.Counter('aab').most_common(1)[0][0]", "a"),
    (LEN, "answer = [1, 2].__len__()", 2),
    (INT, "answer = 1 + 2", 3),
    (INT, "answer = type(5).__name__", "int"),
    (INT, "def f(x: int) -> int:\n    return x\nanswer = f(2)", 2),
    (INT, "x: int = 3\nanswer = x", 3),
    (INT, "class C:\n    x: int = 4\nanswer = C.x", 4),
    (INT, "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int = 2\nanswer = P(1).y", 2),
    (JOIN, "import os\nanswer = hasattr(os.path, 'join')", False),
    (JOIN, "import os\nanswer = 'join' in dir(os.path)", False),
    (JOIN, "import os\nanswer = getattr(os.path, 'join', 'none')", "none"),
    (JOIN, "import os\nanswer = os.path.basename('a/b')", "b"),
    (JOIN, "answer = ','.join(['a', 'b'])", "a,b"),
    (JOIN, "import os.path, posixpath, sys\nanswer = os.path is posixpath is sys.modules['os.path']", True),
    (JOIN, "from pathlib import PurePosixPath\nanswer = str(PurePosixPath('a') / 'b')", "a/b"),
    (JOIN, "import tempfile\nanswer = tempfile.gettempdir() != ''", True),
    (JOIN, "import xml.etree.ElementTree as E\nanswer = E.fromstring('<a/>').tag", "a"),
    (JOIN, "import collections.abc\nanswer = isinstance([], collections.abc.Sized)", True),
    (PI, "import math\nanswer = math.floor(math.tau)", 6),
    (PI, "import math\nanswer = hasattr(math, 'pi')", False),
    (DATE, "import datetime\nanswer = datetime.datetime(2020, 1, 2).day", 2),
    (RE_MATCH, "import re\nanswer = re.compile('a').match('a') is not None", True),
    (RE_MATCH, "import textwrap\nanswer = textwrap.shorten('a b c', 5)", "a b c"),
    (SPLIT, "answer = hasattr('', 'split')", False),
    (SPLIT, "answer = 'split' in dir('')", False),
    (SPLIT, "answer = 'split' in vars(str)", False),
    (SPLIT, "answer = getattr('', 'split', 'none')", "none"),
    (SPLIT, "answer = 'a b'.rsplit()", ["a", "b"]),
    (SPLIT, "answer = len(b'a b'.split())", 2),
    (SPLIT, "import re\nanswer = re.split(',', 'a,b')", ["a", "b"]),
    (SPLIT, "class T:\n    def split(self):\n        return 7\nanswer = T().split()", 7),
    (SPLIT, "class T(str):\n    def split(self):\n        return 7\nanswer = T('a').split()", 7),
    (SPLIT, "class T:\n    def __init__(self):\n        self.__dict__['a'] = 9\nanswer = T().a", 9),
    (SPLIT, "class T:\n    a = 9\nanswer = T.__dict__['a']", 9),
    (SPLIT, "class T:\n    pass\nt = T()\nt.split = 8\nanswer = t.split", 8),
    (SPLIT, "import shlex\nanswer = shlex.split('a b')", ["a", "b"]),
    (SPLIT, "import textwrap\nanswer = textwrap.fill('a b', 1)", "a\nb"),
    (SPLIT, "answer = eval('1 + x', {'x': 2})", 3),
    (SPLIT, "def g():\n    x = 5\n    return sum(vars().values())\nanswer = g()", 5),
    (SPLIT, "def g():\n    x = 5\n    return dir()\nanswer = g()", ["x"]),
    (SPLIT, "def g():\n    x = 5\n    return eval('x')\nanswer = g()", 5),
    (SPLIT, "exec('y = 6')\nanswer = y", 6),
    (APPEND, "import collections\nd = collections.deque()\nd.append(1)\nanswer = len(d)", 1),
    (APPEND, "import heapq\nh = []\nheapq.heappush(h, 1)\nanswer = h", [1]),
    (MERGE, "answer = list(my_heapq_merge([1, 3], [2]))", [1, 2, 3]),
    # annotations
    (SORTED, "def g(x: int) -> str: ...\nanswer = g.__annotations__['x'] is int", True),
    (SORTED, "import typing\ndef g(x: 'int'): ...\nanswer = typing.get_type_hints(g)['x'] is int", True),
    (INT, "import typing\ndef g(x: int, y: str): ...\nanswer = g.__annotations__", {"x": "int", "y": "str"}),
    (INT, "from typing import List\ndef g(x: List[int]) -> int: ...\nanswer = 1", 1),
    (INT, "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\nanswer = P(1).x", 1),
    (INT, "from typing import TypedDict\nclass P(TypedDict):\n    x: int\nanswer = P(x=1)['x']", 1),
    (SPLIT, "def g(x: str.split) -> 'str.split': ...\nanswer = g.__annotations__['x']", "str.split"),
    (SPLIT, "def g(x: dict().__class__): ...\nanswer = g.__annotations__['x'] is dict", True),
    # every kind of code
    (INT, "import enum\nclass E(enum.IntEnum):\n    A = 1\nanswer = E.A + 1", 2),
    (INT, "class M(type):\n    def __call__(cls):\n        return 5\nclass C(metaclass=M): pass\nanswer = C()", 5),
    (INT, "class B:\n    def __init_subclass__(cls):\n        cls.x = 6\nclass C(B): pass\nanswer = C.x", 6),
    (SORTED, "answer = 0\nif __name__ == '__main__':\n    answer = 1", 0),
    (SORTED, "match 5:\n    case int(x):\n        answer = x", 5),
    (SORTED, "class P:\n    __match_args__ = ('x',)\n    x = 3\nmatch P():\n    case P(y):\n        answer = y", 3),
    (SPLIT, "class P:\n    split = 3\nmatch P():\n    case P(split=y) if y == 3:\n        answer = y", 3),
    (SPLIT, "match 'a':\n    case int(n) | str(n):\n        answer = n", "a"),
    (SPLIT, "async def g():\n    return 'a'.upper()\nimport asyncio\nanswer = asyncio.run(g())", "A"),
    (SPLIT, "def g():\n    yield from 'ab'\nanswer = [x.upper() for x in g()]", ["A", "B"]),
    (SPLIT, "class T(str):\n    def __getattr__(self, n):\n        return n\nanswer = T('a').split", "split"),
    (SPLIT, "class T:\n    def __getattr__(self, n):\n        return n\nanswer = T().split", "split"),
    (SPLIT, "class T:\n    __slots__ = ('split',)\nt = T()\nt.split = 4\nanswer = t.split", 4),
    (
        SPLIT,
        "class T:\n    def split(self): return 1\nclass U(T):\n    def split(self): return super().split() + 1\n"
        "answer = U().split()",
        2,
    ),
    (SPLIT, "import string\nanswer = string.Template('$a').substitute(a=1)", "1"),
    (
        SPLIT,
        "class T:\n    def __getattribute__(self, n):\n        return object.__getattribute__(self, '_' + n)\n"
        "    _x = 8\nanswer = T().x",
        8,
    ),
    (SPLIT, "class T:\n    def __init__(self, **k):\n        self.__dict__.update(k)\nanswer = vars(T(a=1))", {"a": 1}),
    # introspection that harms nobody
    (SORTED, "def g(): pass\ng.__globals__['z'] = 4\nanswer = z", 4),
    (SORTED, "def g():\n    global z\n    z = 4\ng()\nanswer = globals()['z']", 4),
    (SORTED, "import sys\nanswer = sys._getframe().f_globals is globals()", True),
    (SORTED, "import sys\ndef g():\n    x = 3\n    return sys._getframe().f_locals\nanswer = g()", {"x": 3}),
    (SORTED, "class C:\n    def m(self): return 2\nc = C()\nanswer = c.m.__self__ is c and c.m.__func__(c)", 2),
    (SORTED, "import functools\nanswer = functools.partial(max, 3).func(1, 2)", 2),
    (SORTED, "import functools\n@functools.wraps(max)\ndef g(): pass\nanswer = g.__wrapped__(1, 2)", 2),
    (SORTED, "import collections\nanswer = collections.defaultdict(list).default_factory()", []),
    (SORTED, "class B: pass\nclass C(B): pass\nanswer = [c.__name__ for c in B.__subclasses__()]", ["C"]),
    (SORTED, "answer = [c.__name__ for c in bool.__mro__]", ["bool", "int", "object"]),
    (SORTED, "class C:\n    @property\n    def p(self): return 9\nanswer = C.p.fget(C())", 9),
    (SORTED, "class C:\n    @property\n    def p(self): return 9\nanswer = C.__dict__['p'].__get__(C())", 9),
    (
        SORTED,
        "class D:\n    def __get__(self, o, c): return 7\nclass C: d = D()\nanswer = C().d + D().__get__(1, 2)",
        14,
    ),
    (
        SORTED,
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    answer = e.__traceback__.tb_frame.f_globals is globals()",
        True,
    ),
    (SORTED, "import pickle\nanswer = pickle.loads(pickle.dumps({'a': [1, 2.5]}))", {"a": [1, 2.5]}),
    (SORTED, "import pickle\nclass C:\n    x = 1\nanswer = pickle.loads(pickle.dumps(C())).x", 1),
    (SORTED, "import inspect\ndef g(a, b=2): pass\nanswer = inspect.getfullargspec(g).args", ["a", "b"]),
    (SORTED, "import inspect\nclass C:\n    x = 1\nanswer = dict(inspect.getmembers(C()))['x']", 1),
    (SORTED, "import importlib.util\nanswer = importlib.util.find_spec('json').name", "json"),
    (SORTED, "import importlib, json\nanswer = importlib.reload(json).loads('[1]')", [1]),
    (SORTED, "import sys\nanswer = 'no_such' in sys.modules, isinstance(sys.modules, dict)", (False, True)),
    (SORTED, "import sys\nsys.modules['mine'] = sys\nimport mine\nanswer = mine is sys", True),
    (SORTED, "import builtins\nbuiltins.mine = 3\nanswer = mine", 3),
    (
        SORTED,
        "import contextlib, io, sys\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n"
        "    sys.stdout.write('x')\nanswer = b.getvalue()",
        "x",
    ),
    (SORTED, "import sys, io\nsys.stdout = io.StringIO()\nprint('x')\nanswer = sys.stdout.getvalue()", "x\n"),
    (SORTED, "import types\nanswer = types.FunctionType((lambda: max(1, 2)).__code__, {})()", 2),
    (
        SORTED,
        "import ast\nt = ast.parse('x = 1 .real')\nb = ast.dump(t)\ncompile(t, 'x', 'exec')\nanswer = ast.dump(t) == b",
        True,
    ),
    (
        SPLIT,
        "import ast\nt = ast.parse('s.split')\nb = ast.dump(t)\ncompile(t, 'x', 'exec')\nanswer = ast.dump(t) == b",
        True,
    ),
    (SORTED, "g = {}\nexec('def h(): return 3', g)\nanswer = g['h']()", 3),
    (SORTED, "g = {'__builtins__': {}}\nexec('x = 3', g)\nanswer = g['x']", 3),
    (SORTED, "def g():\n    x = 3\n    return [eval('x', globals(), locals())]\nanswer = g()", [3]),
    (SORTED, "import typing, collections\nanswer = typing.Counter('aab')['a']", 2),
    (SORTED, "import typing\nanswer = typing.get_origin(typing.List[int]) is list", True),
    (SORTED, "import doctest\nanswer = doctest.testmod(__import__('candidate')).failed", 0),
    (SORTED, "import timeit\nanswer = timeit.timeit('x + 1', setup='x = 1', number=1) >= 0", True),
    (SORTED, "import timeit\nx = 1\nanswer = timeit.timeit('x + 1', globals=globals(), number=1) >= 0", True),
    (SORTED, "import gc\ngc.collect()\nanswer = gc.isenabled()", True),
    (SORTED, "import ctypes\nanswer = ctypes.c_int32(2**31).value", -(2**31)),
    (INT, "answer = type(5) == type(6)", True),
    (INT, "answer = [type(x).__name__ for x in (1, 'a')]", ["int", "str"]),
    (INT, "answer = len({type(x) for x in (1, 2, 'a')})", 2),
    (INT, "kind = type(5)\nanswer = isinstance(6, kind)", True),
    (INT, "answer = (5).__class__.__name__", "int"),
    (INT, "class C:\n    def twin(self):\n        return self.__class__()\nanswer = C().twin().__class__ is C", True),
    (INT, "class C:\n    def twin(self):\n        return type(self)()\nanswer = type(C().twin()) is C", True),
    (INT, "import copy\nanswer = copy.deepcopy([1, {2: 3}])", [1, {2: 3}]),
]

RAISING = "def NAME(x):\n    if x < 0:\n        raise TypeError('no negative')\n    return x\n"
INNER = "def helper(x):\n    return x + 'a'\ndef NAME(x):\n    return helper(x)\n"
OWN = "def NAME(x):\n    return x + 'a'\n"

# A shim for sqrt, a program with f(), the counted calls, and the kind of its error.
CALLS = [
    (SQRT.shim, "def f():\n    return my_math_sqrt(4) + my_math_sqrt(9)", 2, None),
    (SQRT.shim, "def f():\n    return [my_math_sqrt(x) for x in (1, 4, 9)]", 3, None),
    (SQRT.shim, "def f():\n    return list(map(my_math_sqrt, (1, 4)))", 2, None),
    (SQRT.shim, "def f():\n    from builtins import my_math_sqrt as s\n    return s(4)", 1, None),
    (SQRT.shim, "def f():\n    return my_math_sqrt", 0, None),
    (SQRT.shim, "def f():\n    return my_math_sqrt()", 0, "bad_call"),
    (SQRT.shim, "def f():\n    return my_math_sqrt(1, 2)", 0, "bad_call"),
    (SQRT.shim, "def f():\n    return my_math_sqrt(number=1)", 0, "bad_call"),
    (RAISING, "def f():\n    return my_math_sqrt(-1)", 0, "bad_call"),
    (RAISING, "def f():\n    return my_math_sqrt('a')", 0, "exception"),
    (INNER, "def f():\n    return my_math_sqrt(1)", 0, "exception"),
    (OWN, "def f():\n    return my_math_sqrt(1)", 0, "exception"),
    (SQRT.shim, "def f():\n    return my_math_sqrt(-1)", 0, "exception"),
    (SQRT.shim, "def f():\n    try: my_math_sqrt(-1)\n    except ValueError: return my_math_sqrt(4)", 1, None),
    (SQRT.shim, "def f():\n    return math.sqrt(4)", 0, "missing_name"),
    (SQRT.shim, "import math\ndef f():\n    return math.sqrt(4)", 0, "missing_attribute"),
    (SQRT.shim, "def f():\n    from math import sqrt", 0, "missing_import"),
    (SQRT.shim, "def f():\n    import no_such_module", 0, "missing_import"),
    (SQRT.shim, "def f():\n    return None.split()", 0, "exception"),
    (SQRT.shim, "def f():\n    return ''.splitt()", 0, "missing_attribute"),
    (SQRT.shim, "class C: pass\ndef f():\n    return C().x", 0, "exception"),
    (SQRT.shim, "def f():\n    if 0: x = 1\n    return x", 0, "exception"),
    (SQRT.shim, "def f():\n    raise SystemExit", 0, "exit"),
    (SQRT.shim, "def f():\n    return [0] * 10**15", 0, "out_of_memory"),
    (
        SQRT.shim,
        "def f():\n    try: return [0] * 10**15\n    except MemoryError as error: raise error",
        0,
        "out_of_memory",
    ),
    (SQRT.shim, "def f():\n    raise MemoryError", 0, "exception"),  # no memory was short
    (SQRT.shim, "def f():\n    raise BlockingIOError", 0, "exception"),
    (SQRT.shim, 'def f():\n    raise RuntimeError("can\'t start new thread")', 0, "exception"),
]


@pytest.fixture(scope="module")
def replies(run_in_worlds):
    """Run every program of this module in its world and return the replies by change and program."""
    jobs = [{"changes": [removed.change], "program": program, "call": False} for removed, program, *_ in GONE]
    jobs += [
        {"changes": [removed.change], "program": f"{program}\ndef f():\n    return answer", "call": True}
        for removed, program, _ in FINE
    ]
    jobs += [
        {"changes": [Removed("math.sqrt", shim).change], "program": program, "call": True}
        for shim, program, *_ in CALLS
    ]
    found = run_in_worlds(jobs)
    fine = slice(len(GONE), -len(CALLS))
    watched = run_in_worlds([job | {"run": "watched"} for job in jobs[fine]])
    return {"gone": found[: len(GONE)], "fine": found[fine], "watched": watched, "calls": found[-len(CALLS) :]}


def named(rows):
    return [f"{row[0].name}: {row[1]}" if isinstance(row[0], Removed) else row[1] for row in rows]


@pytest.mark.parametrize("number", range(len(GONE)), ids=named(GONE))
def test_what_is_removed_is_gone(replies, number):
    _, program, kind, message = GONE[number]
    reply = replies["gone"][number]
    assert "error" in reply, f"{program!r} still reaches it"
    assert reply["error"]["type"] == kind, reply["error"]
    assert message in reply["error"]["message"]
    assert reply["stage"] == "load"


@pytest.mark.parametrize("number", range(len(FINE)), ids=named(FINE))
def test_everything_else_is_as_ever(replies, number):
    reply = replies["fine"][number]
    assert "error" not in reply, reply["error"]
    assert decode(reply["value"], lambda handle: None) == FINE[number][2]
    assert reply["bypass"] == []


def test_nobody_who_is_watched_is_taken_for_one_who_reached_what_is_removed(replies):
    wrong = {}
    for (removed, program, value), reply in zip(FINE, replies["watched"], strict=True):
        found = "error" in reply or decode(reply["value"], lambda handle: None)
        if reply["bypass"] or found != value:
            wrong[f"{removed.name}: {program}"] = reply
    assert wrong == {}


@pytest.mark.parametrize("number", range(len(CALLS)), ids=named(CALLS))
def test_calls_are_counted_and_errors_sorted(replies, number):
    _, _, calls, kind = CALLS[number]
    reply = replies["calls"][number]
    assert reply["calls"] == {"my_math_sqrt": calls}
    assert reply.get("error", {}).get("kind") == kind, reply


def test_the_name_of_an_api_leads_to_its_owner():
    import math
    import posixpath

    assert removal.resolve_owner("math.sqrt") == (math, "sqrt")
    assert removal.resolve_owner("os.path.join") == (posixpath, "join")
    assert removal.resolve_owner("str.split") == (str, "split")


@pytest.mark.parametrize(
    "name", ["no_such_name", "math.no_such_name", "no_module.name", "str.no_such_method", "math.pi.x"]
)
def test_an_api_that_does_not_exist_is_refused(name):
    with pytest.raises(LookupError, match=name):
        removal.resolve_owner(name)


def test_a_world_without_changes_has_every_builtin():
    import builtins

    world = world_module.World([])
    assert {name for name in vars(builtins) if name not in world.builtins} == set()
    assert world.builtins["__import__"] is builtins.__import__
