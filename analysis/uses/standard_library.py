"""Python's own APIs, as far as they are known without running the program: names, classes, results, twins.

Builtins and the modules of MODULES are looked at as they are on this machine; of others only the names are known.
"""

import builtins
import importlib
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal, NamedTuple

BUILTIN_NAMES = frozenset(name for name in dir(builtins) if not name.startswith("_")) | {"__import__"}

# Importing these does nothing but import: the names come from programs that are not trusted.
_MODULES = """
    abc argparse array ast asyncio base64 binascii bisect builtins bz2 calendar cmath codecs collections collections.abc
    colorsys concurrent.futures configparser contextlib contextvars copy copyreg csv dataclasses datetime decimal
    difflib dis enum errno fnmatch fractions functools gc getopt getpass glob graphlib gzip hashlib heapq hmac html
    html.parser http.client importlib inspect io ipaddress itertools json keyword linecache locale logging lzma marshal
    math mimetypes multiprocessing numbers opcode operator os os.path pathlib pickle platform pprint queue random re
    reprlib sched secrets select selectors shlex shutil signal socket sqlite3 stat statistics string struct subprocess
    sys tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata unittest
    unittest.mock urllib urllib.parse urllib.request uuid warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo
"""
MODULES = frozenset(_MODULES.split())

# The same objects under another module's name.
TWINS = {
    "__builtin__": "builtins",
    "__builtins__": "builtins",
    "_bisect": "bisect",
    "_collections": "collections",
    "_collections_abc": "collections.abc",
    "_functools": "functools",
    "_heapq": "heapq",
    "_io": "io",
    "_operator": "operator",
    "_random": "random",
    "_struct": "struct",
    "posixpath": "os.path",
}

_STR_METHODS = (
    "capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix removesuffix "
    "replace rjust rstrip strip swapcase title translate upper zfill"
)
_STR_TESTS = (
    "endswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle "
    "isupper startswith"
)
# `list[str]`: a list that holds strings until somebody stores something else in it.
_RESULTS = {
    "str": "ascii bin chr format hex input oct repr json.dumps re.sub re.escape bytes.decode bytes.hex float.hex "
    "os.path.join os.path.basename os.path.dirname os.path.abspath os.getcwd textwrap.dedent textwrap.fill "
    "datetime.datetime.isoformat datetime.date.isoformat datetime.date.strftime "
    + " ".join(f"str.{method}" for method in _STR_METHODS.split()),
    "list": "dir sorted list.copy re.findall re.split heapq.nlargest heapq.nsmallest random.sample random.choices "
    "collections.Counter.most_common",
    "list[str]": "str.split str.rsplit str.splitlines textwrap.wrap",
    "tuple": "divmod dict.popitem re.Match.groups re.Match.span",
    "tuple[str]": "str.partition str.rpartition os.path.split os.path.splitext",
    "int": "hash id len ord str.count str.find str.index str.rfind str.rindex list.count list.index tuple.count "
    "tuple.index int.bit_length int.bit_count int.from_bytes bisect.bisect bisect.bisect_left bisect.bisect_right "
    "math.comb math.factorial math.gcd math.isqrt math.lcm math.perm random.randint random.randrange "
    "re.Match.start re.Match.end",
    "float": "math.sqrt math.pow math.log math.log2 math.log10 math.sin math.cos math.tan math.exp math.fabs math.fsum "
    "math.hypot math.radians math.degrees float.fromhex random.random random.uniform time.time",
    "bool": "all any callable hasattr isinstance issubclass math.isclose math.isnan math.isinf float.is_integer "
    "set.issubset set.issuperset set.isdisjoint " + " ".join(f"str.{method}" for method in _STR_TESTS.split()),
    "set": "set.copy set.difference set.intersection set.symmetric_difference set.union",
    "frozenset": "frozenset.difference frozenset.intersection frozenset.union",
    "dict": "dict.copy dict.fromkeys globals locals",
    "dict_items": "dict.items",
    "dict_keys": "dict.keys",
    "dict_values": "dict.values",
    "bytes": "str.encode int.to_bytes bytes.fromhex",
    "collections.Counter": "collections.Counter.copy",
    "collections.deque": "collections.deque.copy",
    "datetime.datetime": "datetime.datetime.strptime datetime.datetime.now",
    "re.Match": "re.match re.search re.fullmatch re.Pattern.match re.Pattern.search re.Pattern.fullmatch",  # or None
    "re.Pattern": "re.compile",
    "callable_iterator[re.Match]": "re.finditer re.Pattern.finditer",
}
RETURNS = {api: kind for kind, apis in _RESULTS.items() for api in apis.split()}

# What iterating over a value of a type gives.
ELEMENTS = {"str": "str", "bytes": "int", "bytearray": "int", "range": "int"}
# Types whose slices are of the same type.
SLICED = frozenset({"str", "bytes", "list", "tuple", "range"})

# What an annotation says of the values a parameter is given; a float may be an int, and so is left out.
ANNOTATED = {
    **{name: name for name in ("str", "int", "list", "dict", "set", "tuple", "bytes")},
    "typing.Dict": "dict",
    "typing.List": "list",
    "typing.Set": "set",
    "typing.Text": "str",
    "typing.Tuple": "tuple",
}

_CONSTANTS = (str, int, float, bool, complex, list, tuple, dict, bytes)

Standing = Literal["module", "class", "value", "missing", "unseen"]


class _Found(NamedTuple):
    standing: Standing
    value: Any = None


def canonical(path: str) -> str:
    """Return the one spelling of an API's name: `builtins.len` is `len`, `posixpath.join` is `os.path.join`."""
    head, dot, rest = path.partition(".")
    path = TWINS.get(head, head) + dot + rest
    return path.removeprefix("builtins.")


def member(path: str, name: str) -> str:
    """Return the name of the attribute `name` of the API `path`."""
    return canonical(f"{path}.{name}")


def standing(path: str) -> Standing:
    """Say what the canonical name `path` stands for; `unseen` where it belongs to a module that is not looked at."""
    return _find(path).standing


def is_class(path: str) -> bool:
    """Say whether `path` names a class; of classes that cannot be looked at, by their capitals (PEP 8)."""
    found = _find(path).standing
    owner, _, name = path.rpartition(".")
    return found == "class" or (found == "unseen" and bool(owner and name[:1].isupper()))


def home(owner: str, name: str) -> str | None:
    """Return the canonical name of the attribute `name` of instances of the class `owner`.

    It belongs to the class that defines it (`dict.items` for a Counter's). None: that class has no such attribute.
    """
    found = _find(owner)
    if found.standing != "class":
        return member(owner, name)
    definer = next((base for base in found.value.__mro__ if name in base.__dict__), None)
    return member(_name_of(definer), name) if definer else None


def constant_type(path: str) -> str | None:
    """Return the builtin type of the value that `path` names: `float` for math.pi."""
    value = _find(path).value
    return type(value).__name__ if type(value) in _CONSTANTS else None


def result_type(path: str) -> str | None:
    """Return the type of what calling the API `path` gives, where that is certain."""
    if path in RETURNS:
        return RETURNS[path]
    if not is_class(path) or path in ("type", "super"):
        return None
    calls = type(_find(path).value).__call__  # a metaclass may give anything: enum.Enum("A", "B C") is a class
    return path if calls is type.__call__ or _find(path).standing == "unseen" else None


def star_names(module: str) -> frozenset[str]:
    """Return the names that `from module import *` binds, for the modules of MODULES."""
    if module not in MODULES:
        return frozenset()
    loaded = importlib.import_module(module)
    public = getattr(loaded, "__all__", None)
    return frozenset(public or (name for name in dir(loaded) if not name.startswith("_")))


@lru_cache(maxsize=10_000)
def _find(path: str) -> _Found:
    parts = path.split(".")
    if parts[0] in BUILTIN_NAMES:
        value, rest = getattr(builtins, parts[0]), parts[1:]
    else:
        length = next((end for end in range(min(len(parts), 3), 0, -1) if ".".join(parts[:end]) in MODULES), 0)
        if not length:
            return _Found("unseen")
        try:
            value, rest = importlib.import_module(".".join(parts[:length])), parts[length:]
        except ImportError:  # a Python built without it
            return _Found("unseen")
    for name in rest:
        if name not in dir(value) and isinstance(value, ModuleType) and hasattr(value, "__path__"):
            return _Found("unseen")  # a submodule, perhaps
        try:
            value = getattr(value, name)
        except Exception:  # attributes of the host's objects may fail as they like
            return _Found("missing")
    if isinstance(value, ModuleType):
        return _Found("module", value)
    return _Found("class" if isinstance(value, type) else "value", value)


def _name_of(cls: type) -> str:
    return canonical(f"{cls.__module__}.{cls.__qualname__}")
