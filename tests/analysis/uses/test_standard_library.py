import importlib
import itertools
import subprocess
import sys

import pytest

from edittool.analysis.uses.standard_library import (
    ANNOTATED,
    ELEMENTS,
    MODULES,
    RETURNS,
    SLICED,
    TWINS,
    canonical,
    constant_type,
    home,
    is_class,
    result_type,
    standing,
    star_names,
)


def real(path):
    owner, _, name = path.rpartition(".")
    if not owner:
        return getattr(importlib.import_module("builtins"), name)
    try:
        return getattr(importlib.import_module(owner), name)
    except ImportError:
        return getattr(real(owner), name)


@pytest.mark.parametrize("path", ["math.sqrt", "os.path", "len", "str.split", "re.sub", "Counter", "", "a.b", "os.X"])
def test_no_class(path):
    assert not is_class(path)


@pytest.mark.parametrize("path", ["str", "range", "collections.Counter", "itertools.chain", "re.Match", "numpy.Array"])
def test_class(path):
    assert is_class(path)


STANDINGS = {
    "len": "value",
    "str": "class",
    "str.split": "value",
    "str.nothing": "missing",
    "math": "module",
    "math.pi": "value",
    "math.nothing": "missing",
    "os.path": "module",
    "os.path.join": "value",
    "fractions.gcd": "missing",
    "numpy.array": "unseen",
    "antigravity": "unseen",
    "concurrent.nothing": "unseen",
    "nothing": "unseen",
    "": "unseen",
}


@pytest.mark.parametrize(("path", "expected"), STANDINGS.items())
def test_standing(path, expected):
    assert standing(path) == expected


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        ("str", "split", "str.split"),
        ("str", "append", None),
        ("bool", "bit_length", "int.bit_length"),
        ("collections.Counter", "most_common", "collections.Counter.most_common"),
        ("collections.Counter", "items", "dict.items"),
        ("collections.Counter", "update", "collections.Counter.update"),
        ("collections.OrderedDict", "items", "collections.OrderedDict.items"),
        ("datetime.datetime", "today", "datetime.date.today"),
        ("random.Random", "random", "random.Random.random"),
        ("io.StringIO", "getvalue", "io.StringIO.getvalue"),
        ("numpy.Array", "sum", "numpy.Array.sum"),
    ],
)
def test_a_method_belongs_to_the_class_that_defines_it(owner, name, expected):
    assert home(owner, name) == expected


def test_tables_speak_of_real_things():
    assert all(callable(real(path)) for path in RETURNS)
    assert all(isinstance(real(kind), type) for kind in ANNOTATED.values())
    assert all(type(next(iter(real(kind)(*given)))).__name__ == ELEMENTS[kind] for kind, given in SEQUENCES.items())
    assert all(type(real(kind)(*SEQUENCES.get(kind, "a"))[:1]) is real(kind) for kind in SLICED)
    assert ELEMENTS.keys() == SEQUENCES.keys()


SEQUENCES = {"str": ("ab",), "bytes": (b"ab",), "bytearray": (b"ab",), "range": (3,)}

TOLD = {
    "bytes.fromhex": ("61",),
    "bytes.hex": (b"a",),
    "datetime.date.isoformat": lambda: (real("datetime.date")(2020, 1, 2),),
    "datetime.date.strftime": lambda: (real("datetime.date")(2020, 1, 2), "%d"),
    "datetime.datetime.isoformat": lambda: (real("datetime.datetime")(2020, 1, 2),),
    "datetime.datetime.strptime": ("2020", "%Y"),
    "dict.copy": ({},),
    "dict.items": ({},),
    "dict.keys": ({},),
    "dict.popitem": lambda: ({1: 2},),
    "dict.values": ({},),
    "collections.Counter.copy": lambda: (real("collections.Counter")(),),
    "collections.Counter.most_common": lambda: (real("collections.Counter")(),),
    "collections.deque.copy": lambda: (real("collections.deque")(),),
    "float.fromhex": ("0x1",),
    "int.from_bytes": (b"a", "big"),
    "int.to_bytes": (1, 2, "big"),
    "random.choices": ("ab",),
    "str.encode": ("a",),
    "str.translate": ("a", {}),
}
VALUES = (3, 1, 2.5, "a b", "a", [2, 1], [], (1, 2), {1, 2}, frozenset({1}), b"ab", len, int, {"a": 1})


def results(path):
    """The types of what the API gives when called with small values of every kind."""
    if path in TOLD:
        given = TOLD[path]
        return {type(real(path)(*(given() if callable(given) else given)))}
    matched = importlib.import_module("re").search("a", "a")
    pattern = importlib.import_module("re").compile("a")
    either = path.startswith(("os.path.", "re."))  # these give bytes for bytes, which no program here has
    values = [value for value in (*VALUES, matched, pattern) if not (either and isinstance(value, bytes))]
    tried = itertools.chain.from_iterable(itertools.product(values, repeat=count) for count in (0, 1, 2))
    extra = [("a", "b", "c"), ([1, 2], 1, 2)]
    found = set()
    for given in [*tried, *extra]:
        copies = [value.copy() if isinstance(value, list | set | dict) else value for value in given]
        try:
            found.add(type(real(path)(*copies)))
        except Exception:  # not arguments of this API
            continue
    return found


def test_an_api_returns_what_the_table_says(subtests):
    for path in sorted(RETURNS.keys() - {"input"}):
        with subtests.test(path):
            kinds = results(path) - {type(None)}  # re.match: no attribute is taken from None
            expected = RETURNS[path].partition("[")[0]
            assert {canonical(f"{kind.__module__}.{kind.__qualname__}") for kind in kinds} == {expected}


def test_every_module_that_is_looked_at_is_of_the_standard_library():
    assert {module.partition(".")[0] for module in MODULES} <= sys.stdlib_module_names


def test_importing_what_is_looked_at_says_nothing_and_starts_nothing():
    code = f"""
import importlib, threading, warnings
warnings.simplefilter("error")
for module in {sorted(MODULES)!r}:
    importlib.import_module(module)
assert threading.active_count() == 1
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("twin", [twin for twin in TWINS if twin not in ("__builtin__", "__builtins__")])
def test_twins_hold_the_same_objects(twin):
    here, there = importlib.import_module(twin), importlib.import_module(TWINS[twin])
    public = [name for name in dir(here) if not name.startswith("_")]
    pairs = [(getattr(here, name), getattr(there, name, None)) for name in public]
    same = any(one is other for one, other in pairs)
    # random.Random inherits from _random.Random, and is the name by which its methods are known.
    assert same or any(isinstance(other, type) and issubclass(other, one) for one, other in pairs)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("builtins.len", "len"),
        ("posixpath.join", "os.path.join"),
        ("__builtins__.str.split", "str.split"),
        ("a.b", "a.b"),
    ],
)
def test_canonical(path, expected):
    assert canonical(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("print", None),
        ("type", None),
        ("super", None),
        ("max", None),
        ("enum.Enum", None),
        ("str", "str"),
        ("sorted", "list"),
        ("str.split", "list[str]"),
        ("collections.deque", "collections.deque"),
        ("numpy.Array", "numpy.Array"),
    ],
)
def test_result_type(path, expected):
    assert result_type(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("math.pi", "float"), ("string.digits", "str"), ("sys.stdin", None), ("len", None), ("numpy.pi", None)],
)
def test_constant_type(path, expected):
    assert constant_type(path) == expected


def test_star_names():
    assert {"sqrt", "pi"} <= star_names("math")
    assert star_names("antigravity") == frozenset()
