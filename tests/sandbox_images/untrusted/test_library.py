"""The standard library keeps working while a hundred of the APIs that it lives on are removed from the program."""

import builtins
from types import ModuleType
from typing import Any

import pytest

from edittool.sandbox_images.python.untrusted.removal import resolve_owner

REMOVED = """
abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format frozenset
hash hex id input int isinstance issubclass iter len list map max min next object oct open ord pow print property range
repr reversed round set slice sorted staticmethod str sum super tuple type zip
str.split str.join str.strip str.lower str.upper str.replace str.startswith str.endswith str.format str.find
str.isdigit str.encode str.rstrip str.count bytes.decode list.append list.sort list.pop list.extend list.insert
list.index dict.items dict.get dict.keys dict.values dict.setdefault dict.update dict.pop set.add set.update
re.sub re.match re.compile re.findall re.split math.floor math.sqrt math.log math.gcd math.pi math.ceil os.path.join
os.path.split os.getcwd collections.Counter collections.deque collections.defaultdict collections.OrderedDict
collections.namedtuple collections.deque.append collections.Counter.most_common itertools.chain itertools.repeat
itertools.islice functools.reduce functools.partial functools.wraps heapq.heappop heapq.heappush operator.itemgetter
operator.mul bisect.bisect_left random.random datetime.date datetime.timedelta string.ascii_letters copy.copy
io.StringIO time.time fractions.Fraction decimal.Decimal random.Random.shuffle struct.pack warnings.warn
""".split()

# Imports, an expression in them that names nothing removed, and its value. Lines before the last one are statements.
WORKING = [
    ("textwrap", "textwrap.fill('a bb ccc', 4)", "a bb\nccc"),
    ("textwrap", "textwrap.dedent('  a\\n   b')", "a\n b"),
    ("json", "json.dumps({'b': [1, 2.5, None], 'a': 'é'}, sort_keys=True)", '{"a": "\\u00e9", "b": [1, 2.5, null]}'),
    ("json", "json.loads('{\"a\": [1, true]}')", {"a": [1, True]}),
    ("json", "json.dumps({'a': [1]}, indent=1)", '{\n "a": [\n  1\n ]\n}'),
    ("statistics", "statistics.median([3, 1, 2])", 2),
    ("statistics", "statistics.mode('aab')", "a"),
    ("statistics", "statistics.stdev([1, 2, 3])", 1.0),
    ("csv", "[row for row in csv.reader(['a,\"b,c\"', 'd'])]", [["a", "b,c"], ["d"]]),
    ("csv", "[row for row in csv.DictReader(['a,b', '1,2'])]", [{"a": "1", "b": "2"}]),
    ("heapq", "[x for x in heapq.merge([1, 4], [2, 3])]", [1, 2, 3, 4]),
    ("heapq", "heapq.nsmallest(2, [5, 1, 4], key=lambda x: -x)", [5, 4]),
    ("collections", "collections.ChainMap({'a': 1}, {'b': 2})['b']", 2),
    ("collections", "collections.UserList([1, 2])[0]", 1),
    ("re", "re.search('(b+)', 'abbc').group(1)", "bb"),
    ("re", "re.subn('b', 'x', 'abb')", ("axx", 2)),
    ("string", "string.Template('$a-$b').substitute(a=1, b=2)", "1-2"),
    ("string", "string.capwords('ab cd')", "Ab Cd"),
    ("string", "string.Formatter().vformat('{0}:{x:>3}', [1], {'x': 2})", "1:  2"),
    ("datetime", "datetime.datetime.strptime('2020-03-01', '%Y-%m-%d').isoformat()", "2020-03-01T00:00:00"),
    ("datetime", "(datetime.datetime(2020, 1, 2) - datetime.datetime(2020, 1, 1)).days", 1),
    ("fractions", "my_fractions_Fraction(1, 3).limit_denominator(2).denominator", 2),
    ("decimal", "(my_decimal_Decimal('1.10') + my_decimal_Decimal('2')).to_eng_string()", "3.10"),
    ("random", "random.seed(1)\n[random.randint(1, 9) for _ in 'abc']", [3, 2, 5]),
    ("random", "random.Random(7).sample([1, 2, 3], 3).__len__()", 3),
    ("bisect", "bisect.bisect_right([1, 2, 2, 3], 2)", 3),
    ("itertools", "[x for x in itertools.permutations('abc', 2)][1]", ("a", "c")),
    ("itertools", "[(k, [x for x in g]) for k, g in itertools.groupby('aab')]", [("a", ["a", "a"]), ("b", ["b"])]),
    ("functools", "@functools.lru_cache\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(30)", 832040),
    ("functools", "key = functools.cmp_to_key(lambda a, b: b - a)\nkey(1) > key(2)", True),
    (
        "functools",
        "@functools.total_ordering\n"
        "class A:\n"
        "    def __eq__(self, o): return True\n"
        "    def __lt__(self, o): return False\n"
        "A() >= A()",
        True,
    ),
    ("functools", "@functools.singledispatch\ndef g(x): return 'other'\ng(1)", "other"),
    ("operator", "operator.attrgetter('real.imag')(5)", 0),
    ("copy", "copy.deepcopy({'a': [1, {2}]})", {"a": [1, {2}]}),
    ("pprint", "pprint.pformat({'b': [1], 'a': (2,)})", "{'a': (2,), 'b': [1]}"),
    ("difflib", "difflib.get_close_matches('appel', ['ape', 'apple'])", ["apple", "ape"]),
    ("difflib", "[x for x in difflib.ndiff(['a'], ['b'])]", ["- a", "+ b"]),
    ("argparse", "p = argparse.ArgumentParser()\np.add_argument('-n', default=1)\np.parse_args(['-n', '5']).n", "5"),
    ("configparser", "c = configparser.ConfigParser()\nc.read_string('[a]\\nb = 1')\nc['a'].getint('b')", 1),
    ("html", "html.unescape(html.escape('<a & b>'))", "<a & b>"),
    ("urllib.parse", "urllib.parse.urlencode({'a b': 'ü'})", "a+b=%C3%BC"),
    ("urllib.parse", "urllib.parse.urlsplit('http://h:80/p?q').port", 80),
    ("base64", "base64.b64encode(b'abc')", b"YWJj"),
    ("base64", "base64.b32decode('MFRGG===')", b"abc"),
    ("hashlib", "hashlib.sha256(b'a').hexdigest()[:8]", "ca978112"),
    ("struct", "struct.unpack('<h', b'\\x01\\x02')", (513,)),
    ("calendar", "calendar.monthrange(2024, 2)", (3, 29)),
    ("calendar", "calendar.month(2024, 2).__len__() > 100", True),
    ("enum", "class E(enum.Enum):\n    A = enum.auto()\n    B = enum.auto()\nE(2).name", "B"),
    ("enum", "class E(enum.Flag):\n    A = 1\n    B = 2\n(E.A | E.B).value", 3),
    (
        "dataclasses",
        "@dataclasses.dataclass(order=True)\n"
        "class P:\n"
        "    x: int\n"
        "    y: list = dataclasses.field(default_factory=lambda: [1])\n"
        "P(1) < P(2)",
        True,
    ),
    (
        "dataclasses",
        "@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int\nP(1).__hash__() == P(1).__hash__()",
        True,
    ),
    (
        "dataclasses",
        "@dataclasses.dataclass(frozen=True)\n"
        "class P:\n"
        "    x: int\n"
        "try:\n"
        "    P(1).x = 2\n"
        "except dataclasses.FrozenInstanceError:\n"
        "    found = 'frozen'\n"
        "found",
        "frozen",
    ),
    ("dataclasses", "@dataclasses.dataclass\nclass P:\n    x: int\ndataclasses.asdict(P(1))", {"x": 1}),
    ("dataclasses", "@dataclasses.dataclass\nclass P:\n    x: int\nP(1).__repr__()[-6:]", "P(x=1)"),
    ("typing", "class P(typing.NamedTuple):\n    x: int\n    y: str = 'a'\nP(1)", (1, "a")),
    ("typing", "class T(typing.TypedDict):\n    x: int\nT(x=1)", {"x": 1}),
    ("typing", "typing.Optional[typing.List['P']].__module__", "typing"),
    ("inspect", "inspect.signature(lambda a, *, b=1: 0).parameters['b'].default", 1),
    ("inspect", "inspect.getdoc(inspect.getdoc)[:3]", "Get"),
    ("ast", "ast.literal_eval(\"{'a': [1, (2, 3)]}\")", {"a": [1, (2, 3)]}),
    ("ast", "ast.unparse(ast.parse('x=[ 1]'))", "x = [1]"),
    ("tokenize", "[t.string for t in tokenize.generate_tokens(my_io_StringIO('a+1').readline)][:3]", ["a", "+", "1"]),
    ("shlex", "shlex.split(\"a 'b c'\")", ["a", "b c"]),
    ("fnmatch", "fnmatch.filter(['a.py', 'b.c'], '*.py')", ["a.py"]),
    ("glob", "glob.glob('/no-such-folder/*')", []),
    ("pathlib", "(pathlib.PurePosixPath('a') / 'b.txt').suffix", ".txt"),
    ("pathlib", "pathlib.PurePosixPath('/a/b').relative_to('/a').as_posix()", "b"),
    (
        "tempfile",
        "with tempfile.TemporaryFile('w+') as file:\n"
        "    file.write('abc')\n"
        "    file.seek(0)\n"
        "    found = file.read()\n"
        "found",
        "abc",
    ),
    ("io", "io.BytesIO(b'a\\nb').readlines()", [b"a\n", b"b"]),
    ("zlib", "zlib.decompress(zlib.compress(b'abc'))", b"abc"),
    ("gzip", "gzip.decompress(gzip.compress(b'abc'))", b"abc"),
    ("uuid", "uuid.UUID(int=1).hex[-2:]", "01"),
    ("secrets", "secrets.token_hex(4).__len__()", 8),
    ("time", "time.strftime('%Y', (2020, 1, 1, 0, 0, 0, 0, 1, 0))", "2020"),
    ("numbers", "numbers.Number.register and 1", 1),
    ("contextlib", "@contextlib.contextmanager\ndef c():\n    yield 5\nwith c() as x:\n    found = x\nfound", 5),
    (
        "contextlib, io",
        "b = my_io_StringIO()\n"
        "import sys\n"
        "with contextlib.redirect_stdout(b):\n"
        "    sys.stdout.write('x')\n"
        "b.getvalue()",
        "x",
    ),
    ("logging", "logging.getLogger('x').getEffectiveLevel()", 30),
    (
        "traceback",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    found = traceback.format_exc()[-17:-1]\nfound",
        "division by zero",
    ),
    ("unicodedata", "unicodedata.normalize('NFD', 'é')[0]", "e"),
    ("queue", "q = queue.PriorityQueue()\nq.put(2)\nq.put(1)\nq.get()", 1),
    (
        "threading",
        "out = {}\nt = threading.Thread(target=lambda: out.__setitem__('a', 1))\nt.start()\nt.join()\nout",
        {"a": 1},
    ),
    ("asyncio", "async def a():\n    await asyncio.sleep(0)\n    return 4\nasyncio.run(a())", 4),
    ("xml.etree.ElementTree", "xml.etree.ElementTree.fromstring('<a b=\"1\"><c/></a>').find('c').tag", "c"),
    ("cmath", "cmath.polar(1j)[0]", 1.0),
    ("array", "array.array('i', [1, 2]).tolist()", [1, 2]),
    ("graphlib", "[x for x in graphlib.TopologicalSorter({'b': ['a']}).static_order()]", ["a", "b"]),
    ("keyword", "keyword.iskeyword('for')", True),
    ("locale", "locale.str(1.5)", "1.5"),
    ("platform", "platform.python_version()[:2]", "3."),
    ("pickle", "pickle.loads(pickle.dumps({'a': [1, {2}]}))", {"a": [1, {2}]}),
    ("weakref", "class A: pass\na = A()\nweakref.ref(a)() is a", True),
    ("types", "types.SimpleNamespace(a=1).__repr__()", "namespace(a=1)"),
    (
        "abc",
        "class A(abc.ABC):\n"
        "    @abc.abstractmethod\n"
        "    def m(self): pass\n"
        "try:\n"
        "    A()\n"
        "except TypeError as error:\n"
        "    found = error.args[0][:17]\n"
        "found",
        "Can't instantiate",
    ),
    ("doctest", "doctest.DocTestParser().get_examples('>>> 1 + 1\\n2\\n')[0].want", "2\n"),
    ("timeit", "timeit.timeit('1 + 1', number=2) > 0", True),
    (
        "warnings",
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    my_warnings_warn('x')\n"
        "seen.__len__()",
        1,
    ),
    ("colorsys", "colorsys.rgb_to_hsv(1, 1, 1)", (0.0, 0.0, 1)),
    ("math", "math.prod([2, 3])", 6),
]


def shim(name: str) -> str:
    """Return a replacement of `name` that takes what it took."""
    owner, attribute = resolve_owner(name)
    path = owner.__name__ if isinstance(owner, ModuleType) else name.rpartition(".")[0]
    top = path.partition(".")[0]
    imports = "" if hasattr(builtins, top) else f"import {top}\n"
    call = "(*args, **kwargs)" if callable(getattr(owner, attribute)) else ""
    return f"{imports}def {replacement(name)}(*args, **kwargs):\n    return {path}.{attribute}{call}\n"


def replacement(name: str) -> str:
    return "my_" + name.replace(".", "_")


CHANGES = [{"deprecated": name, "replacement": replacement(name), "shim": shim(name)} for name in REMOVED]


def program(imports: str, code: str) -> str:
    *statements, last = code.split("\n")
    body = "".join(f"    {line}\n" for line in statements)
    return f"import {imports}\ndef f():\n{body}    return {last}\n"


def job(row: Any) -> dict[str, Any]:
    return {"changes": CHANGES, "program": program(*row[:2]), "call": True}


@pytest.fixture(scope="module")
def replies(run_in_worlds: Any) -> list[dict[str, Any]]:
    return list(run_in_worlds([job(row) for row in WORKING]))


def test_there_is_enough_of_it() -> None:
    assert len(REMOVED) >= 100
    assert len({row[0] for row in WORKING}) >= 50


@pytest.mark.parametrize("number", range(len(WORKING)), ids=[f"{row[0]}: {row[1][:40]}" for row in WORKING])
def test_a_function_of_the_library_gives_what_it_always_gives(replies: list[dict[str, Any]], number: int) -> None:
    from edittool.sandbox_images.python.boundary import codec

    reply = replies[number]
    assert "error" not in reply, reply["error"]
    assert codec.decode(reply["value"], lambda handle: None) == WORKING[number][2]
    assert reply["bypass"] == []


def test_what_the_library_calls_for_its_own_work_is_nobody_elses(run_in_worlds: Any) -> None:
    watched = run_in_worlds([job(row) | {"run": "watched"} for row in WORKING])
    wrong = {row[1]: reply for row, reply in zip(WORKING, watched, strict=True) if reply["bypass"] or "error" in reply}
    assert wrong == {}
