"""The changes of the built-in benchmark: fifteen APIs that are gone, and what stands in for each.

The APIs are ones that short programs lean on but can do without, so that a program about one of them need not touch
another. `len` and `range` are left alone on purpose: nearly every program uses them, and no problem would be left that
a change should not touch.
"""

from dataclasses import replace

from ...schemas.changes import Change, Usage
from ..usages.apis import find_api


def _change(deprecated: str, usage: Usage, signature: str, doc: str, shim: str) -> Change:
    replacement = signature.partition("(")[0]
    kind = find_api(deprecated).kind
    return Change(deprecated, deprecated, replacement, usage, signature, shim.removeprefix("\n"), doc, kind=kind)


_DECLARED = (
    _change(
        "sorted",
        "keyword_only",
        "my_builtin_sorted(*, values, key=None, reverse=False)",
        "Return a new list of values in ascending order; every argument is given by name.",
        """
def my_builtin_sorted(*, values, key=None, reverse=False):
    return sorted(values, key=key, reverse=reverse)
""",
    ),
    _change(
        "zip",
        "packed",
        "my_builtin_zip(iterables)",
        "Iterate over several iterables in parallel; they are given together as one list or tuple.",
        """
def my_builtin_zip(iterables):
    if not isinstance(iterables, (list, tuple)):
        raise TypeError(f"my_builtin_zip() takes a list or tuple of iterables, not {type(iterables).__name__}")
    return zip(*iterables)
""",
    ),
    _change(
        "enumerate",
        "keyword_only",
        "my_builtin_enumerate(*, iterable, start=0)",
        "Iterate over pairs of a count, from start on, and a value; every argument is given by name.",
        """
def my_builtin_enumerate(*, iterable, start=0):
    return enumerate(iterable, start)
""",
    ),
    _change(
        "round",
        "reordered",
        "my_builtin_round(ndigits, number)",
        "Round to ndigits digits after the decimal point; the digits come first, and None gives an integer.",
        """
def my_builtin_round(ndigits, number):
    return round(number, ndigits)
""",
    ),
    _change(
        "math.sqrt",
        "keyword_only",
        "my_math_sqrt(*, value)",
        "Return the square root of value, which is given by name.",
        """
import math


def my_math_sqrt(*, value):
    return math.sqrt(value)
""",
    ),
    _change(
        "math.gcd",
        "renamed",
        "my_math_gcd(*integers)",
        "Return the greatest common divisor of the integers.",
        """
import math


def my_math_gcd(*integers):
    return math.gcd(*integers)
""",
    ),
    _change(
        "math.pi",
        "function",
        "my_math_pi()",
        "Return the ratio of a circle's circumference to its diameter; it is a function, not a constant.",
        """
import math


def my_math_pi():
    return math.pi
""",
    ),
    _change(
        "os.path.join",
        "packed",
        "my_os_path_join(parts)",
        "Join the parts of a path, which are given together as one list or tuple.",
        """
import os


def my_os_path_join(parts):
    if not isinstance(parts, (list, tuple)):
        raise TypeError(f"my_os_path_join() takes a list or tuple of parts, not {type(parts).__name__}")
    return os.path.join(*parts)
""",
    ),
    _change(
        "re.sub",
        "reordered",
        "my_re_sub(string, pattern, repl)",
        "Return string with each match of pattern replaced by repl; the string comes first.",
        """
import re


def my_re_sub(string, pattern, repl):
    return re.sub(pattern, repl, string)
""",
    ),
    _change(
        "heapq.heappush",
        "reordered",
        "my_heapq_heappush(item, heap)",
        "Push item onto the heap; the item comes first.",
        """
import heapq


def my_heapq_heappush(item, heap):
    heapq.heappush(heap, item)
""",
    ),
    _change(
        "itertools.chain",
        "packed",
        "my_itertools_chain(iterables)",
        "Iterate over one iterable after the other; they are given together as one list or tuple.",
        """
import itertools


def my_itertools_chain(iterables):
    if not isinstance(iterables, (list, tuple)):
        raise TypeError(f"my_itertools_chain() takes a list or tuple of iterables, not {type(iterables).__name__}")
    return itertools.chain(*iterables)
""",
    ),
    _change(
        "collections.Counter",
        "keyword_only",
        "my_collections_Counter(*, values)",
        "Count how often each of the values occurs; they are given by name.",
        """
import collections


def my_collections_Counter(*, values):
    return collections.Counter(values)
""",
    ),
    _change(
        "str.split",
        "function",
        "my_str_split(*, text, sep=None, maxsplit=-1)",
        "Split text at sep, or at white space; a function whose arguments are given by name.",
        """
def my_str_split(*, text, sep=None, maxsplit=-1):
    return str.split(text, sep, maxsplit)
""",
    ),
    _change(
        "str.join",
        "function",
        "my_str_join(*, sep, parts)",
        "Put the parts together with sep between them; a function whose arguments are given by name.",
        """
def my_str_join(*, sep, parts):
    return str.join(sep, parts)
""",
    ),
    _change(
        "list.append",
        "function",
        "my_list_append(*, items, value)",
        "Add value at the end of the list items; a function whose arguments are given by name.",
        """
def my_list_append(*, items, value):
    list.append(items, value)
""",
    ),
)

CHANGES = tuple(replace(change, order=place) for place, change in enumerate(_DECLARED))
