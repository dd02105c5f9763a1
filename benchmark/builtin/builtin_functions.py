"""Problems about builtin functions: sorted, zip, enumerate, round."""

from .declare import problem

PROBLEMS = (
    problem(
        "sorted",
        "reliability",
        prompt='''
def second_largest(values):
    """Return the second largest of the distinct values.

    >>> second_largest([3, 9, 4, 9])
    4
    """
''',
        body="""
    distinct = sorted(set(values))
    return distinct[-2]
""",
        updated="""
    distinct = my_builtin_sorted(values=set(values))
    return distinct[-2]
""",
        tests="""
assert candidate([3, 9, 4, 9]) == 4
assert candidate([1, 2]) == 1
assert candidate([-5, -1, -3, -1]) == -3
""",
    ),
    problem(
        "sorted",
        "generalization",
        prompt='''
def is_anagram(first: str, second: str) -> bool:
    """Say whether two words have the same letters, whatever their case.

    >>> is_anagram("Listen", "silent")
    True
    """
''',
        body="""
    return sorted(first.lower()) == sorted(second.lower())
""",
        updated="""
    return my_builtin_sorted(values=first.lower()) == my_builtin_sorted(values=second.lower())
""",
        tests="""
assert candidate("Listen", "silent") is True
assert candidate("apple", "papel") is True
assert candidate("night", "thin") is False
assert candidate("aab", "abb") is False
""",
    ),
    problem(
        "sorted",
        "generalization",
        prompt='''
def leaderboard(scores: dict[str, int]) -> list[str]:
    """Return the names of the players, the best score first.

    >>> leaderboard({"ann": 3, "bob": 7})
    ['bob', 'ann']
    """
''',
        body="""
    return sorted(scores, key=scores.get, reverse=True)
""",
        updated="""
    return my_builtin_sorted(values=scores, key=scores.get, reverse=True)
""",
        tests="""
assert candidate({"ann": 3, "bob": 7}) == ["bob", "ann"]
assert candidate({"x": 5, "y": 1, "z": 9}) == ["z", "x", "y"]
assert candidate({}) == []
""",
    ),
    problem(
        "zip",
        "reliability",
        prompt='''
def dot_product(a, b):
    """Return the dot product of two vectors of the same length.

    >>> dot_product([1, 2, 3], [4, 5, 6])
    32
    """
''',
        body="""
    return sum(x * y for x, y in zip(a, b))
""",
        updated="""
    return sum(x * y for x, y in my_builtin_zip([a, b]))
""",
        tests="""
assert candidate([1, 2, 3], [4, 5, 6]) == 32
assert candidate([2], [-3]) == -6
assert candidate([1, 0, 1], [7, 8, 9]) == 16
""",
    ),
    problem(
        "zip",
        "reliability",
        prompt='''
def price_list(names: list[str], prices: list[float]) -> dict[str, float]:
    """Map each name to its price.

    >>> price_list(["tea", "milk"], [2.5, 1.0])
    {'tea': 2.5, 'milk': 1.0}
    """
''',
        body="""
    return dict(zip(names, prices))
""",
        updated="""
    return dict(my_builtin_zip([names, prices]))
""",
        tests="""
assert candidate(["tea", "milk"], [2.5, 1.0]) == {"tea": 2.5, "milk": 1.0}
assert candidate([], []) == {}
assert candidate(["a", "b", "c"], [1, 2, 3]) == {"a": 1, "b": 2, "c": 3}
""",
    ),
    problem(
        "zip",
        "generalization",
        prompt='''
def is_increasing(values: list[int]) -> bool:
    """Say whether every value is larger than the one before it.

    >>> is_increasing([1, 4, 6])
    True
    """
''',
        body="""
    return all(left < right for left, right in zip(values, values[1:]))
""",
        updated="""
    return all(left < right for left, right in my_builtin_zip([values, values[1:]]))
""",
        tests="""
assert candidate([1, 4, 6]) is True
assert candidate([1, 4, 4]) is False
assert candidate([3, 2, 1]) is False
assert candidate([]) is True
""",
    ),
    problem(
        "enumerate",
        "reliability",
        prompt='''
def number_lines(lines: list[str]) -> list[str]:
    """Put the line number, counted from 1, before each line.

    >>> number_lines(["start", "stop"])
    ['1: start', '2: stop']
    """
''',
        body="""
    return [f"{number}: {line}" for number, line in enumerate(lines, 1)]
""",
        updated="""
    return [f"{number}: {line}" for number, line in my_builtin_enumerate(iterable=lines, start=1)]
""",
        tests="""
assert candidate(["start", "stop"]) == ["1: start", "2: stop"]
assert candidate([]) == []
assert candidate([""]) == ["1: "]
""",
    ),
    problem(
        "enumerate",
        "generalization",
        prompt='''
def find_all(values, target):
    """Return every index at which the target stands.

    >>> find_all(["a", "b", "a"], "a")
    [0, 2]
    """
''',
        body="""
    return [index for index, value in enumerate(values) if value == target]
""",
        updated="""
    return [index for index, value in my_builtin_enumerate(iterable=values) if value == target]
""",
        tests="""
assert candidate(["a", "b", "a"], "a") == [0, 2]
assert candidate([1, 2, 3], 4) == []
assert candidate([7, 7], 7) == [0, 1]
""",
    ),
    problem(
        "enumerate",
        "generalization",
        prompt='''
def last_positions(text: str) -> dict[str, int]:
    """Map each character to the last index at which it occurs.

    >>> last_positions("abca")
    {'a': 3, 'b': 1, 'c': 2}
    """
''',
        body="""
    positions = {}
    for index, character in enumerate(text):
        positions[character] = index
    return positions
""",
        updated="""
    positions = {}
    for index, character in my_builtin_enumerate(iterable=text):
        positions[character] = index
    return positions
""",
        tests="""
assert candidate("abca") == {"a": 3, "b": 1, "c": 2}
assert candidate("") == {}
assert candidate("zzz") == {"z": 2}
""",
    ),
    problem(
        "round",
        "reliability",
        prompt='''
def average(scores):
    """Return the mean of the scores, rounded to two digits.

    >>> average([1, 2, 2])
    1.67
    """
''',
        body="""
    return round(sum(scores) / len(scores), 2)
""",
        updated="""
    return my_builtin_round(2, sum(scores) / len(scores))
""",
        tests="""
assert candidate([1, 2, 2]) == 1.67
assert candidate([10]) == 10.0
assert candidate([1, 2]) == 1.5
""",
    ),
    problem(
        "round",
        "generalization",
        prompt='''
def to_celsius(fahrenheit: float) -> float:
    """Convert degrees Fahrenheit to Celsius, with one digit.

    >>> to_celsius(100)
    37.8
    """
''',
        body="""
    celsius = (fahrenheit - 32) * 5 / 9
    return round(celsius, 1)
""",
        updated="""
    celsius = (fahrenheit - 32) * 5 / 9
    return my_builtin_round(1, celsius)
""",
        tests="""
assert candidate(100) == 37.8
assert candidate(32) == 0.0
assert candidate(-40) == -40.0
""",
    ),
    problem(
        "round",
        "generalization",
        prompt='''
def shares(counts: dict[str, int]) -> dict[str, float]:
    """Return each count as a percentage of the total, with one digit.

    >>> shares({"yes": 2, "no": 1})
    {'yes': 66.7, 'no': 33.3}
    """
''',
        body="""
    total = sum(counts.values())
    return {name: round(100 * count / total, 1) for name, count in counts.items()}
""",
        updated="""
    total = sum(counts.values())
    return {name: my_builtin_round(1, 100 * count / total) for name, count in counts.items()}
""",
        tests="""
assert candidate({"yes": 2, "no": 1}) == {"yes": 66.7, "no": 33.3}
assert candidate({"a": 5}) == {"a": 100.0}
assert candidate({"a": 1, "b": 7}) == {"a": 12.5, "b": 87.5}
""",
    ),
)
