import ast
import builtins
import json
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edittool.analysis.uses.references import TRACE, Instrumented, instrument, read_references

from ..hostile import HOSTILE


def text(node):
    return node and node.text.decode()


def found(program, receivers=None):
    """Each reference as `api role node`, and `@receiver` where it has one."""
    return [
        " ".join([reference.api, reference.role, text(reference.node)])
        + (f" @{text(reference.receiver)}" if reference.receiver else "")
        for reference in read_references(program, receivers).found
    ]


def doubts(program, receivers=None):
    return [
        (doubt.attribute, text(doubt.node), sorted(doubt.candidates), doubt.ran)
        for doubt in read_references(program, receivers).doubts
    ]


NOTHING = {
    "empty": "",
    "own names": "def f(x): return x + 1\nf(3)",
    "annotations": "def f(x: int, y: 'str' = 3) -> list: z: dict = x\ndef g(a: int) -> str: pass",
    "strings and comments": "x = 'len(y)'  # len(y)\n'''str.split'''",
    "f-string text": "x = 3\nf'len(x) {x}'",
    "shadowed": "def f(len): return len(3)\ndef sum(x): return x\nsum([1])",
    "a module alone": "import math, os.path as p, numpy as np\nx = math, np, p\nfrom os import path\npath",
    "a module's attribute that does not exist": "import math\nmath.squareroot(2)\nfrom fractions import gcd",
    "a method that the class lacks": "'a'.append(3)\n[].split()\n{}.add(1)",
    "attribute of an own class": "class A: pass\nA.x = 3",
    "stored": "import math\nmath.pi = 3\ndel math.e\nx = 1\nx.real = 3",
    "keyword": "f(len=3)",
    "module never imported": "math.sqrt(2)",
    "relative import": "from .math import sqrt\nfrom . import os\nsqrt(2)",
    "other name": "leng(x)",
}


@pytest.mark.parametrize("program", NOTHING.values(), ids=NOTHING)
def test_refers_to_nothing(program):
    assert found(program) == []


FOUND = {
    "call": ("len(x)", ["len call len"]),
    "value": ("map(len, x)", ["map call map", "len value len"]),
    "parentheses": ("(len)(x)", ["len call len"]),
    "nested": ("len(sorted(x))", ["len call len", "sorted call sorted"]),
    "f-string": ("f'{len(x)!r:>{abs(y)}}'", ["len call len", "abs call abs"]),
    "decorators": (
        "import functools\n@functools.wraps(g)\n@staticmethod\ndef f(): pass",
        ["functools.wraps call functools.wraps", "staticmethod value staticmethod"],
    ),
    "base class": ("class A(dict): pass", ["dict value dict"]),
    "default": ("def f(x=len): pass", ["len value len"]),
    "exceptions": ("try:\n  x\nexcept ValueError as e:\n  raise", ["ValueError value ValueError"]),
    "type test": ("isinstance(x, (int, str))", ["isinstance call isinstance", "int value int", "str value str"]),
    "module function": ("import math\nmath.sqrt(2)", ["math.sqrt call math.sqrt"]),
    "module as": ("import math as m\nm.sqrt(m.pi)", ["math.sqrt call m.sqrt", "math.pi value m.pi"]),
    "alias of a module": ("import math\nm = math\nm.sqrt(2)", ["math.sqrt call m.sqrt"]),
    "submodule": ("import os\nos.path.join(a)", ["os.path.join call os.path.join"]),
    "twin": ("import posixpath\nposixpath.join(a)", ["os.path.join call posixpath.join"]),
    "from-import": ("from math import sqrt\nsqrt(2)", ["math.sqrt import sqrt", "math.sqrt call sqrt"]),
    "from-import as": (
        "from math import cos, sqrt as s\ns(2)",
        ["math.cos import cos", "math.sqrt import sqrt as s", "math.sqrt call s"],
    ),
    "import in a function": ("def f():\n  from math import pi\n  return pi", ["math.pi import pi", "math.pi value pi"]),
    "module from a package": ("from os import path\npath.join(a)", ["os.path.join call path.join"]),
    "star import": ("from math import *\nsqrt(pi)", ["math.sqrt call sqrt", "math.pi value pi"]),
    "builtins": ("import builtins\nbuiltins.len(x)", ["len call builtins.len"]),
    "a name the program gives is no reference": (
        "f = len\nf(x)\ng = [].append\ng(1)",
        ["len value len", "list.append value [].append @[]"],
    ),
    "own value of a removed name": ("n = len(x)\nlen = 3\nprint(len)", ["len call len", "print call print"]),
    "typing": ("from typing import List\nx: List[int] = []", ["typing.List import List"]),
    "third party": (
        "import numpy as np\nfrom numpy import array\nnp.linalg.norm(array(x))\nnp.Array.sum",
        [
            "numpy.array import array",
            "numpy.linalg.norm call np.linalg.norm",
            "numpy.array call array",
            "numpy.Array value np.Array",
            "numpy.Array.sum value np.Array.sum",
        ],
    ),
    "constant's own attribute": (
        "import math\nmath.pi.is_integer()",
        ["math.pi value math.pi", "float.is_integer call math.pi.is_integer @math.pi"],
    ),
    "class and its method": (
        "str.split('a b')\nmap(str.upper, x)",
        ["str value str", "str.split call str.split", "map call map", "str value str", "str.upper value str.upper"],
    ),
    "class method": (
        "dict.fromkeys(x)\nint.from_bytes(b)",
        ["dict value dict", "dict.fromkeys call dict.fromkeys", "int value int", "int.from_bytes call int.from_bytes"],
    ),
    "class method of a module's class": (
        "import itertools\nitertools.chain.from_iterable(x)",
        [
            "itertools.chain value itertools.chain",
            "itertools.chain.from_iterable call itertools.chain.from_iterable",
        ],
    ),
    "inherited class method": (
        "from datetime import datetime\ndatetime.today()",
        [
            "datetime.datetime import datetime",
            "datetime.datetime value datetime",
            "datetime.date.today call datetime.today",
        ],
    ),
    "pattern": (
        "import math\nmatch v:\n  case math.pi: pass\n  case str(): pass",
        ["math.pi value math.pi", "str value str"],
    ),
    "getattr": (
        "import math\ngetattr(math, 'sqrt')(2)",
        ["getattr call getattr", "math.sqrt call getattr(math, 'sqrt')"],
    ),
    "method with two underscores": (
        "map(list.__add__, x)",
        ["map call map", "list value list", "list.__add__ value list.__add__"],
    ),
    "carriage returns": ("x = 1\r\nlen(x)\r", ["len call len"]),
    "not ASCII": ("é = 'ü'\nlen(é)", ["len call len"]),
}


@pytest.mark.parametrize(("program", "expected"), FOUND.values(), ids=FOUND)
def test_refers(program, expected):
    assert sorted(found(program)) == sorted(expected)


def test_references_come_in_source_order_with_places_in_the_source():
    references = read_references("é = 1\r\nx = len(sorted(y))\r\nimport math\r\nmath.pi")
    places = [(reference.node.start_byte, reference.node.end_byte) for reference in references.found]
    assert [references.source[start:end] for start, end in places] == [b"len", b"sorted", b"math.pi"]
    assert references.root.end_byte == len(references.source)


def test_a_call_is_the_node_that_calls():
    references = read_references("xs = []\nxs.append(len(ys))\nmap(len, xs)").found
    calls = {(reference.api, text(reference.call)) for reference in references}
    assert calls == {
        ("list.append", "xs.append(len(ys))"),
        ("len", "len(ys)"),
        ("map", "map(len, xs)"),
        ("len", None),
    }


def test_names_bound_anywhere_are_told():
    program = """
import os.path as p, re
from math import *
def f(a, *b, c=1, **d):
    global e
    e = [g for g in (h := 3)]
    with a as (i, j): lambda k: 1
    for m in a: n.o = 3
    try: pass
    except E as q: pass
    match a:
        case [r, *s]: pass
class T:
    u = 1
"""
    assert read_references(program).bound == set("p re f a b c d e g h i j k m q r s T u".split())


RECEIVERS = {
    "literals": ("'a'.split(), [].append(1), {}.items(), {1}.add(2), (1,).index(1), b''.decode()", [
        "str.split", "list.append", "dict.items", "set.add", "tuple.index", "bytes.decode"
    ]),
    "results": ("str(x).split()\nsorted(x).sort()\nlist(x).append(1)\nset(x).add(1)\n'a'.encode().decode()", [
        "str.split", "list.sort", "list.append", "set.add", "str.encode", "bytes.decode"
    ]),
    "for over a string": ("s = 'abc'\nfor c in s: c.upper()", ["str.upper"]),
    "for over a split": ("for w in 'a b'.split(): w.upper()", ["str.split", "str.upper"]),
    "comprehension": ("[w.upper() for w in 'a b'.split()]", ["str.upper", "str.split"]),
    "comprehension in a comprehension": ("[c.upper() for w in 'a b'.split() for c in w]", ["str.upper", "str.split"]),
    "unpacking": ("a, b = 'a b'.split()\na.upper()", ["str.split", "str.upper"]),
    "slices and items": ("'abc'[1:].upper()\n'abc'[0].upper()\n[1][::2].append(3)\n'a b'.split()[0].upper()", [
        "str.upper", "str.upper", "list.append", "str.split", "str.upper"
    ]),
    "operators": ("('%d' % x).split()\n(x + 'a').split()\n([0] * n).append(1)\n({1} | {2}).add(3)", [
        "str.split", "str.split", "list.append", "set.add"
    ]),
    "choices": ("('a' if x else 'b').split()\n('a' or 'b').split()\n(s := 'a').split()\ns.split()", ["str.split"] * 4),
    "annotations": (
        "from typing import List, Optional\n"
        "def f(s: str, xs: List[str], d: dict, o: Optional[str] = None, n: list[int] = []):\n"
        "    s.split(), d.items(), o.split(), n.append(1)\n"
        "    for x in xs: x.upper()",
        ["str.split", "dict.items", "str.split", "list.append", "str.upper"],
    ),
    "None first": ("x = None\nx = 'a'\nx.split()", ["str.split"]),
    "subclass": ("from collections import Counter\nc = Counter(x)\nc.items(), c.most_common()", [
        "dict.items", "collections.Counter.most_common"
    ]),
    "match": ("import re\nm = re.match(a, b)\nm.group(1)\n[m.start() for m in re.finditer(a, b)]", [
        "re.Match.group", "re.Match.start"
    ]),
    "getattr": ("getattr('a', 'split')()", ["str.split"]),
}  # fmt: skip


@pytest.mark.parametrize(("program", "expected"), RECEIVERS.values(), ids=RECEIVERS)
def test_infers_the_class_of_a_method(program, expected):
    methods = [reference.api for reference in read_references(program).found if reference.receiver]
    assert methods == expected
    assert doubts(program) == []


DOUBTS = {
    "parameter": ("def f(x): x.split()", [("split", "x.split", [], False)]),
    "item of an own list": ("xs = 'a b'.split()\nxs[0].upper()", [("upper", "xs[0].upper", [], False)]),
    "several classes": ("x = 'a'\nif y: x = b'a'\nx.split()", [("split", "x.split", ["bytes", "str"], False)]),
    "known and unknown": ("x = 'a'\nx = f()\nx.split()", [("split", "x.split", [], False)]),
    "subclass": ("x = {}\nif y: x = Counter()\nx.items()\nfrom collections import *\nif y: x = OrderedDict()", [
        ("items", "x.items", ["collections.OrderedDict", "dict"], False)
    ]),
    "changed in a loop": ("x = 'a'\nwhile z:\n  y = x\n  x = []\ny.count(1)", [
        ("count", "y.count", ["list", "str"], False)
    ]),
    "float that may be an int": ("def f(x: float): x.is_integer()", [("is_integer", "x.is_integer", [], False)]),
    "value of the host": ("import sys\nsys.stdin.read()", [("read", "sys.stdin.read", [], False)]),
    "super": ("class A(list):\n  def f(self): super().append(1)", [("append", "super().append", [], False)]),
    "getattr": ("getattr(x, 'split')()", [("split", "getattr(x, 'split')", [], False)]),
    "getter": (
        "import operator\noperator.methodcaller('split', ',')\nfrom operator import attrgetter as g\ng('a.b')",
        [
            ("split", "operator.methodcaller('split', ',')", [], False),
            ("a", "g('a.b')", [], False),
            ("b", "g('a.b')", [], False),
        ],
    ),
    "only one class has it": ("x = 'a'\nif y: x = []\nx.append(1)", []),
    "the same method of both": (
        "from collections import *\nx = {}\nif y: x = defaultdict(list)\nx.items()", []
    ),
    "two underscores": ("x.__class__, x.__dict__", []),
    "stored": ("x.a = 1\ndel x.b", []),
}  # fmt: skip


@pytest.mark.parametrize(("program", "expected"), DOUBTS.values(), ids=DOUBTS)
def test_doubts_where_it_is_not_certain(program, expected):
    assert doubts(program) == expected


PROGRAM = "def f(x):\n    return x.pop"
POP = PROGRAM.index("pop")

SEEN = {
    "a class": ({"list"}, ["list.pop value x.pop @x"], []),
    "a class of the library": ({"collections.deque"}, ["collections.deque.pop value x.pop @x"], []),
    "an inner name of it": ({"_collections.deque"}, ["collections.deque.pop value x.pop @x"], []),
    "a subclass": ({"collections.Counter"}, ["dict.pop value x.pop @x"], []),
    "several classes": ({"list", "set"}, [], [("pop", "x.pop", ["list", "set"], True)]),
    "the program's own": ({"candidate.Stack"}, [], []),
    "own and not": ({"list", "candidate.Stack"}, [], [("pop", "x.pop", ["candidate.Stack", "list"], True)]),
    "of the object": ({"?"}, [], []),
    "of the object or not": ({"list", "?"}, [], [("pop", "x.pop", ["list"], True)]),
    "a module": ({"module"}, [], [("pop", "x.pop", [], True)]),
    "nothing": (set(), [], [("pop", "x.pop", [], True)]),
}


@pytest.mark.parametrize(("classes", "expected", "doubted"), SEEN.values(), ids=SEEN)
def test_what_was_seen_at_run_time_decides(classes, expected, doubted):
    receivers = {POP: frozenset(classes)}
    assert found(PROGRAM, receivers) == expected
    assert doubts(PROGRAM, receivers) == doubted


def test_what_was_seen_goes_before_what_is_inferred():
    assert found("x = []\nx.pop()", {9: frozenset({"collections.deque"})}) == ["collections.deque.pop call x.pop @x"]


def test_a_method_called_on_its_class_stays_so():
    assert found("str.split(x)", {4: frozenset({"str"})})[1:] == ["str.split call str.split"]


def test_what_was_seen_tells_the_results():
    program = "def f(x): return x.split().pop()"
    split = program.index("split")
    assert found(program, {split: frozenset({"str"})}) == [
        "str.split call x.split @x",
        "list.pop call x.split().pop @x.split()",
    ]


# Instrumenting


def untraced(program):
    """The tree of an instrumented program, its traces taken off again, and how many there were."""

    class Untrace(ast.NodeTransformer):
        count = 0

        def visit_Call(self, node):
            self.generic_visit(node)
            if isinstance(node.func, ast.Name) and node.func.id == TRACE:
                self.count += 1
                assert isinstance(node.args[0], ast.Constant)
                return node.args[1]
            return node

    untrace = Untrace()
    return ast.dump(untrace.visit(ast.parse(program))), untrace.count


def loads(program):
    """How many attributes a program loads outside annotations, patterns and super(), by Python's own reading."""
    tree = ast.parse(program)
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            if getattr(node, name, None):
                setattr(node, name, None)
        if isinstance(node, ast.match_case):
            node.pattern = ast.MatchAs()
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)]
    supers = [node for node in attributes if ast.unparse(node.value).startswith("super(") and node.attr != "of_it"]
    return len([node for node in attributes if not node.attr.startswith("__")]) - len(supers)


def check_instrumented(program):
    traced = instrument(program)
    tree, count = untraced(traced.program)
    assert tree == ast.dump(ast.parse(program))
    assert count == len(traced.attributes) == loads(program)
    source = read_references(program).source
    for place, name in traced.attributes:
        assert source[place:].decode().startswith(name)
    assert traced.program.count("\n") == source.count(b"\n")
    return traced


INSTRUMENTED = {
    "load": ("x.a", "T(0, x).a"),
    "chain": ("x.a.b(1).c[2].d", "T(3, T(2, T(1, T(0, x).a).b(1)).c[2]).d"),
    "arguments": ("x.a(y.b, *z.c, k=w.d, **v.e)", "T(0, x).a(T(1, y).b, *T(2, z).c, k=T(3, w).d, **T(4, v).e)"),
    "store": ("x.a = 1\nx.a.b = y.c\nx.a += 1\nx.a: T = 3", "x.a = 1\nT(0, x).a.b = T(1, y).c\nx.a += 1\nx.a: T = 3"),
    "targets": ("for x.a in y.b: pass\na, x.e = 1, 2", "for x.a in T(0, y).b: pass\na, x.e = 1, 2"),
    "with": ("with x.c as y.d, z.e: pass", "with T(0, x).c as y.d, T(1, z).e: pass"),
    "delete": ("del x.a, y.b.c, z.d[0]", "del x.a, T(0, y).b.c, T(1, z).d[0]"),
    "imports": ("import os.path\nfrom os.path import join", "import os.path\nfrom os.path import join"),
    "pattern": ("match x.a:\n  case b.c | A(d=e.f): pass", "match T(0, x).a:\n  case b.c | A(d=e.f): pass"),
    "two underscores": ("x.__class__.a", "T(0, x.__class__).a"),
    "super": ("def f(self): return super().f.of_it", "def f(self): return T(0, super().f).of_it"),
    "annotation": ("def f(x: a.b = c.d) -> e.f: y: g.h = x", "def f(x: a.b = T(0, c).d) -> e.f: y: g.h = x"),
    "decorator": ("@x.a\n@x.b(y.c)\ndef f(): pass", "@T(0, x).a\n@T(1, x).b(T(2, y).c)\ndef f(): pass"),
    "class": ("class A(x.B, metaclass=y.C): z = w.d", "class A(T(0, x).B, metaclass=T(1, y).C): z = T(2, w).d"),
    "f-string": ("f'{x.a!r:>{y.b}} {{z.c}}'", "f'{T(0, x).a!r:>{T(1, y).b}} {{z.c}}'"),
    "f-string that shows": ("f'{x.a=} {y.b}'", "f'{x.a=} {T(0, y).b}'"),
    "comprehensions": ("[x.a for x in y.b if x.c]", "[T(0, x).a for x in T(1, y).b if T(2, x).c]"),
    "lambda": ("lambda x=y.a: x.b", "lambda x=T(0, y).a: T(1, x).b"),
    "numbers": ("1 .real, 1..real, 1.5.imag", "T(0, 1) .real, T(1, 1.).real, T(2, 1.5).imag"),
    "parentheses": ("(x\n  .a\n  .b)\n(x if y else z).c", "(T(1, T(0, x)\n  .a)\n  .b)\nT(2, (x if y else z)).c"),
    "starred": ("[*x.a, *y.b()]\nz = *x.c, 1", "[*T(0, x).a, *T(1, y).b()]\nz = *T(2, x).c, 1"),
    "walrus": ("(x := y.a).b", "T(1, (x := T(0, y).a)).b"),
    "await": ("async def f():\n  return (await x.a).b", "async def f():\n  return T(1, (await T(0, x).a)).b"),
    "strings": ("'a'.b, f'{x}'.c", "T(0, 'a').b, T(1, f'{x}').c"),
    "soft keywords": ("match.a, case.b, type.c, print.d", "T(0, match).a, T(1, case).b, T(2, type).c, T(3, print).d"),
    "docstring": ("'''x.a'''\n# y.b", "'''x.a'''\n# y.b"),
    "not ASCII": ("é.ü", "T(0, é).ü"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "expected"), INSTRUMENTED.values(), ids=INSTRUMENTED)
def test_instruments_attribute_loads(program, expected):
    assert instrument(program).program == expected.replace("T(", f"{TRACE}(")


@pytest.mark.parametrize("program", [program for program, _ in INSTRUMENTED.values() if "=}" not in program])
def test_an_instrumented_program_differs_by_its_traces_only(program):
    check_instrumented(program)


@pytest.mark.parametrize("program", ["def f(x:", "x.a +", "x.a\0", "'\ud800'.a", "print x.a"])
def test_what_does_not_parse_stays_as_it_is(program):
    assert instrument(program) == Instrumented(program, ())


ATOMS = st.sampled_from(["x", "y", "1", "'s'", "f'{x.a}'", "(1, 2)", "[]", "super()", "lambda: x.a", "(yield)"])


def combined(inner):
    return st.one_of(
        st.builds("({}).a".format, inner),
        st.builds("x.b({}, *y.c, k={})".format, inner, inner),
        st.builds("[{} for z in {} if z.d]".format, inner, inner),
        st.builds("({} if {} else x.__e)".format, inner, inner),
        st.builds("{{**x.f, {}: {}}}".format, inner, inner),
        st.builds("({})[x.g:{}]".format, inner, inner),
        st.builds("(lambda p=({}): {})".format, inner, inner),
        st.builds("[*x.h, {}]".format, inner),
        st.builds("(w := {})".format, inner),
    )


EXPRESSIONS = st.recursive(ATOMS, combined, max_leaves=8)
STATEMENTS = st.sampled_from(
    [
        "v = {}",
        "v.a, *v.b = {}",
        "v.a += {}",
        "v.a: x.y = {}",
        "del v.a, ({}).b",
        "for v.a in {}:\n        pass",
        "with {} as v.a, x.b:\n        pass",
        "assert {}, x.m",
        "if {}:\n        pass",
        "print({})",
        "match {}:\n        case q.r: x.y",
    ]
)


def compiles(program):
    try:
        compile(program, "program", "exec")
    except SyntaxError:
        return False
    return True


@given(st.lists(st.tuples(STATEMENTS, EXPRESSIONS), min_size=1, max_size=4))
def test_any_program_means_the_same_when_instrumented(pairs):
    body = "".join(f"    {statement.format(expression)}\n" for statement, expression in pairs)
    program = f"def f(x, y):\n{body}"
    assume(compiles(program))  # Python forbids a walrus here and there
    traced = instrument(program)
    tree, count = untraced(traced.program)
    assert tree == ast.dump(ast.parse(program))
    assert count == len(traced.attributes)


def test_a_traced_program_tells_its_receivers_and_gives_the_same(monkeypatch):
    program = "def f(x):\n    y = x.split()\n    y.append(f'{x.upper()}')\n    return ' '.join(y)\n"
    traced = instrument(program)
    seen: dict[int, set[str]] = {}

    def trace(index: int, value: object) -> object:
        place, name = traced.attributes[index]
        definer = next(cls for cls in type(value).__mro__ if name in cls.__dict__)
        seen.setdefault(place, set()).add(definer.__qualname__)
        return value

    monkeypatch.setattr(builtins, TRACE, trace, raising=False)
    namespace: dict[str, Callable[[str], str]] = {}
    exec(traced.program, namespace)
    assert namespace["f"]("a b") == "a b A B"
    receivers = {place: frozenset(classes) for place, classes in seen.items()}
    assert found(program, receivers) == [
        "str.split call x.split @x",
        "list.append call y.append @y",
        "str.upper call x.upper @x",
        "str.join call ' '.join @' '",
    ]
    assert doubts(program, receivers) == []


WORDS = """
    len math . sqrt ( ) [ ] { } , : = := == def f class A lambda x for in if else import from as * ** @ # ' " \"\"\" f'
    \\ global nonlocal try except with match case del print return yield await async _ 1 é .split() x.a
"""
FRAGMENTS = st.sampled_from([*WORDS.split(), "\n", "\n    ", "\t", "\0", "\ud800"])


@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=60).map(" ".join)))
def test_any_text_is_read_and_instrumented(program):
    references = read_references(program)
    assert all(reference.node.end_byte <= len(references.source) for reference in references.found)
    assert instrument(program).attributes == () or ast.parse(instrument(program).program)


HUMANEVAL, MBPP = "HumanEval.jsonl", "mbpp.jsonl"


def solutions(folder):
    for name in (HUMANEVAL, MBPP):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            whole = row["prompt"] + row["canonical_solution"] if name == HUMANEVAL else row["code"]
            yield whole.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_every_solution_of_the_data_sets_means_the_same_when_instrumented(datasets):
    programs = list(solutions(datasets))
    for program in programs:
        traced = instrument(program)
        assert untraced(traced.program) == (ast.dump(ast.parse(program)), len(traced.attributes))
        assert len(traced.attributes) == loads(program)
    assert len(programs) == 1138


@pytest.mark.parametrize("program", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(20)
def test_ends_on_hostile_programs(program):
    assert read_references(program).source
    assert instrument(program).program
