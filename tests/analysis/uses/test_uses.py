import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.uses.uses import find_uses, read_program

from ..hostile import HOSTILE

ASKED = (
    "len",
    "print",
    "math.sqrt",
    "math.pi",
    "os.path.join",
    "collections.Counter",
    "collections.Counter.most_common",
    "dict.items",
    "str.split",
    "my_builtin_len",
)


def uses(program):
    return [f"{use.name} {use.kind} {use.line}" for use in find_uses(program, ASKED)]


NO_USES = {
    "another name": "length(x)\nlen_(x)\nsqrt(2)",
    "string": "x = 'len(x)'\ny = '''\nmath.sqrt(2)\n'''",
    "f-string text": "x = f'len(x) {y}'",
    "comment": "# len(x)\nx = 1  # math.sqrt(2)",
    "docstring": 'def f(x):\n    """Use len(x) and my_builtin_len(x)."""',
    "keyword argument": "f(len=3)",
    "annotations": "def f(x: len, *y: len) -> len:\n    z: len = 3\n    w: len",
    "attribute of that name": "x.len(3)\nx.sqrt(2)\nself.pi",
    "another module's function": "import cmath, numpy\ncmath.sqrt(2)\nnumpy.split(x)\nimport re\nre.split('a', x)",
    "import of the module alone": "import math\nmath.cos(math.e)\nfrom math import cos",
    "relative import": "from .math import sqrt\nsqrt(2)\nfrom . import os\nos.path.join(a)",
    "alias of another": "import cmath as math\nmath.sqrt(2)",
    "method of another type": "[1].split()\n(1, 2).items()\nb'a b'.split()",
    "star import without the name": "from cmath import *\nfrom string import *\npi_ = 1",
    "getattr of another": "getattr(math, 'cos')(1)\ngetattr(x, name)\ngetattr(math, f'sqr{t}')",
    "empty": "",
    "shadowed module": "def f(math):\n    return math.sqrt(2)",
    "stored attribute of another": "import numpy\nnumpy.sqrt = 3",
    "unparsed attribute": "def f(x:\n  x.len",
    "text that is not evaluated": "f('len(x)')\neval(code)\neval(f'len({x})')\neval(3, 'len(x)')",
    "own eval": "def eval(x): pass\neval('len(x)')",
    "attributes of own getters": "def attrgetter(x): pass\nattrgetter('split')",
}


@pytest.mark.parametrize("program", NO_USES.values(), ids=NO_USES)
def test_finds_nothing(program):
    assert uses(program) == []


SHADOWED = {
    "parameter": ("def f(len):\n    return len(3)", ["len definition 1"]),
    "default is outside": ("def f(len=len):\n    return len(3)", ["len definition 1", "len value 1"]),
    "lambda parameter": ("g = lambda len: len(3)", ["len definition 1"]),
    "starred parameter": ("def f(*len, **print):\n    len(3)", ["len definition 1", "print definition 1"]),
    "assignment": ("def f():\n    len = 3\n    return len(2)", ["len definition 2"]),
    "local bound later": ("def f():\n    len(2)\n    len = 3", ["len definition 3"]),
    "augmented": ("def f():\n    len += 1", ["len definition 2"]),
    "unpacking": ("(a, (len, *print)) = x\nlen(2)", ["len definition 1", "print definition 1"]),
    "loop": ("def f():\n    for len in len(xs): len(2)", ["len definition 2"]),
    "with": ("with x as (len, y):\n    len(2)", ["len definition 1"]),
    "except": ("try:\n    pass\nexcept E as len:\n    len(2)", ["len definition 3"]),
    "walrus": ("if (len := 3):\n    len(2)", ["len definition 1"]),
    "def": ("def len(x):\n    return len(x)", ["len definition 1"]),
    "class": ("class len: pass\nlen(2)", ["len definition 1"]),
    "import": ("from numpy import len\nlen(2)", ["len definition 1"]),
    "import as": ("import numpy as len\nlen(2)", ["len definition 1"]),
    "capture": ("match v:\n    case [len, *print]:\n        len(2)", ["len definition 2", "print definition 2"]),
    "global": ("def f():\n    global len\n    len = 3\n\nlen(2)", ["len definition 3"]),
    "nonlocal": (
        "def f():\n  len = 1\n  def g():\n    nonlocal len\n    len = 2\n  def h(): return len(3)",
        ["len definition 2", "len definition 5"],
    ),
    "closure": ("def f(len):\n  def g():\n    return len(3)", ["len definition 1"]),
    "comprehension inside only": (
        "[len(1) for len in len(xs)]\nlen(2)",
        ["len definition 1", "len call 1", "len call 2"],
    ),
    "comprehension's later iterable": ("[1 for len in xs for y in len(2)]", ["len definition 1"]),
    "class body, not its methods": (
        "class A:\n    len = 3\n    x = len(1)\n    def f(self): return len(2)",
        ["len definition 2", "len call 4"],
    ),
    "module body before the binding": ("len(2)\nlen = 3\nlen(2)", ["len call 1", "len definition 2"]),
    "only in one function": ("def f(len): pass\ndef g(): return len(2)", ["len definition 1", "len call 2"]),
    "binding itself is no definition": ("len = len\nlen(2)", ["len value 1", "len call 2"]),
    "global skips the enclosing function": (
        "def f(len):\n  def g():\n    global len\n    return len(3)",
        ["len definition 1", "len call 4"],
    ),
    "attribute of the module": (
        "import math\nmath.sqrt = f\nsetattr(math, 'pi', 3)",
        ["math.sqrt definition 2", "math.pi definition 3"],
    ),
}


@pytest.mark.parametrize(("program", "expected"), SHADOWED.values(), ids=SHADOWED)
def test_respects_scopes(program, expected):
    assert uses(program) == expected


FOUND = {
    "call": ("x = 1\nlen(x)", ["len call 2"]),
    "value": ("map(len, xs)\nsorted(xs, key=len)", ["len value 1", "len value 2"]),
    "nested calls": ("len(f(len(x)))", ["len call 1", "len call 1"]),
    "in an f-string": ("f'{len(x)!r:>{len(y)}}'", ["len call 1", "len call 1"]),
    "decorator": ("@len\ndef f(): pass", ["len call 1"]),
    "attribute of it": ("len.__name__", ["len value 1"]),
    "default value": ("def f(x=len(y)): pass", ["len call 1"]),
    "base class": (
        "from collections import Counter\nclass A(Counter): pass",
        ["collections.Counter import 1", "collections.Counter value 2"],
    ),
    "deleted item": ("del x[len(x)]", ["len call 1"]),
    "target's subscript": ("x[len(x)] = 3\nx[len(x)] += 1", ["len call 1", "len call 2"]),
    "inside a lambda": ("f = lambda x: len(x)", ["len call 1"]),
    "parentheses": ("(len)(x)", ["len call 1"]),
    "module": ("import math\nmath.sqrt(math.pi)", ["math.sqrt call 2", "math.pi value 2"]),
    "module as": ("import math as m\nm.sqrt(2)", ["math.sqrt call 2"]),
    "name as": ("from math import sqrt as s\ns(2)", ["math.sqrt import 1", "math.sqrt call 2"]),
    "multi-line import": ("from math import (\n    cos,\n    sqrt,\n)", ["math.sqrt import 3"]),
    "import in a function": ("def f():\n  import math\n  return math.sqrt(2)", ["math.sqrt call 3"]),
    "submodule": ("import os\nos.path.join(a)", ["os.path.join call 2"]),
    "submodule import": ("import os.path\nos.path.join(a)", ["os.path.join call 2"]),
    "submodule as": ("import os.path as p\np.join(a)", ["os.path.join call 2"]),
    "submodule from": ("from os import path\npath.join", ["os.path.join value 2"]),
    "name from a submodule": ("from os.path import join\njoin(a)", ["os.path.join import 1", "os.path.join call 2"]),
    "twin module": ("import posixpath\nposixpath.join(a)", ["os.path.join call 2"]),
    "star": ("from math import *\nsqrt(pi)", ["math.sqrt call 2", "math.pi value 2"]),
    "module never imported": ("math.sqrt(2)", ["math.sqrt call 1"]),
    "alias": ("f = len\nf(x)", ["len value 1", "len call 2"]),
    "alias of an alias": (
        "import math\nf = math.sqrt\ng = f\ng(2)",
        ["math.sqrt value 2", "math.sqrt value 3", "math.sqrt call 4"],
    ),
    "alias of a module": ("import math\nm = math\nm.sqrt(2)", ["math.sqrt call 3"]),
    "unpacked alias": ("f, g = len, 3\nf(x)\ng(x)", ["len value 1", "len call 2"]),
    "alias seen in a function": ("f = len\ndef g(x): return f(x)", ["len value 1", "len call 2"]),
    "fallback import": (
        "try:\n  from math import sqrt\nexcept ImportError:\n  def sqrt(x): pass\nsqrt(2)",
        ["math.sqrt import 2", "math.sqrt call 5"],
    ),
    "builtins": (
        "import builtins\nbuiltins.len(x)\n__builtins__.len\n__builtins__['len'](x)",
        ["len call 2", "len value 3", "len call 4"],
    ),
    "from builtins": ("from builtins import len as n\nn(x)", ["len import 1", "len call 2"]),
    "getattr": (
        "import math\ngetattr(math, 'sqrt')(2)\nf = getattr(math, 'pi')",
        ["math.sqrt call 2", "math.pi value 3"],
    ),
    "vars and __dict__": (
        "import math\nvars(math)['sqrt'](2)\nmath.__dict__['pi']",
        ["math.sqrt call 2", "math.pi value 3"],
    ),
    "importers": (
        "__import__('math').sqrt(2)\nimport importlib\nimportlib.import_module('os.path').join(a)",
        ["math.sqrt call 1", "os.path.join call 3"],
    ),
    "eval": ("x = 1\neval('len(x)')\neval('map(len, y)')", ["len call 2", "len value 3"]),
    "exec with escapes": ("exec('import math\\nprint(math.sqrt(2))')", ["print call 1", "math.sqrt call 1"]),
    "compile": ("eval(compile('len(x)', 'f', 'eval'))", ["len call 1"]),
    "evaluated where names are known": (
        "import math as m\ndef f(len):\n  return eval('len(m.pi)')",
        ["len definition 2", "math.pi value 3"],
    ),
    "eval in eval": ("eval('eval(\"len(x)\")')", ["len call 1"]),
    "binding in a text": ("exec('def len(x): pass')", ["len definition 1"]),
    "deleted": ("import math\ndel math.pi", ["math.pi definition 2"]),
    "dotted pattern": ("match v:\n    case math.pi: pass", ["math.pi value 2"]),
    "print of Python 2": ("print 'a'", ["print call 1"]),
    "normalised identifier": ("\uff4cen(x)", ["len call 1"]),
    "carriage returns": ("x = 1\r\ny = 2\rlen(x)", ["len call 3"]),
    "surrogates": ("x = '\ud800'\nlen(x)", ["len call 2"]),
    "shim": ("my_builtin_len(x)\nf(my_builtin_len)", ["my_builtin_len call 1", "my_builtin_len value 2"]),
    "shim in the wrong place": (
        "import math\nmath.my_builtin_len(x)\nx.my_builtin_len()",
        ["my_builtin_len call 2", "my_builtin_len attribute 3"],
    ),
    "shim imported": (
        "from tools import my_builtin_len\nmy_builtin_len(x)",
        ["my_builtin_len import 1", "my_builtin_len call 2"],
    ),
}


@pytest.mark.parametrize(("program", "expected"), FOUND.values(), ids=FOUND)
def test_finds(program, expected):
    assert uses(program) == expected


METHODS = {
    "unknown": ("def f(x):\n    return x.split()", ["str.split attribute 2"]),
    "item": ("x[0].split()\n[a][0].split()", ["str.split attribute 1", "str.split attribute 2"]),
    "mixed": ("x = 'a'\nx = f()\nx.split()", ["str.split attribute 3"]),
    "another scope's parameter": ("x = 'a'\ndef f(x): x.split()", ["str.split attribute 2"]),
    "literal": (
        "'a b'.split()\n'a' 'b'.split()\n('a' + b).split()",
        ["str.split call 1", "str.split call 2", "str.split call 3"],
    ),
    "f-string": ("f'{x}'.split()", ["str.split call 1"]),
    "str()": ("str(x).split()\ninput().split()", ["str.split call 1", "str.split call 2"]),
    "chained": ("'a'.strip().split()\n'a'.split().split()", ["str.split call 1", "str.split call 2"]),
    "class": ("str.split('a b')\nmap(str.split, xs)", ["str.split call 1", "str.split value 2"]),
    "literal in a name": ("x = 'a'\nx += 'b'\nf = x.split", ["str.split value 3"]),
    "name of an outer scope": ("x = 'a'\ndef f(): return x.split()", ["str.split call 2"]),
    "own str": ("def str(x): return x\nstr(1).split()", ["str.split attribute 2"]),
    "dict": (
        "{}.items()\n{k: v for k, v in x}.items()\ndict(x).items()",
        ["dict.items call 1", "dict.items call 2", "dict.items call 3"],
    ),
    "subclass": ("import collections\ncollections.defaultdict(list).items()", ["dict.items call 2"]),
    "subclass with a method of its own": ("import collections\ncollections.OrderedDict().items()", []),
    "class of a module": (
        "from collections import Counter as C\nC(x).most_common(1)\nc = C(x)\nc.items()",
        [
            "collections.Counter import 1",
            "collections.Counter call 2",
            "collections.Counter.most_common call 2",
            "collections.Counter call 3",
            "dict.items call 4",
        ],
    ),
    "constant of a module": ("import string\nstring.digits.split()", ["str.split call 2"]),
    "getattr": ("getattr(x, 'split')()\ngetattr('a', 'split')()", ["str.split attribute 1", "str.split call 2"]),
    "getters": (
        "import operator as o\no.methodcaller('split', ',')\nfrom operator import attrgetter as g\ng('a.items')",
        ["str.split attribute 2", "dict.items attribute 4"],
    ),
    "loop over a string": ("for c in 'abc': c.split()", ["str.split call 1"]),
    "annotated parameter": ("def f(s: str): return s.split()", ["str.split call 1"]),
    "a shim is no method": ("'a'.my_builtin_len()", ["my_builtin_len attribute 1"]),
    "a shim is no method of a class": ("str.my_builtin_len('a')", ["my_builtin_len attribute 1"]),
}


@pytest.mark.parametrize(("program", "expected"), METHODS.values(), ids=METHODS)
def test_tells_certain_receivers_from_unknown_ones(program, expected):
    assert uses(program) == expected


BROKEN = {
    "unclosed call": ("def f(x):\n    return len(x", ["len call 2"]),
    "unclosed list": ("def f(x):\n    return [len(y) for y in x if math.sqrt(", ["len call 2", "math.sqrt call 2"]),
    "unclosed def": ("def len(x", ["len definition 1"]),
    "statement after garbage": ("if x ==:\n    pass\ny = len(x)", ["len call 3"]),
    "bad indent": ("def f(x):\nreturn len(x)", ["len call 2"]),
    "cut in a string": ("n = len(x)\ny = 'abc", ["len call 1"]),
    "markdown": ("n = len(x)\n```\nThe end.", ["len call 1"]),
}


@pytest.mark.parametrize(("program", "expected"), BROKEN.values(), ids=BROKEN)
def test_reads_programs_that_do_not_parse(program, expected):
    assert uses(program) == expected


REDEFINED = {
    "never": ("my_builtin_len(x)", False),
    "local elsewhere": ("def f():\n  my_builtin_len = 3\ndef g(): return my_builtin_len(x)", False),
    "parameter": ("def f(my_builtin_len):\n  return my_builtin_len(x)", False),
    "method": ("class A:\n  def my_builtin_len(self): pass\nmy_builtin_len(x)", False),
    "wrong import": ("from tools import my_builtin_len", False),
    "attribute of something else": ("x.my_builtin_len = 3\nself.my_builtin_len = 3", False),
    "itself": ("my_builtin_len = my_builtin_len", False),
    "module": ("def my_builtin_len(x): pass", True),
    "conditional": ("if x:\n  my_builtin_len = len", True),
    "global": ("def f():\n  global my_builtin_len\n  my_builtin_len = len", True),
    "renamed import": ("from math import sqrt as my_builtin_len", True),
    "local that is called": ("def f():\n  def my_builtin_len(x): pass\n  return my_builtin_len(x)", True),
    "stored in builtins": ("import builtins\nbuiltins.my_builtin_len = len", True),
}


@pytest.mark.parametrize(("program", "expected"), REDEFINED.values(), ids=REDEFINED)
def test_tells_redefinitions_that_reach_a_reference(program, expected):
    assert ("my_builtin_len" in read_program(program, ASKED).redefined) is expected


ALWAYS = {
    "function": ("def f(): len(x)", False),
    "branch": ("if x:\n  len(x)", False),
    "short circuit": ("x and len(x)", False),
    "loop body": ("for y in x: len(y)", False),
    "value": ("f = len", False),
    "module": ("x = [len(y)]", True),
    "loop's iterable": ("for y in range(len(x)): pass", True),
    "default": ("def f(x=len(y)): pass", True),
    "class body": ("class A:\n  x = len(y)", True),
}


@pytest.mark.parametrize(("program", "expected"), ALWAYS.values(), ids=ALWAYS)
def test_tells_calls_that_run_on_loading(program, expected):
    assert ("len" in read_program(program, ASKED).always_called) is expected


@pytest.mark.parametrize("program", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(20)
def test_ends_on_hostile_programs(program):
    assert all(use.name in ASKED for use in find_uses(program, ASKED))


WORDS = """
    len math . sqrt ( ) [ ] { } , : = := == def f class A lambda x for in if else import from as * ** @ # ' " \"\"\" f'
    \\ global nonlocal try except with match case del print return yield await async _ 1 é
"""
FRAGMENTS = st.sampled_from([*WORDS.split(), "\n", "\n    ", "\t", "\0", "\ud800"])


@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=60).map(" ".join)))
def test_any_text_is_read(program):
    lines = program.count("\n") + program.count("\r") + 1
    assert all(1 <= use.line <= lines for use in find_uses(program, ASKED))


IDENTIFIERS = st.from_regex(r"v_[a-z]{1,5}", fullmatch=True)
TEMPLATES = (
    "def f(NAME):\n    return len(NAME.split())",
    "import math\ndef f():\n    NAME = math.sqrt\n    return NAME(2), [len(NAME) for NAME in x]",
    "NAME = 'a'\nfor i in NAME.split():\n    NAME += i\nNAME.split()",
    "class A:\n    NAME = len\n    def f(self): return NAME(3)",
    "def f(x):\n    global NAME\n    with x as NAME: NAME.items(",
)


@given(IDENTIFIERS, IDENTIFIERS, st.sampled_from(TEMPLATES))
def test_renaming_a_variable_changes_no_use(first, second, template):
    assert uses(template.replace("NAME", first)) == uses(template.replace("NAME", second))


def test_uses_come_in_source_order_under_the_names_asked_for():
    found = find_uses("import posixpath\nposixpath.join(a)\nlen(x)", ["posixpath.join", "builtins.len"])
    assert [(use.name, use.line) for use in found] == [("posixpath.join", 2), ("builtins.len", 3)]
