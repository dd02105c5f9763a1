"""Rewriting: right or refused. Programs in a table, and generated ones run before and after."""

import ast
import builtins
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.rewriting.call_rewrites import REASONS, Argument, OldCall, Refusal, Renaming
from edittool.analysis.rewriting.rewrite import rewrite
from edittool.analysis.uses.references import read_references
from edittool.schemas.changes import ApiKind


def new_name(api: str) -> str:
    return "my_" + api.replace(".", "_")


def written(argument: Argument) -> str:
    return f"{argument.keyword}={argument.text}" if argument.keyword else argument.splat + argument.text


@dataclass(frozen=True)
class Same:
    """my_f(a, b) for f(a, b), and x.my_f(a) for x.f(a)."""

    api: str
    kind: ApiKind = "other"

    @property
    def replacement(self) -> str:
        return new_name(self.api)

    def rewrite(self, call: OldCall) -> str:
        receiver = "" if call.receiver is None else f"{call.receiver}."
        return f"{receiver}{self.replacement}({', '.join(map(written, call.arguments))})"

    def value(self, receiver: str | None) -> str | None:
        return None


class Reversed(Same):
    """my_f(b, a, key=c) for f(a, b, key=c), and my_f(a, x) for x.f(a)."""

    def rewrite(self, call: OldCall) -> str:
        parts = [] if call.receiver is None else [Argument(call.receiver)]
        parts += call.arguments
        positional = [written(part) for part in parts if not part.keyword]
        named = [written(part) for part in parts if part.keyword]
        return f"{self.replacement}({', '.join(positional[::-1] + named)})"


class Keywords(Same):
    """my_f(a=x, b=y) for f(x, y), and my_f(a=x, b=y) for x.f(y); splats are refused."""

    def rewrite(self, call: OldCall) -> str:
        parts = [] if call.receiver is None else [Argument(call.receiver)]
        parts += call.arguments
        if any(part.splat for part in parts):
            raise Refusal("arguments", "a splat")
        named = (f"{part.keyword or name}={part.text}" for part, name in zip(parts, "abcdefgh", strict=False))
        return f"{self.replacement}({', '.join(named)})"


class Unchanged(Same):
    """f(a) for f(a)."""

    def rewrite(self, call: OldCall) -> str:
        return f"{self.api}({', '.join(map(written, call.arguments))})"


@dataclass(frozen=True)
class Constant(Same):
    """my_pi() for pi."""

    kind: ApiKind = "module_constant"

    def rewrite(self, call: OldCall) -> str:
        assert call == OldCall(None, ())
        return f"{self.replacement}()"


class Quoting(Same):
    """my_f(x, 'r')."""

    def rewrite(self, call: OldCall) -> str:
        return f"{self.replacement}({call.arguments[0].text}, 'r')"


def rewritten(program: str, *conventions: Same | Renaming) -> str:
    return rewrite(read_references(program), conventions)


def refusal(program: str, *conventions: Same | Renaming) -> Refusal:
    with pytest.raises(Refusal) as caught:
        rewritten(program, *conventions)
    return caught.value


LEN, SORTED, INT, MAX = Keywords("len"), Keywords("sorted"), Keywords("int"), Reversed("max")
SPLIT, JOIN, PI, SQRT = Keywords("str.split"), Reversed("str.join"), Constant("math.pi"), Keywords("math.sqrt")

CALLS = {
    "a call": (LEN, "len(x)", "my_len(a=x)"),
    "another name": (LEN, "size(x) + x.len", "size(x) + x.len"),
    "in itself": (LEN, "len(str(len(x)))", "my_len(a=str(my_len(a=x)))"),
    "reordered in reordered": (
        MAX,
        "max(max(1, 2), max(3, max(4, 5)))",
        "my_max(my_max(my_max(5, 4), 3), my_max(2, 1))",
    ),
    "no arguments": (MAX, "max()", "my_max()"),
    "a keyword": (INT, "int('f', base=16)", "my_int(a='f', base=16)"),
    "splats": (MAX, "max(*xs, *ys)", "my_max(*ys, *xs)"),
    "a splat of keywords": (Same("max"), "max(*xs, **options)", "my_max(*xs, **options)"),
    "a splat of an operation": (MAX, "max(*a or b)", "my_max(*a or b)"),
    "a generator without parentheses": (LEN, "len(x for x in y)", "my_len(a=(x for x in y))"),
    "a call in a generator": (MAX, "max(max(x, 1) for x in y)", "my_max((my_max(1, x) for x in y))"),
    "a comma at the end": (MAX, "max(1, 2,)", "my_max(2, 1)"),
    "comments and lines in the list": (MAX, "max( # why\n  1, # one\n  2, # two\n)", "my_max(2, 1)"),
    "lines in an argument": (MAX, "max([1,\n  2], 3)", "my_max(3, [1,\n  2])"),
    "strings joined over lines": (LEN, "len('a'\n    'b')", "my_len(a='a'\n    'b')"),
    "a string over lines": (LEN, "len('''a\nb''')", "my_len(a='''a\nb''')"),
    "a lambda": (SORTED, "sorted(x, key=lambda v: -v)", "my_sorted(a=x, key=lambda v: -v)"),
    "a conditional": (LEN, "len(a if b else c)", "my_len(a=a if b else c)"),
    "a walrus": (LEN, "len(x := y)", "my_len(a=(x := y))"),
    "a yield": (LEN, "def f():\n    len((yield))", "def f():\n    my_len(a=(yield))"),
    "an await": (LEN, "async def f(x):\n    len(await x)", "async def f(x):\n    my_len(a=await x)"),
    "a comparison": (LEN, "len(x == y)", "my_len(a=x == y)"),
    "in a condition": (LEN, "if len(x) > 2: pass", "if my_len(a=x) > 2: pass"),
    "blanks, comments and tabs elsewhere": (
        LEN,
        "def f( a ) :\t# len(a)\n\n\tx  =  'len(a)'  \n\treturn len (a)  # end\n\n\n",
        "def f( a ) :\t# len(a)\n\n\tx  =  'len(a)'  \n\treturn my_len(a=a)  # end\n\n\n",
    ),
    "letters beyond ASCII": (LEN, "é = len('äß', ) + len('€')", "é = my_len(a='äß') + my_len(a='€')"),
    "a decorator that is a call": (
        Keywords("functools.lru_cache"),
        "import functools\n@functools.lru_cache(maxsize=None)\ndef f(): pass",
        "import functools\n@my_functools_lru_cache(maxsize=None)\ndef f(): pass",
    ),
    "an attribute of its name": (Keywords("next"), "node.next = next(x)", "node.next = my_next(a=x)"),
    "an assigned item": (Keywords("list"), "list(x)[0] = list(y)", "my_list(a=x)[0] = my_list(a=y)"),
    "a shadowed name": (LEN, "def f(len):\n    return len(3)\nlen(x)", "def f(len):\n    return len(3)\nmy_len(a=x)"),
    "an annotation": (
        INT,
        "def f(x: int) -> int:\n    y: int = int(x)",
        "def f(x: int) -> int:\n    y: int = my_int(a=x)",
    ),
    "a module's function": (
        SQRT,
        "import math as m\nm.sqrt(m.sqrt(2))",
        "import math as m\nmy_math_sqrt(a=my_math_sqrt(a=2))",
    ),
    "a guard of a case": (LEN, "match x:\n    case [y] if len(y): pass", "match x:\n    case [y] if my_len(a=y): pass"),
}

METHODS = {
    "a literal": (SPLIT, "'a b'.split(' ')", "my_str_split(a='a b', b=' ')"),
    "a chain": (SPLIT, "'a b'.split()[0].strip()", "my_str_split(a='a b')[0].strip()"),
    "in the receiver": (JOIN, "' '.join(x).join(y)", "my_str_join(y, my_str_join(x, ' '))"),
    "in receiver and argument": (
        JOIN,
        "', '.join('-'.join(x).join('+'.join(y)))",
        "my_str_join(my_str_join(my_str_join(y, '+'), my_str_join(x, '-')), ', ')",
    ),
    "parentheses": (SPLIT, "('a' + 'b').split()", "my_str_split(a=('a' + 'b'))"),
    "strings joined": (JOIN, "('a'\n 'b').join(x)", "my_str_join(x, ('a'\n 'b'))"),
    "lines in a chain": (SPLIT, "('a b'\n  .strip() # one\n  .split())", "(my_str_split(a='a b'\n  .strip()))"),
    "a number": (Same("int.bit_length"), "1 .bit_length()", "(1).my_int_bit_length()"),
    "after a keyword without a blank": (
        SPLIT,
        "def f():\n    return'a b'.split()",
        "def f():\n    return my_str_split(a='a b')",
    ),
    "got by its name": (SPLIT, "getattr('a b', 'split')(' ')", "my_str_split(a='a b', b=' ')"),
    "called on the class": (SPLIT, "str.split('a b', ' ')", "my_str_split(a='a b', b=' ')"),
}

VALUES = {
    "map": (LEN, "map(len, xs)", "map(lambda x: my_len(a=x), xs)"),
    "map of two": (MAX, "map(max, xs, ys)", "map(lambda x, y: my_max(y, x), xs, ys)"),
    "filter": (LEN, "filter(len, xs)", "filter(lambda x: my_len(a=x), xs)"),
    "key of sorted": (LEN, "sorted(xs, reverse=True, key=len)", "sorted(xs, reverse=True, key=lambda x: my_len(a=x))"),
    "key of max": (LEN, "max(xs, key=len)", "max(xs, key=lambda x: my_len(a=x))"),
    "key of a rewritten function": (
        SORTED,
        "sorted(map(sorted, xs), key=sorted)",
        "my_sorted(a=map(lambda x: my_sorted(a=x), xs), key=lambda x: my_sorted(a=x))",
    ),
    "key of sort": (LEN, "def f(xs):\n    xs.sort(key=len)", "def f(xs):\n    xs.sort(key=lambda x: my_len(a=x))"),
    "in parentheses": (LEN, "map((len), xs)", "map((lambda x: my_len(a=x)), xs)"),
    "reduce": (
        MAX,
        "from functools import reduce\nreduce(max, xs)",
        "from functools import reduce\nreduce(lambda x, y: my_max(y, x), xs)",
    ),
    "defaultdict": (
        INT,
        "import collections\ncollections.defaultdict(int)",
        "import collections\ncollections.defaultdict(lambda: my_int())",
    ),
    "groupby": (
        LEN,
        "from itertools import groupby\ngroupby(xs, len)",
        "from itertools import groupby\ngroupby(xs, lambda x: my_len(a=x))",
    ),
    "accumulate": (
        MAX,
        "import itertools as i\ni.accumulate(xs, max)",
        "import itertools as i\ni.accumulate(xs, lambda x, y: my_max(y, x))",
    ),
    "nlargest": (
        LEN,
        "import heapq\nheapq.nlargest(2, xs, key=len)",
        "import heapq\nheapq.nlargest(2, xs, key=lambda x: my_len(a=x))",
    ),
    "iter": (Keywords("input"), "iter(input, '')", "iter(lambda: my_input(), '')"),
    "a used name": (LEN, "x = map(len, y)", "x = map(lambda z: my_len(a=z), y)"),
    "a method of the class": (SPLIT, "map(str.split, xs)", "map(lambda x: my_str_split(a=x), xs)"),
    "a bound method": (
        Reversed("dict.get"),
        "d = {}\nsorted(d, key=d.get)",
        "d = {}\nsorted(d, key=lambda x: my_dict_get(x, d))",
    ),
    "a method of a literal": (JOIN, "map(' '.join, xs)", "map(lambda x: my_str_join(x, ' '), xs)"),
    "a constant": (PI, "import math\nx = 2 * math.pi", "import math\nx = 2 * my_math_pi()"),
    "a constant as an argument": (
        PI,
        "import math\nf(math.pi, key=math.pi)",
        "import math\nf(my_math_pi(), key=my_math_pi())",
    ),
    "a constant as a default": (PI, "import math\ndef f(x=math.pi): pass", "import math\ndef f(x=my_math_pi()): pass"),
    "a constant's method": (PI, "import math\nmath.pi.hex()", "import math\nmy_math_pi().hex()"),
}

IMPORTS = {
    "one of two": (SQRT, "from math import sqrt, pi\nsqrt(pi)", "from math import pi\nmy_math_sqrt(a=pi)"),
    "the last of two": (SQRT, "from math import pi, sqrt\nsqrt(pi)", "from math import pi\nmy_math_sqrt(a=pi)"),
    "the middle of three": (SQRT, "from math import e, sqrt, pi as p\n", "from math import e, pi as p\n"),
    "under another name": (SQRT, "from math import sqrt as root, e\nroot(2)", "from math import e\nmy_math_sqrt(a=2)"),
    "in parentheses": (
        SQRT,
        "from math import (\n    sqrt,  # root\n    pi,\n    e,\n)",
        "from math import (\n    pi, e)",
    ),
    "the only one": (SQRT, "import math\nfrom math import sqrt  # root\nsqrt(2)", "import math\nmy_math_sqrt(a=2)"),
    "the only line": (SQRT, "from math import sqrt", ""),
    "never used": (SQRT, "from math import sqrt\nx = 3\n", "x = 3\n"),
    "in a function": (
        SQRT,
        "def f():\n    from math import sqrt\n    return sqrt(2)",
        "def f():\n    return my_math_sqrt(a=2)",
    ),
    "all of a block": (
        SQRT,
        "try:\n    from math import sqrt\nexcept ImportError:\n    pass\nsqrt(2)",
        "try:\n    pass\nexcept ImportError:\n    pass\nmy_math_sqrt(a=2)",
    ),
    "twice in a block": (
        SQRT,
        "if x:\n    from math import sqrt\n    from math import sqrt as r\n",
        "if x:\n    pass\n    pass\n",
    ),
    "on the line of its if": (SQRT, "if x: from math import sqrt\n", "if x: pass\n"),
    "before a semicolon": (SQRT, "from math import sqrt; x = sqrt(2)", "pass; x = my_math_sqrt(a=2)"),
    "after a semicolon": (SQRT, "x = 2; from math import sqrt\nsqrt(2)", "x = 2; pass\nmy_math_sqrt(a=2)"),
    "a star": (SQRT, "from math import *\nsqrt(pi)", "from math import *\nmy_math_sqrt(a=pi)"),
    "the module": (SQRT, "import math\nmath.sqrt(2)", "import math\nmy_math_sqrt(a=2)"),
    "a constant": (PI, "from math import pi\nx = pi", "x = my_math_pi()"),
}

F_STRINGS = {
    "a call": (LEN, "f'{len(x)} of {x}'", "f'{my_len(a=x)} of {x}'"),
    "a lambda": (LEN, "f'{max(xs, key=len)!r:>3}'", "f'{max(xs, key=lambda x: my_len(a=x))!r:>3}'"),
    "in a format": (LEN, "f'{x:>{len(y)}}'", "f'{x:>{my_len(a=y)}}'"),
    "the other quote": (LEN, "f'{len(\"a\")}'", "f'{my_len(a=\"a\")}'"),
    "three quotes": (LEN, "f'''{len('a')}'''", "f'''{my_len(a='a')}'''"),
    "beside it": (LEN, "f'len(x)' 'len(x)' + len(x)", "f'len(x)' 'len(x)' + my_len(a=x)"),
}

RENAMINGS = {
    "a builtin": ("len", "print(len( len('a') ))", "print(my_len( my_len('a') ))"),
    "comments and lines": ("len", "len( # why\n  'a', # what\n)", "my_len( # why\n  'a', # what\n)"),
    "a value": ("len", "f = len\nmap(f, xs)", "f = my_len\nmap(f, xs)"),
    "a value given on": ("len", "call(len, [len])", "call(my_len, [my_len])"),
    "a type": (
        "int",
        "isinstance(x, (int, str)) or type(x) == int",
        "isinstance(x, (my_int, str)) or type(x) == my_int",
    ),
    "a base": ("dict", "class A(dict): pass", "class A(my_dict): pass"),
    "a decorator": (
        "functools.cache",
        "import functools\n@functools.cache\ndef f(): pass",
        "import functools\n@my_functools_cache\ndef f(): pass",
    ),
    "a method": ("str.split", "' '.join('a b'.split())", "' '.join('a b'.my_str_split())"),
    "a method on its own line": ("str.split", "('a'\n  .split())", "('a'\n  .my_str_split())"),
    "a method got by its name": ("str.split", "getattr('a b', 'split')()", "'a b'.my_str_split()"),
    "a method called on the class": ("str.split", "str.split('a b')", "my_str_split('a b')"),
    "a module's function": ("math.sqrt", "import math\nmath . sqrt(4)", "import math\nmy_math_sqrt(4)"),
    "an import": ("math.sqrt", "from math import sqrt, pi\nsqrt(pi)", "from math import pi\nmy_math_sqrt(pi)"),
    "a constant": ("math.pi", "import math\nmath.pi / 2", "import math\nmy_math_pi / 2"),
}

REFUSED = {
    "not Python": ("does_not_parse", LEN, "len("),
    "the new name is bound": ("name_taken", LEN, "my_len = 3\nlen(x)"),
    "the new name is a parameter": ("name_taken", LEN, "def f(my_len): return len(my_len)"),
    "an alias": ("aliased", LEN, "size = len\nsize(x)"),
    "a walrus": ("aliased", LEN, "f((size := len))"),
    "a default": ("aliased", LEN, "def f(g=len): pass"),
    "isinstance": ("type_use", Keywords("range"), "isinstance(x, range)"),
    "a comparison with several": ("type_use", Keywords("range"), "type(x) in (int, range)"),
    "a base class": ("type_use", Keywords("object"), "class A(object): pass"),
    "a metaclass": ("type_use", Keywords("type"), "class A(metaclass=type): pass"),
    "a type while type has another meaning": ("type_use", INT, "type = 3\nisinstance(x, int)"),
    "a pattern": ("pattern", INT, "match x:\n    case int(): pass"),
    "a bare decorator": ("value_use", Keywords("functools.cache"), "import functools\n@functools.cache\ndef f(): pass"),
    "partial": ("value_use", INT, "import functools\nfunctools.partial(int, base=2)"),
    "an argument of anything": ("value_use", LEN, "call(len, x)"),
    "in a list": ("value_use", LEN, "[len, max]"),
    "returned": ("value_use", LEN, "def f():\n    return len"),
    "starmap": ("value_use", MAX, "import itertools\nitertools.starmap(max, xs)"),
    "map of a splat": ("value_use", MAX, "map(max, *xs)"),
    "a method of an expression": ("receiver_value", Reversed("dict.get"), "map(dict(x).get, xs)"),
    "a method in a class body": (
        "class_scope",
        Reversed("dict.get"),
        "class A:\n    d = {}\n    x = list(map(d.get, d))",
    ),
    "an argument": ("arguments", LEN, "len(*x)"),
    "an unknown object": ("unknown_receiver", SPLIT, "def f(x):\n    return x.split()"),
    "a moved walrus": ("evaluation_order", MAX, "max(y := 3, y)"),
    "a moved next": ("evaluation_order", MAX, "max(next(x), next(x))"),
    "a moved pop": ("evaluation_order", MAX, "max(f(x), x.pop())"),
    "a moved yield": ("evaluation_order", MAX, "def f(): max((yield), (yield))"),
    "the f-string's quote": ("f_string", Quoting("open"), "f'{open(x)}'"),
    "an f-string that shows its text": ("f_string", LEN, "f'{len(x)=}'"),
    "a use in what the convention wrote": ("use_left", Unchanged("len"), "len(x)"),
    "an assignment": ("stored", PI, "import math\nmath.pi = 3"),
    "an assignment by another name": ("stored", PI, "import math as m\nm.pi, x = 3, m.pi"),
    "a deletion": ("stored", PI, "import math\ndel math.pi"),
    "an addition": ("stored", PI, "import math\nmath.pi += 1"),
}


TYPES = {
    "isinstance": (INT, "isinstance(x, int)", "isinstance(x, type(0))"),
    "isinstance of several": (
        INT,
        "isinstance(x, (str, (int, list)))",
        "isinstance(x, (str, (type(0), list)))",
    ),
    "isinstance of a union": (INT, "isinstance(x, str | int)", "isinstance(x, str | type(0))"),
    "a comparison": (INT, "type(x) == int", "type(x) == type(0)"),
    "a set has no literal without items": (Keywords("set"), "isinstance(x, set)", "isinstance(x, type({*()}))"),
    "a base class": (Keywords("dict"), "class A(dict): pass", "class A(type({})): pass"),
    "an attribute of the class": (Keywords("dict"), "dict.fromkeys(x)", "type({}).fromkeys(x)"),
    "the class's name": (INT, "int.__name__", "type(0).__name__"),
    "an item of the class": (Keywords("list"), "x = list[int]", "x = type([])[int]"),
}
SPREAD = {
    "a method": (SPLIT, "[*'a'.split(), 1]", "[*my_str_split(a='a'), 1]"),
    "a method of a method": (SPLIT, "[*'a'.split()[0].split()]", "[*my_str_split(a=my_str_split(a='a')[0])]"),
    "a function": (LEN, "[*len(x), *len(y).z()]", "[*my_len(a=x), *my_len(a=y).z()]"),
    "a class's method": (Keywords("dict.fromkeys"), "{*dict.fromkeys(x)}", "{*my_dict_fromkeys(a=x)}"),
}


UNMOVED = {
    "keywords in order": (Keywords("max"), "max(next(x), next(x))"),
    "beside a constant": (MAX, "max(next(x), 'end')"),
    "alone": (MAX, "max(x.pop())"),
    "beside a name": (MAX, "max(x.setdefault(1, 2), v)"),
    "only read": (MAX, "max(f(x), g(x))"),
    "in a lambda": (MAX, "max(x, lambda: x.pop())"),
}


TABLES = {
    f"{table}: {name}": row
    for table, rows in {
        "call": CALLS,
        "method": METHODS,
        "value": VALUES,
        "import": IMPORTS,
        "f-string": F_STRINGS,
        "type": TYPES,
        "spread": SPREAD,
    }.items()
    for name, row in rows.items()
}


def test_rewritten(subtests):
    for name, (convention, program, expected) in TABLES.items():
        with subtests.test(name):
            assert rewritten(program, convention) == expected


@pytest.mark.parametrize(("reason", "convention", "program"), REFUSED.values(), ids=REFUSED)
def test_refused(reason, convention, program):
    refused = refusal(program, convention)
    assert refused.reason == reason
    assert refused.detail


def test_every_reason_is_put_to_the_test():
    assert {reason for reason, _, _ in REFUSED.values()} == set(REASONS)


@pytest.mark.parametrize(("convention", "program"), UNMOVED.values(), ids=UNMOVED)
def test_side_effects_that_keep_their_order(convention, program):
    assert convention.replacement in rewritten(program, convention)


@pytest.mark.parametrize(("api", "program", "expected"), RENAMINGS.values(), ids=RENAMINGS)
def test_renamed(api, program, expected):
    assert rewritten(program, Renaming(api, new_name(api))) == expected


def test_several_conventions_at_once():
    program = "import math\nprint(len(max('a b'.split(), key=len)) + math.sqrt(math.pi))"
    longest = "my_max(my_str_split(a='a b'), key=lambda x: my_len(a=x))"
    expected = f"import math\nprint(my_len(a={longest}) + my_math_sqrt(a=my_math_pi()))"
    assert rewritten(program, LEN, MAX, SPLIT, SQRT, PI) == expected


def test_a_refusal_names_the_line():
    assert refusal("x = 1\n\nlen(*x)", LEN).detail == "line 3: a splat"
    assert refusal("x = 1\nisinstance(x, range)", Keywords("range")).detail.startswith("line 2: range ")


def test_type_uses_while_type_is_replaced_too():
    program = "isinstance(x, int) or type(x) == int"
    assert rewritten(program, INT, Keywords("type")) == "isinstance(x, my_type(a=0)) or my_type(a=x) == my_type(a=0)"


def test_what_the_receivers_told_decides():
    program = "def f(x):\n    return x.split()"
    place = program.index("split")
    seen = read_references(program, {place: frozenset({"str"})})
    assert rewrite(seen, [SPLIT]) == "def f(x):\n    return my_str_split(a=x)"
    for others in ({"candidate.Text"}, {"?"}, {"bytes", "candidate.Text"}):
        assert rewrite(read_references(program, {place: frozenset(others)}), [SPLIT]) == program
    with pytest.raises(Refusal, match="unknown_receiver"):
        rewrite(read_references(program, {place: frozenset({"str", "bytes"})}), [SPLIT])


def test_a_program_may_be_deep():
    chain = " + ".join(["len(x)"] * 900)
    assert rewritten(chain, LEN) == chain.replace("len(x)", "my_len(a=x)")
    nested = "len(" * 60 + "x" + ")" * 60
    assert rewritten(nested, LEN) == nested.replace("len(", "my_len(a=")


# Generated programs

BLANKS = st.sampled_from(["", " ", "\n", "  # note\n "])
FUNCTIONS = {"max": 2, "min": 3, "abs": 1, "int": 1, "pow": 2, "divmod": 2, "len": 1, "sorted": 1}


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(name: str) -> st.SearchStrategy[str]:
        parts = st.lists(inner, min_size=FUNCTIONS[name], max_size=FUNCTIONS[name])
        shapes = {
            "pow": "abs({0}) ** 2 + pow(2, {1} % 5)",
            "divmod": "divmod({0}, abs({1}) + 1)[0]",
            "len": "len(str({0}))",
            "sorted": "sorted([{0}, 3, -2], key=abs)[1]",
            "max": "max(map(abs, [{0}, {1}]))",
        }
        plain = name + "({0}" + "".join(f", {{{n}}}" for n in range(1, FUNCTIONS[name])) + ")"
        texts = st.sampled_from(
            [shapes[name]] if name in ("pow", "divmod", "len", "sorted") else [plain, shapes.get(name, plain)]
        )
        return st.builds(
            lambda text, blank, given: "(" + text.replace("(", "(" + blank).format(*given) + ")", texts, BLANKS, parts
        )

    return st.sampled_from(sorted(FUNCTIONS)).flatmap(call)


EXPRESSIONS = st.recursive(st.integers(-9, 9).map(str), calls, max_leaves=12)


def shim(convention: Same) -> object:
    old = getattr(builtins, convention.api)
    if isinstance(convention, Reversed):
        return lambda *given: old(*reversed(given))
    if isinstance(convention, Keywords):
        return lambda **given: old(*[given.pop(name) for name in "abcdefgh" if name in given], **given)
    return old


@given(
    EXPRESSIONS,
    st.dictionaries(st.sampled_from([*FUNCTIONS, "str", "map"]), st.sampled_from([Same, Reversed, Keywords])),
)
def test_generated_programs_give_what_they_gave(expression, chosen):
    program = f"value = {expression}"
    conventions = [Keywords(api) if api == "sorted" else kind(api) for api, kind in chosen.items()]
    new = rewritten(program, *conventions)
    old_world, new_world = {}, {convention.replacement: shim(convention) for convention in conventions}
    new_world["__builtins__"] = {name: value for name, value in vars(builtins).items() if name not in chosen}
    exec(program, old_world)
    exec(new, new_world)
    assert new_world["value"] == old_world["value"]


@given(EXPRESSIONS, st.sets(st.sampled_from([*FUNCTIONS, "str", "map"])))
def test_renaming_and_back_gives_the_program_back(expression, apis):
    program = f"value = {expression}  # end\n"
    new = rewritten(program, *(Renaming(api, new_name(api)) for api in sorted(apis)))
    assert new.replace("my_", "") == program
    names = {node.id for node in ast.walk(ast.parse(new)) if isinstance(node, ast.Name)}
    assert not names & apis
