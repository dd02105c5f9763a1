"""What does the work of a deprecated API."""

import pytest

from edittool.analysis.work.substitute import read_work, substitute_for

SORTED = "def f(xs):\n    return sorted(xs)[0]"
CASES = {
    "another API": ("sorted", "def f(xs):\n    return min(xs)", SORTED, "other_api"),
    "another API of the kind as a value": (
        "collections.Counter",
        "def f(text):\n    return max(text, key=text.count)",
        "import collections\ndef f(text):\n    return max(collections.Counter(text))",
        "other_api",
    ),
    "an API of which nothing is known": (
        "sorted",
        "import toolbox\ndef f(xs):\n    return toolbox.least(xs)",
        SORTED,
        "other_api",
    ),
    "an API of another kind": ("sorted", "def f(xs):\n    return str(xs[0])", SORTED, "not_needed"),
    "oftener than in the reference": (
        "itertools.chain",
        "def f(xs):\n    return sum(sum(x) for x in xs)",
        "import itertools\ndef f(xs):\n    return sum(itertools.chain(*xs))",
        "other_api",
    ),
    "the replacement is no substitute": ("sorted", "def f(xs):\n    return my_sorted(xs)[0]", SORTED, "not_needed"),
    "a loop with a comparison": (
        "sorted",
        "def f(xs):\n    best = xs[0]\n    for x in xs:\n        if x < best:\n            best = x\n    return best",
        SORTED,
        "reimplementation",
    ),
    "recursion": (
        "sum",
        "def f(n):\n    return n and n + f(n - 1)",
        "def f(n):\n    return sum(range(n + 1)) + 0",
        "reimplementation",
    ),
    "a loop that the reference has too": (
        "abs",
        "def f(xs):\n    n = 0\n    for x in xs:\n        n += x\n    return n",
        "def f(xs):\n    n = 0\n    for x in xs:\n        n += abs(x)\n    return n",
        "not_needed",
    ),
    "an operator that cannot do it": (
        "round",
        "def f(x):\n    return x ** 2",
        "def f(x):\n    return round(x * x)",
        "not_needed",
    ),
    "a type of which nothing is known": (
        "complex",
        "def f(x):\n    return x + 1",
        "def f(x):\n    return complex(x)",
        "reimplementation",
    ),
    "no program at all": ("sorted", "", SORTED, "not_needed"),
}


@pytest.mark.parametrize(("api", "program", "reference", "wanted"), CASES.values(), ids=CASES)
def test_substitutes(api, program, reference, wanted):
    assert substitute_for(api, program, reference, "f", beside="my_sorted") == wanted


SIGNS = {
    "x[::-1]": {"slice", "minus"},
    "x[1]": {"index"},
    "-x": {"negative"},
    "x[-1]": {"minus", "index"},
    "x ** 0.5": {"**", "number"},
    "x not in y": {"in"},
    "1 < x <= 2": {"order"},
    "x is not y": {"equal"},
    "f'{x}'": {"format", "text"},
    "{*x}": {"set", "star"},
    "[y for y in x]": {"comprehension", "list"},
    "x if y else z": {"condition"},
    "not x": {"logic"},
    "x.__class__": {"class"},
    "f(x)": {"recursion"},
}


@pytest.mark.parametrize(("expression", "signs"), SIGNS.items(), ids=SIGNS)
def test_signs(expression, signs):
    assert set(read_work(f"def f(x):\n    return {expression}", "f").signs) == signs
