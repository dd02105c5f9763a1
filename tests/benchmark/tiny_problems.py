"""A data set of tiny problems: three for each of a few APIs, and one of each kind that gives trouble."""

from edittool.schemas.problems import Problem, Test


def like_mbpp(text: str, code: str, *tests: str) -> Problem:
    """Make a problem whose prompt is a text alone."""
    return _problem(f'"""\n{text}\n"""\n', code, tests)


def like_humaneval(prompt: str, body: str, *tests: str) -> Problem:
    """Make a problem whose prompt begins the program."""
    return _problem(prompt, body, tests)


def _problem(prompt: str, answer: str, tests: tuple[str, ...]) -> Problem:
    name = (prompt + answer).rpartition("\ndef ")[2] if "def " in answer else prompt.rpartition("def ")[2]
    name = name.partition("(")[0]
    return Problem(
        task_id=f"tiny/{name}",
        prompt=prompt,
        entry_point=name,
        solution=prompt + answer,
        tests=tuple(Test("", f"assert candidate{test}") for test in tests),
        subset="specificity",
        change_id=None,
    )


SOUND = [
    like_mbpp(
        "Put numbers in order.", "def ascending(xs):\n    return sorted(xs)\n", "([2, 1]) == [1, 2]", "([]) == []"
    ),
    like_mbpp("Rank the values.", "def ranked(xs):\n    return sorted(xs, reverse=True)\n", "([1, 2]) == [2, 1]"),
    like_humaneval(
        'def median(xs):\n    """Find the middle one."""\n',
        "    return sorted(xs)[len(xs) // 2]\n",
        "([3, 1, 2]) == 2",
    ),
    like_mbpp("Add everything up.", "def total(xs):\n    return sum(xs)\n", "([1, 2]) == 3", "([]) == 0"),
    like_mbpp("Compute the mean.", "def mean(xs):\n    return sum(xs) / len(xs)\n", "([1, 3]) == 2"),
    like_humaneval(
        'def squares(xs):\n    """Sum of squares."""\n', "    return sum(x * x for x in xs)\n", "([1, 2]) == 5"
    ),
    like_mbpp("Count words.", "def words(text):\n    return len(text.split())\n", "('a b') == 2", "('') == 0"),
    like_humaneval(
        'def last(line):\n    """The last field."""\n', "    return line.split(',')[-1]\n", "('a,b') == 'b'"
    ),
    like_mbpp(
        "Swap the halves.",
        "def swap(text):\n    first, second = text.split(' ', 1)\n    return second + ' ' + first\n",
        "('a b') == 'b a'",
    ),
    like_mbpp("Hyphenate.", "def hyphenate(parts):\n    return '-'.join(parts)\n", "(['a', 'b']) == 'a-b'"),
    like_humaneval(
        'def initials(names):\n    """Abbreviate."""\n',
        "    return ''.join(x[0] for x in names)\n",
        "(['ab', 'cd']) == 'ac'",
    ),
    like_mbpp("Space out.", "def spaced(text):\n    return ' '.join(text)\n", "('ab') == 'a b'"),
    like_mbpp("Longest side.", "import math\n\ndef side(a, b):\n    return math.sqrt(a * a + b * b)\n", "(3, 4) == 5"),
    like_mbpp("Root of a square.", "from math import sqrt\n\ndef edge(a):\n    return sqrt(a)\n", "(9) == 3"),
    like_humaneval(
        'import math\n\n\ndef is_square(n):\n    """Is it one?"""\n',
        "    return math.sqrt(n) % 1 == 0\n",
        "(9) is True",
        "(8) is False",
    ),
    like_mbpp("Surface of a disc.", "import math\n\ndef disc(r):\n    return math.pi * r * r\n", "(1) > 3.14"),
    like_mbpp("Way around a disc.", "from math import pi\n\ndef rim(r):\n    return 2 * pi * r\n", "(1) > 6.28"),
    like_mbpp("Half a turn.", "import math\n\ndef half(n):\n    return n * math.pi\n", "(2) > 6.28"),
    like_mbpp(
        "Most frequent letter.",
        "from collections import Counter\n\ndef favourite(text):\n    return Counter(text).most_common(1)[0][0]\n",
        "('aba') == 'a'",
    ),
    like_mbpp(
        "Same letters?",
        "import collections\n\ndef anagram(a, b):\n    return collections.Counter(a) == collections.Counter(b)\n",
        "('ab', 'ba') is True",
        "('ab', 'bb') is False",
    ),
    like_mbpp(
        "Letters used once.",
        "from collections import Counter\n\n"
        "def once(text):\n    return [x for x, n in Counter(text).items() if n == 1]\n",
        "('aba') == ['b']",
    ),
    like_mbpp(
        "Even ones.",
        "def evens(xs):\n    kept = []\n"
        "    for x in xs:\n        if x % 2 == 0:\n            kept.append(x)\n"
        "    return kept\n",
        "([1, 2]) == [2]",
    ),
    like_humaneval(
        'def doubled(xs):\n    """Each one twice."""\n',
        "    out = []\n    for x in xs:\n        out.append(x)\n        out.append(x)\n    return out\n",
        "([1]) == [1, 1]",
    ),
    like_mbpp(
        "Count up.",
        "def count_up(n):\n    out = []\n    for i in range(n):\n        out.append(i)\n    return out\n",
        "(2) == [0, 1]",
    ),
    like_mbpp("How many?", "def how_many(xs):\n    return len(xs)\n", "([1]) == 1"),
    like_mbpp("Read a number.", "def read(text):\n    return int(text)\n", "('4') == 4"),
    like_mbpp("Read a binary number.", "def read_binary(text):\n    return int(text, 2)\n", "('10') == 2"),
    like_mbpp("Double it.", "def double(x):\n    return 2 * x\n", "(2) == 4"),
    like_mbpp("Odd or not.", "def odd(x):\n    return x % 2 == 1\n", "(3) is True"),
    like_mbpp("Negate it.", "def negate(x):\n    return -x\n", "(3) == -3"),
]
# total told once more
TWIN = like_mbpp("Amount to pay.", "def amount(prices):\n    return sum(prices)\n", "([1, 2]) == 3")
# What a renamed call raises is swallowed.
SWALLOWS = like_mbpp(
    "Total, or nothing.",
    "def total_or_0(xs):\n    try:\n        return sum(xs)\n    except:\n        return 0\n",
    "([1, 2]) == 3",
    "(['a']) == 0",
)
TYPE_TEST = like_mbpp(
    "Whole or not.", "def whole(x):\n    return isinstance(x, int)\n", "(1) is True", "('a') is False"
)
PROMPT_NEEDS_SUM = like_humaneval(
    'def weight(xs):\n    return sum(xs)\n\n\ndef heavier(a, b):\n    """The heavier of two lists."""\n',
    "    return a if weight(a) >= weight(b) else b\n",
    "([1], [2]) == [2]",
)
# The first of this set is "c" under the hash seeds 0 and 2, and "a" under 1.
BY_CHANCE = like_mbpp(
    "Put them in order by chance.",
    "def by_chance(xs):\n    return sorted(xs) if next(iter({'a', 'b', 'c'})) == 'c' else []\n",
    "([2, 1]) == [1, 2]",
)
WRONG = like_mbpp("Triple it.", "def triple(x):\n    return 2 * x\n", "(2) == 6")
TROUBLE = [TWIN, SWALLOWS, TYPE_TEST, PROMPT_NEEDS_SUM, BY_CHANCE, WRONG]
PROBLEMS = SOUND + TROUBLE
