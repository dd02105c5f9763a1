"""Which APIs do the same kind of work, and by which syntax a program does that work itself."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of work: the APIs made for it, others that can do it, and what does it by hand (as `signs_of` names it).

    `re.*` is all of a module, or of a class.
    """

    apis: str
    others: str
    signs: str


_LOOPS: Final = "for while recursion"
_TESTS: Final = (
    "str.isalnum str.isalpha str.isascii str.isdecimal str.isdigit str.isidentifier str.islower str.isnumeric "
    "str.isprintable str.isspace str.istitle str.isupper"
)
_CASES: Final = "str.capitalize str.casefold str.lower str.swapcase str.title str.upper"
_MATCHES: Final = "re.findall re.finditer re.fullmatch re.match re.search re.Match.* re.Pattern.*"
_SORTS: Final = "heapq.* list.sort sorted"

# What is in no row is not known: it may do any work, and any other may do its.
KINDS: Final = (
    Kind(f"{_SORTS} collections.Counter.most_common", "bisect.* list.reverse max min", f"{_LOOPS} order"),
    Kind("bisect.*", f"list.index {_SORTS}", f"{_LOOPS} order"),
    Kind(
        "max min statistics.median statistics.mode",
        f"functools.reduce {_SORTS} collections.Counter.most_common",
        f"{_LOOPS} order condition",
    ),
    Kind(
        "math.fsum math.prod statistics.* sum",
        "functools.reduce itertools.accumulate math.* operator.*",
        f"{_LOOPS} + * //",
    ),
    Kind(
        "collections.Counter collections.Counter.* list.count str.count tuple.count",
        "itertools.groupby list.count sum",
        f"{_LOOPS} comprehension + in order equal index",
    ),
    Kind(
        "collections.defaultdict dict.setdefault",
        "collections.Counter dict.setdefault itertools.groupby",
        "in condition try index store",
    ),
    Kind("len", "dict.__len__ list.__len__ max set.__len__ str.__len__ sum tuple.__len__", f"{_LOOPS} + logic"),
    Kind(
        "str.partition str.rpartition str.rsplit str.split str.splitlines",
        f"{_MATCHES} re.split shlex.* str.find str.index textwrap.*",
        f"{_LOOPS} comprehension slice order equal in",
    ),
    Kind(
        "str.join",
        "format functools.reduce io.StringIO os.path.join pathlib.* re.sub str.__add__ str.format "
        "str.replace str.translate sum textwrap.*",
        f"{_LOOPS} + format % slice",
    ),
    Kind(
        "re.sub re.subn re.Pattern.sub str.replace str.translate",
        f"{_MATCHES} filter re.split str.join str.lstrip str.rstrip str.split str.strip str.removeprefix "
        "str.removesuffix",
        f"{_LOOPS} comprehension slice order equal in +",
    ),
    Kind(
        "str.lstrip str.removeprefix str.removesuffix str.rstrip str.strip",
        "re.* str.replace str.split str.join",
        f"{_LOOPS} slice",
    ),
    Kind("str.center str.ljust str.rjust str.zfill", "format str.format", f"{_LOOPS} + * slice format %"),
    Kind("str.format format", "repr str str.center str.join str.ljust str.rjust str.zfill round", "format % +"),
    Kind(
        f"{_MATCHES} re.compile re.split",
        f"all any fnmatch.* len set.issubset str.count str.endswith str.find "
        f"str.index str.partition str.replace str.rfind str.rindex str.split str.startswith str.strip {_TESTS}",
        f"{_LOOPS} comprehension slice order equal in index",
    ),
    Kind(
        "str.endswith str.find str.index str.rfind str.rindex str.startswith",
        f"{_MATCHES} enumerate next str.count str.partition str.split",
        f"{_LOOPS} slice order equal in index",
    ),
    Kind(
        _TESTS,
        f"{_TESTS} {_CASES} {_MATCHES} ast.literal_eval float int ord string.* unicodedata.*",
        "order equal in try",
    ),
    Kind(_CASES, f"{_CASES} chr ord re.sub str.translate string.*", "index slice + - ^ |"),
    Kind(
        "chr ord str.encode bytes.decode",
        "bytes bytes.* chr int str.encode str.find str.index str.maketrans str.translate string.*",
        "index order in - dictionary",
    ),
    Kind(
        "int math.ceil math.floor math.trunc round math.modf",
        "ast.literal_eval decimal.* divmod eval float "
        "format fractions.* int math.ceil math.floor math.isqrt math.trunc numpy.* ord round str.format",
        f"{_LOOPS} // % - >> order equal",
    ),
    Kind("float", "ast.literal_eval decimal.* eval fractions.* int numpy.*", "/ * + ** number"),
    Kind(
        "ascii repr str",
        "ascii bin chr format hex json.* oct repr str.format str.join",
        "while recursion format % // *",
    ),
    Kind(
        "bin hex int.bit_count int.bit_length oct",
        "divmod format int math.log math.log2 str.format",
        f"{_LOOPS} % // & >> format",
    ),
    Kind("abs math.fabs", "math.copysign math.dist math.hypot math.pow math.sqrt max pow", "negative ** -"),
    Kind("divmod", "math.floor math.fmod math.modf", "// %"),
    Kind(
        "cmath.sqrt math.cbrt math.dist math.exp math.hypot math.isqrt math.pow math.sqrt pow",
        "cmath.* math.* numpy.* operator.*",
        "recursion ** * // >> <<",
    ),
    Kind(
        "math.acos math.asin math.atan math.atan2 math.comb math.cos math.degrees math.factorial math.gcd math.lcm "
        "math.log math.log10 math.log2 math.perm math.radians math.sin math.tan fractions.* decimal.*",
        "cmath.* decimal.* fractions.* functools.reduce itertools.* math.* numpy.* statistics.*",
        f"{_LOOPS} + - * / % // ** >>",
    ),
    Kind(
        "math.e math.inf math.pi math.tau string.* sys.maxsize",
        "chr cmath.* math.* numpy.* string.* float range",
        "number text /",
    ),
    Kind(
        "dict.copy frozenset.copy list list.copy set.copy tuple copy.*",
        "collections.deque copy.* dict frozenset list list.copy set sorted tuple",
        "list tuple set dictionary comprehension slice star yield",
    ),
    Kind(
        "frozenset set dict.fromkeys",
        "all any collections.Counter dict dict.fromkeys frozenset itertools.groupby "
        "list.count list.index list.remove set.difference set.intersection set.union str.count",
        f"{_LOOPS} set comprehension in order equal dictionary",
    ),
    Kind(
        "frozenset.difference frozenset.intersection frozenset.issubset frozenset.union set.difference "
        "set.intersection set.isdisjoint set.issubset set.issuperset set.symmetric_difference set.union",
        "all any collections.Counter filter frozenset.* set.*",
        f"{_LOOPS} & | - ^ in comprehension order equal",
    ),
    Kind(
        "dict collections.OrderedDict",
        "collections.Counter collections.OrderedDict collections.defaultdict dict.fromkeys dict.update zip",
        "dictionary store comprehension",
    ),
    Kind("dict.items dict.keys dict.values", "dict.get dict.items dict.keys dict.values", "index comprehension"),
    Kind("dict.get", "collections.defaultdict dict.pop dict.setdefault", "in condition try index"),
    Kind(
        "list.append list.extend list.insert set.add set.update dict.update collections.deque.append "
        "collections.deque.appendleft collections.deque.extend",
        "heapq.heappush itertools.chain itertools.chain.* list.__add__ list.append list.extend list.insert set.add "
        "set.union",
        "+ comprehension store star slice yield list tuple",
    ),
    Kind(
        "list.clear list.pop list.remove dict.pop dict.popitem set.discard set.pop set.remove "
        "collections.deque.pop collections.deque.popleft",
        "filter heapq.heappop list.pop list.remove next collections.deque.pop collections.deque.popleft",
        "slice delete comprehension index recursion order equal in -",
    ),
    Kind(
        "list.index tuple.index",
        "bisect.* enumerate max min next operator.* str.find str.index",
        f"{_LOOPS} order equal comprehension index",
    ),
    Kind("zip", "enumerate itertools.* map", f"{_LOOPS} index"),
    Kind("enumerate", "itertools.count list.index zip", f"{_LOOPS} index +"),
    Kind(
        "filter map itertools.filterfalse itertools.starmap", "filter itertools.* map", f"{_LOOPS} comprehension index"
    ),
    Kind("iter next", "filter iter list.index max min next", "for while comprehension index"),
    Kind("range", "enumerate itertools.*", "while recursion for"),
    Kind(
        "list.reverse reversed",
        "collections.deque.appendleft list.insert list.reverse list.sort reversed sorted",
        f"{_LOOPS} slice index + minus",
    ),
    Kind(
        "all any",
        "all any filter max min set.isdisjoint set.issubset set.issuperset sorted sum",
        f"{_LOOPS} comprehension logic order equal",
    ),
    Kind("bool", "", "logic order equal in condition"),
    Kind(
        "callable hasattr isinstance issubclass type",
        "callable hasattr isinstance issubclass type",
        "order equal try class",
    ),
    Kind(
        "itertools.*", "collections.* functools.reduce itertools.* list.extend map sum zip", f"{_LOOPS} comprehension +"
    ),
    Kind("functools.reduce", "all any itertools.accumulate math.* max min sum", f"{_LOOPS} *"),
    Kind("operator.*", "operator.*", "lambda index comprehension for + - * / % ** & | ^"),
    Kind("collections.deque queue.*", "heapq.* list.append list.insert list.pop queue.*", "list slice"),
    Kind("os.path.*", "pathlib.* str.endswith str.join str.rpartition str.rsplit str.split", "+ format % for slice"),
    Kind("functools.cache functools.lru_cache", "", "dictionary in"),
    Kind("getattr input print super object", "", ""),
)

EVERY_SIGN: Final = frozenset(
    "for while recursion comprehension order equal in condition logic index slice store star delete yield try lambda "
    "format list tuple set dictionary negative minus class + - * / // % ** @ & | ^ ~ << >>".split()
)


class Table:
    """The rows of KINDS in which an API stands, by its name and its module or class; or `.name` of any class."""

    def __init__(self, columns: Mapping[int, str]):
        self.rows: dict[str, set[int]] = {}
        for row, apis in columns.items():
            for api in apis.split():
                self.rows.setdefault(api, set()).add(row)
                owner, _, name = api.rpartition(".")
                if owner and name != "*":
                    self.rows.setdefault(f".{name}", set()).add(row)

    def rows_of(self, api: str) -> set[int]:
        """Return the rows of the API `api`."""
        return set().union(*(self.rows.get(name, set()) for name in _names_for(api)))


def _names_for(api: str) -> Iterator[str]:
    yield api
    owner = api
    while owner := owner.rpartition(".")[0]:
        yield f"{owner}.*"


@cache
def _tables() -> tuple[Table, Table]:
    """Return where APIs stand as made for a kind of work, and as able to do it."""
    able = {row: f"{kind.apis} {kind.others}" for row, kind in enumerate(KINDS)}
    return Table({row: kind.apis for row, kind in enumerate(KINDS)}), Table(able)


def is_known(api: str) -> bool:
    """Say whether anything is known of the work of `api`, which may be `.name` of any class."""
    return bool(_tables()[1].rows_of(api))


def can_stand_in(other: str, api: str) -> bool:
    """Say whether `other` may do the work of `api`; so may all of which nothing is known."""
    made, able = _tables()
    if other in _HELPERS:
        return False
    return not made.rows_of(api) or not is_known(other) or not made.rows_of(api).isdisjoint(able.rows_of(other))


def signs_by_hand(api: str) -> frozenset[str]:
    """Return the signs that a program does the work of `api` itself."""
    rows = _tables()[0].rows_of(api)
    return frozenset(sign for row in rows for sign in KINDS[row].signs.split()) if rows else EVERY_SIGN


# What any program makes, walks and shows its data with: that says nothing of the work of another API.
_HELPERS: Final = frozenset({"range", "len", "print", "input", "iter", "super", "getattr", "object"})
