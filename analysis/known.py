"""What is known of Python's own APIs without running anything: types, classes, results, twins, public names."""

import builtins
import importlib
from functools import cache

BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("_")) | {"__import__"}
BUILTIN_TYPES = frozenset(
    name
    for name in BUILTIN_NAMES
    if isinstance(getattr(builtins, name), type) and not issubclass(getattr(builtins, name), BaseException)
)

LOWERCASE_CLASSES = frozenset(
    {
        "array.array",
        "collections.defaultdict",
        "collections.deque",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "datetime.tzinfo",
        "functools.cached_property",
        "functools.partial",
        "functools.partialmethod",
        "functools.singledispatchmethod",
        "itertools.accumulate",
        "itertools.chain",
        "itertools.combinations",
        "itertools.combinations_with_replacement",
        "itertools.compress",
        "itertools.count",
        "itertools.cycle",
        "itertools.dropwhile",
        "itertools.filterfalse",
        "itertools.groupby",
        "itertools.islice",
        "itertools.pairwise",
        "itertools.permutations",
        "itertools.product",
        "itertools.repeat",
        "itertools.starmap",
        "itertools.takewhile",
        "itertools.zip_longest",
        "operator.attrgetter",
        "operator.itemgetter",
        "operator.methodcaller",
        "os.stat_result",
        "os.statvfs_result",
        "os.terminal_size",
        "time.struct_time",
    }
)

# The same objects under another module's name.
TWINS = {
    "__builtin__": "builtins",
    "__builtins__": "builtins",
    "_bisect": "bisect",
    "_collections": "collections",
    "_collections_abc": "collections.abc",
    "_functools": "functools",
    "_heapq": "heapq",
    "_operator": "operator",
    "posixpath": "os.path",
}

# A method belongs to the class that defines it, so a call of a subclass's instance is looked up here too.
BASES = {
    "bool": ("int",),
    "collections.Counter": ("dict",),
    "collections.OrderedDict": ("dict",),
    "collections.defaultdict": ("dict",),
    "datetime.datetime": ("datetime.date",),
}

_STR_METHODS = (
    "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix removesuffix "
    "replace rjust rstrip strip swapcase title translate upper zfill"
)
_RESULTS = {
    "str": "ascii bin chr format hex input oct repr json.dumps re.sub re.escape bytes.decode "
    "os.path.join os.path.basename os.path.dirname os.getcwd "
    + " ".join(f"str.{method}" for method in _STR_METHODS.split()),
    "list": "dir sorted str.split str.rsplit str.splitlines list.copy re.findall re.split "
    "heapq.nlargest heapq.nsmallest collections.Counter.most_common",
    "tuple": "divmod str.partition str.rpartition dict.popitem",
    "int": "hash id len ord str.count str.find str.index str.rfind str.rindex list.count list.index "
    "int.bit_length math.ceil math.floor math.gcd math.factorial math.comb math.isqrt random.randint",
    "float": "math.sqrt math.pow math.log math.sin math.cos math.fsum random.random",
    "bool": "all any callable hasattr isinstance issubclass str.isdigit str.startswith str.endswith",
    "set": "set.copy set.difference set.intersection set.symmetric_difference set.union",
    "dict": "dict.copy dict.fromkeys globals locals",
    "bytes": "str.encode",
}
RETURNS = {api: kind for kind, apis in _RESULTS.items() for api in apis.split()}

# Module members that are values of a builtin type.
VALUES = {
    **{f"string.{name}": "str" for name in ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits")},
    **{f"string.{name}": "str" for name in ("hexdigits", "octdigits", "printable", "punctuation", "whitespace")},
    **{f"math.{name}": "float" for name in ("e", "inf", "nan", "pi", "tau")},
    "sys.argv": "list",
    "sys.maxsize": "int",
}

_STARS = """
    bisect cmath collections copy datetime decimal fractions functools heapq itertools json math operator os os.path
    random re statistics string sys time typing
"""
STAR_MODULES = frozenset(_STARS.split())


def canonical(path: str) -> str:
    """Return the one spelling of an API's name: `builtins.len` is `len`, `posixpath.join` is `os.path.join`."""
    head, dot, rest = path.partition(".")
    path = TWINS.get(head, head) + dot + rest
    return path.removeprefix("builtins.")


def member(path: str, name: str) -> str:
    """Return the name of the attribute `name` of the API `path`."""
    return canonical(f"{path}.{name}")


def is_class(path: str) -> bool:
    """Say whether `path` names a class: a builtin type, one of the lower-case classes, or capitals (PEP 8)."""
    owner, _, name = path.rpartition(".")
    return path in BUILTIN_TYPES or path in LOWERCASE_CLASSES or bool(owner and name[:1].isupper())


def result_type(path: str) -> str | None:
    """Return the type of what calling the API `path` gives, where that is certain."""
    if path in RETURNS:
        return RETURNS[path]
    return path if is_class(path) and path not in ("type", "super") else None


@cache
def star_names(module: str) -> frozenset[str]:
    """Return the names that `from module import *` binds, for the modules of STAR_MODULES."""
    if module not in STAR_MODULES:
        return frozenset()
    loaded = importlib.import_module(module)
    public = getattr(loaded, "__all__", None)
    return frozenset(public or (name for name in dir(loaded) if not name.startswith("_")))
