"""Replacements that a library has itself: whatever way a program gets at them its calls count, and no others."""

from typing import Any

import pytest

from edittool.sandbox_images.python.boundary.codec import decode
from edittool.sandbox_images.python.boundary.runs import FIRST, IN_TESTS, NOTHING, ON_LOAD, WATCHED, WRONG_VALUE


def real(deprecated: str, replacement: str, *adopt: str) -> dict[str, Any]:
    return {"form": "real", "deprecated": deprecated, "replacement": replacement, "adopt": list(adopt), "shim": ""}


def in_place(name: str, old: str, shim: str = "") -> dict[str, Any]:
    return {"form": "in_place", "deprecated": name, "replacement": name, "shim": shim, "old": old}


MEAN = real("statistics.mean", "statistics.fmean")
ABS = real("math.fabs", "abs")
NOW = real("datetime.datetime.utcnow", "datetime.datetime.now")
LIMIT = real("fractions.Fraction.shortened", "fractions.Fraction.limit_denominator")
NUMERATOR = real("fractions.Fraction.top", "fractions.Fraction.numerator")
HEX = real("bytes.encoded", "bytes.hex")
DECIMAL = real("decimal.Fixed", "fractions.Fraction")
ERROR = real("json.Wrong", "json.JSONDecodeError")
TAU = real("math.pi", "math.tau")
GONE = real("math.cube", "math.pow", "math.prod", "operator.mul")
MOVED = real("functools.reduce", "_functools.reduce")  # the same object under two names
SHORTEN = in_place(
    "textwrap.shorten",
    "text, width",
    "import textwrap\n\ndef shorten(text, *, at):\n    return textwrap.shorten(text, at)\n",
)
ROUNDED = in_place("round", "number", "def round(number, *, digits):\n    return __builtins__.round(number, digits)\n")
DUMPS = in_place("json.dumps", "obj")
DROPWHILE = in_place(
    "itertools.dropwhile",
    "predicate, iterable",
    "import itertools\n\ndef dropwhile(predicate, iterable, count=None):\n"
    "    return list(itertools.dropwhile(predicate, iterable))[:count]\n",
)
AS_RATIO = in_place(
    "fractions.Fraction.limit_denominator",
    "max_denominator=None",
    "def limit_denominator(self, *, most):\n    return self.limit_denominator(most)\n",
)

# What changed, a program, its value, and its calls that returned, failed and were refused.
COUNTED = [
    # functions of modules
    (MEAN, "import statistics\ndef f(): return statistics.fmean([1, 2])", 1.5, 1, 0, 0),
    (MEAN, "import statistics as s\ndef f(): return s.fmean([1, 2])", 1.5, 1, 0, 0),
    (MEAN, "from statistics import fmean as m\ndef f(): return m([1, 2])", 1.5, 1, 0, 0),
    (MEAN, "from statistics import *\ndef f(): return fmean([1, 2])", 1.5, 1, 0, 0),
    (MEAN, "import statistics\ndef f(): return list(map(statistics.fmean, [[1], [2]]))", [1.0, 2.0], 2, 0, 0),
    (MEAN, "import statistics\ndef f(): return getattr(statistics, 'fmean')([3])", 3.0, 1, 0, 0),
    (MEAN, "import sys, statistics\ndef f(): return sys.modules['statistics'].fmean([3])", 3.0, 1, 0, 0),
    (MEAN, "import importlib\ndef f(): return importlib.import_module('statistics').fmean([3])", 3.0, 1, 0, 0),
    (MEAN, "import statistics\ndef f(): return vars(statistics)['fmean']([3])", 3.0, 1, 0, 0),
    (MEAN, "import statistics\nx = statistics.fmean([4])\ndef f(): return x", 4.0, 1, 0, 0),
    (MEAN, "import statistics\ndef f(): return statistics.fmean.__name__", "fmean", 0, 0, 0),
    (MEAN, "import statistics\ndef f(): return statistics.median([1])", 1, 0, 0, 0),
    (MEAN, "import statistics\ndef f(): return statistics.fmean()", TypeError, 0, 0, 1),
    (MEAN, "import statistics\ndef f(): return statistics.fmean([])", "StatisticsError", 0, 1, 0),
    # the library's own calls are not the program's: correlation and NormalDist call fmean
    (MEAN, "from statistics import NormalDist\ndef f(): return NormalDist.from_samples([1, 3]).mean", 2.0, 0, 0, 0),
    # builtins
    (ABS, "def f(): return abs(-2)", 2, 1, 0, 0),
    (ABS, "import builtins\ndef f(): return builtins.abs(-2)", 2, 1, 0, 0),
    (ABS, "def f(): return sorted([-3, 2], key=abs)", [2, -3], 2, 0, 0),
    # methods: of classes written in Python and in C, of the class, bound and not, inherited
    (LIMIT, "from fractions import Fraction\ndef f(): return str(Fraction(3, 7).limit_denominator(2))", "1/2", 1, 0, 0),
    (
        LIMIT,
        "import fractions\nF = fractions.Fraction\ndef f(): return str(F.limit_denominator(F(3, 7), 2))",
        "1/2",
        1,
        0,
        0,
    ),
    (
        LIMIT,
        "from fractions import Fraction\nclass F(Fraction): pass\ndef f(): return str(F(3, 7).limit_denominator(2))",
        "1/2",
        1,
        0,
        0,
    ),
    (
        LIMIT,
        "from fractions import Fraction\nclass F(Fraction):\n    def limit_denominator(self, n): return 5\n"
        "def f(): return F(3, 7).limit_denominator(2)",
        5,
        0,
        0,
        0,
    ),
    (
        LIMIT,
        "import operator\nfrom fractions import Fraction\n"
        "def f(): return str(operator.methodcaller('limit_denominator', 2)(Fraction(3, 7)))",
        "1/2",
        1,
        0,
        0,
    ),
    (
        LIMIT,
        "from fractions import Fraction\ndef f(): return Fraction(3, 7).limit_denominator(0)",
        "ValueError",
        0,
        1,
        0,
    ),
    (
        LIMIT,
        "from fractions import Fraction\ndef f(): return Fraction(3, 7).limit_denominator(1, 2)",
        TypeError,
        0,
        0,
        1,
    ),
    (NOW, "import datetime\ndef f(): return datetime.datetime.now().year > 2000", True, 1, 0, 0),
    (NOW, "from datetime import datetime as d\ndef f(): return d.now().year > 2000", True, 1, 0, 0),
    (HEX, "def f(): return b'ab'.hex()", "6162", 1, 0, 0),
    (HEX, "def f(): return list(map(bytes.hex, [b'a', b'b']))", ["61", "62"], 2, 0, 0),
    (HEX, "def f(): return bytearray(b'ab').hex()", "6162", 0, 0, 0),
    (NUMERATOR, "from fractions import Fraction\ndef f(): return Fraction(3, 7).numerator", 3, 1, 0, 0),
    # constants
    (TAU, "import math\ndef f(): return math.tau > 6", True, 1, 0, 0),
    (TAU, "from math import tau\ndef f(): return tau > 6", True, 1, 0, 0),
    (TAU, "import math\ndef f(): return math.e > 2", True, 0, 0, 0),
    # classes
    (DECIMAL, "from fractions import Fraction\ndef f(): return str(Fraction(1, 2))", "1/2", 1, 0, 0),
    (DECIMAL, "import fractions\ndef f(): return isinstance(1, fractions.Fraction)", False, 0, 0, 0),
    (
        ERROR,
        "import json\ndef f():\n    try:\n        json.loads('{')\n    except json.JSONDecodeError as error:\n"
        "        return error.pos",
        1,
        0,
        0,
        0,
    ),
    (ERROR, "import json\ndef f(): return json.JSONDecodeError('no', 'abc', 1).pos", 1, 1, 0, 0),
    (
        ERROR,
        "import json\nclass E(json.JSONDecodeError): pass\ndef f(): return E('no', 'abc', 1).pos",
        1,
        1,
        0,
        0,
    ),
    (ERROR, "import json\ndef f(): return json.JSONDecodeError('no')", TypeError, 0, 0, 1),
    # several count
    (GONE, "import math\ndef f(): return math.prod([2, 3])", 6, 1, 0, 0),
    (GONE, "import math, operator\ndef f(): return math.pow(operator.mul(1, 2), 3)", 8.0, 2, 0, 0),
    # one object under two names
    (MOVED, "import _functools\ndef f(): return _functools.reduce(max, [1, 3])", 3, 1, 0, 0),
    # in place
    (SHORTEN, "import textwrap\ndef f(): return textwrap.shorten('ab cd', at=5)", "ab cd", 1, 0, 0),
    (SHORTEN, "from textwrap import shorten\ndef f(): return shorten('ab cd', at=5)", "ab cd", 1, 0, 0),
    (SHORTEN, "from textwrap import shorten\ndef f(): return shorten('ab cd', 5)", TypeError, 0, 0, 0),
    (SHORTEN, "from textwrap import shorten\ndef f(): return shorten('ab cd', to=5)", TypeError, 0, 0, 1),
    (DROPWHILE, "import itertools\ndef f(): return itertools.dropwhile(bool, [1, 0, 2], count=1)", [0], 1, 0, 0),
    (DROPWHILE, "from itertools import dropwhile\ndef f(): return dropwhile(bool, [1, 0, 2])", [0, 2], 0, 0, 0),
    (DUMPS, "import json\ndef f(): return json.dumps([1], indent=0)", "[\n1\n]", 1, 0, 0),
    (DUMPS, "import json\ndef f(): return json.dumps([1])", "[1]", 0, 0, 0),
    (
        AS_RATIO,
        "from fractions import Fraction\ndef f(): return str(Fraction(3, 7).limit_denominator(most=2))",
        "1/2",
        1,
        0,
        0,
    ),
    (
        AS_RATIO,
        "from fractions import Fraction\ndef f(): return Fraction(3, 7).limit_denominator(2)",
        TypeError,
        0,
        0,
        0,
    ),
]
IDS = [f"{change['replacement']}: {program}"[:90] for change, program, *_ in COUNTED]


@pytest.fixture(scope="module")
def replies(run_in_worlds: Any) -> list[dict[str, Any]]:
    jobs = [{"changes": [change], "program": program, "call": True} for change, program, *_ in COUNTED]
    found: list[dict[str, Any]] = run_in_worlds(jobs)
    return found


@pytest.mark.parametrize("place", range(len(COUNTED)), ids=IDS)
def test_the_programs_calls_are_counted_and_no_others(replies: list[dict[str, Any]], place: int) -> None:
    change, _, value, calls, failed, refused = COUNTED[place]
    reply, name = replies[place], change["replacement"]
    if isinstance(value, type) or "error" in reply:
        assert reply["error"]["type"] == getattr(value, "__name__", value), reply
    else:
        assert decode(reply["value"], lambda handle: handle) == value
    counts = reply["calls"][name], reply["failed_calls"].get(name, 0), reply["refused_calls"].get(name, 0)
    assert counts == (calls, failed, refused)


@pytest.mark.parametrize(
    ("change", "program", "kind"),
    [
        (SHORTEN, "from textwrap import shorten\ndef f(): return shorten('ab cd', 5)", "old_call"),
        (SHORTEN, "from textwrap import shorten\ndef f(): return shorten('ab cd', to=5)", "bad_call"),
        (AS_RATIO, "from fractions import Fraction\ndef f(): return Fraction(3, 7).limit_denominator(2)", "old_call"),
        (AS_RATIO, "from fractions import Fraction as F\ndef f(): return F.limit_denominator(F(3, 7), 2)", "old_call"),
        (AS_RATIO, "from fractions import Fraction as F\ndef f(): return F(3, 7).limit_denominator(1, 2)", "bad_call"),
        (MEAN, "import statistics\ndef f(): return statistics.fmean()", "bad_call"),
        (MEAN, "import statistics\ndef f(): return statistics.mean([1])", "missing_attribute"),
        (MEAN, "from statistics import mean\ndef f(): return mean([1])", "missing_import"),
        (TAU, "import math\ndef f(): return math.pi", "missing_attribute"),
        (GONE, "import math\ndef f(): return math.cube(2)", "missing_attribute"),
        (MOVED, "import functools\ndef f(): return functools.reduce(max, [1, 3])", "missing_attribute"),
    ],
)
def test_what_a_call_in_the_old_way_ends_in(
    run_in_worlds: Any, change: dict[str, Any], program: str, kind: str
) -> None:
    (reply,) = run_in_worlds([{"changes": [change], "program": program, "call": True}])
    assert reply["error"]["kind"] == kind, reply["error"]


# A program that needs the replacement's value, and where it gets it.
NEEDING = [
    (MEAN, "import statistics\ndef f(): return 1 + statistics.fmean([1, 2])", IN_TESTS),
    (MEAN, "from statistics import fmean\nx = fmean([1])\ndef f(): return 1 + x", ON_LOAD),
    (ABS, "def f(): return abs(-2) + 0", IN_TESTS),
    (LIMIT, "from fractions import Fraction\ndef f(): return str(Fraction(3, 7).limit_denominator(2))", IN_TESTS),
    (NUMERATOR, "from fractions import Fraction\ndef f(): return 1 + Fraction(3, 7).numerator", IN_TESTS),
    (TAU, "import math\ndef f(): return 1 + math.tau", IN_TESTS),
    (TAU, "from math import tau\ndef f(): return 1 + tau", ON_LOAD),
    (DECIMAL, "from fractions import Fraction\ndef f(): return str(Fraction(1, 2))", IN_TESTS),
    (ERROR, "import json\ndef f(): return 1 + json.JSONDecodeError('no', 'abc', 1).pos", IN_TESTS),
    (GONE, "import math\ndef f(): return 1 + math.prod([2, 3])", IN_TESTS),
    (SHORTEN, "import textwrap\ndef f(): return 'x' + textwrap.shorten('ab cd', at=5)", IN_TESTS),
]


@pytest.mark.parametrize("way", [NOTHING, WRONG_VALUE])
def test_a_program_that_needs_its_value_shows_that(run_in_worlds: Any, way: str) -> None:
    job = {"call": True}
    jobs = [
        {**job, "changes": [change], "program": program, "own": change["replacement"], **run}
        for change, program, phase in NEEDING
        for run in ({"run": FIRST}, {"run": way, "counterfactual": [phase, way]})
    ]
    replies = run_in_worlds(jobs)
    for number, (_, program, _) in enumerate(NEEDING):
        first, again = replies[2 * number : 2 * number + 2]
        assert "error" not in first, (program, first)
        assert "error" in again or again["value"] != first["value"], program


def test_a_watched_run_finds_the_same(run_in_worlds: Any) -> None:
    """Each look of the watch may find targets while they are being found."""
    jobs = [
        {"changes": [change], "program": program, "call": True, "own": change["replacement"], "run": run}
        for change, program, _ in NEEDING
        for run in (FIRST, WATCHED)
    ]
    replies = run_in_worlds(jobs)
    for number, (_, program, _) in enumerate(NEEDING):
        first, watched = replies[2 * number : 2 * number + 2]
        facts = ("value", "calls", "rebound", "bypass")
        assert {fact: watched[fact] for fact in facts} == {fact: first[fact] for fact in facts}, program
        assert (first["rebound"], first["bypass"]) == (False, []), program


def test_a_program_that_gives_the_name_another_meaning_calls_nothing(run_in_worlds: Any) -> None:
    programs = [
        (MEAN, "import statistics\nstatistics.fmean = lambda data: 5\ndef f(): return statistics.fmean([1])"),
        (
            LIMIT,
            "from fractions import Fraction\nFraction.limit_denominator = lambda self, n: 5\n"
            "def f(): return Fraction(3, 7).limit_denominator(2)",
        ),
        (ABS, "def abs(x): return 5\ndef f(): return abs(-2)"),
    ]
    jobs = [{"changes": [change], "program": program, "call": True} for change, program in programs]
    for (change, _), reply in zip(programs, run_in_worlds(jobs), strict=True):
        assert decode(reply["value"], lambda handle: handle) == 5
        assert reply["calls"][change["replacement"]] == 0
