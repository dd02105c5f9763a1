"""Problems that use no changed API: an edit must leave them as they were."""

from .declare import problem

PROBLEMS = (
    problem(
        None,
        "specificity",
        prompt='''
def count_vowels(text: str) -> int:
    """Count the vowels of a text.

    >>> count_vowels("Education")
    5
    """
''',
        body="""
    return sum(letter in "aeiou" for letter in text.lower())
""",
        tests="""
assert candidate("Education") == 5
assert candidate("rhythm") == 0
assert candidate("AAA") == 3
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def factorial(n):
    """Return the product of the numbers from 1 to n.

    >>> factorial(5)
    120
    """
''',
        body="""
    product = 1
    for factor in range(2, n + 1):
        product *= factor
    return product
""",
        tests="""
assert candidate(5) == 120
assert candidate(0) == 1
assert candidate(10) == 3628800
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def fibonacci(n: int) -> int:
    """Return the n-th Fibonacci number, counted from 0.

    >>> fibonacci(10)
    55
    """
''',
        body="""
    current, following = 0, 1
    for _ in range(n):
        current, following = following, current + following
    return current
""",
        tests="""
assert candidate(10) == 55
assert candidate(0) == 0
assert candidate(1) == 1
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def is_palindrome(word: str) -> bool:
    """Say whether a word reads the same backwards, whatever its case.

    >>> is_palindrome("Level")
    True
    """
''',
        body="""
    lowered = word.lower()
    return lowered == lowered[::-1]
""",
        tests="""
assert candidate("Level") is True
assert candidate("lever") is False
assert candidate("") is True
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def value_range(values):
    """Return the difference of the largest and the smallest value.

    >>> value_range([4, 10, 7])
    6
    """
''',
        body="""
    return max(values) - min(values)
""",
        tests="""
assert candidate([4, 10, 7]) == 6
assert candidate([3]) == 0
assert candidate([-2, 2]) == 4
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def invert(mapping: dict[str, int]) -> dict[int, str]:
    """Swap the keys and the values of a dictionary.

    >>> invert({"a": 1, "b": 2})
    {1: 'a', 2: 'b'}
    """
''',
        body="""
    return {value: key for key, value in mapping.items()}
""",
        tests="""
assert candidate({"a": 1, "b": 2}) == {1: "a", 2: "b"}
assert candidate({}) == {}
assert candidate({"x": 5, "y": 5}) == {5: "y"}
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def digit_sum(number: int) -> int:
    """Add up the decimal digits of a number.

    >>> digit_sum(4096)
    19
    """
''',
        body="""
    total = 0
    while number > 0:
        total += number % 10
        number //= 10
    return total
""",
        tests="""
assert candidate(4096) == 19
assert candidate(0) == 0
assert candidate(99999) == 45
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def clamp(value, low, high):
    """Return the value, moved into the interval from low to high.

    >>> clamp(15, 0, 10)
    10
    """
''',
        body="""
    return max(low, min(value, high))
""",
        tests="""
assert candidate(15, 0, 10) == 10
assert candidate(-3, 0, 10) == 0
assert candidate(7, 0, 10) == 7
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def rotate(values: list[int], steps: int) -> list[int]:
    """Move the first `steps` values to the end of the list.

    >>> rotate([1, 2, 3, 4], 1)
    [2, 3, 4, 1]
    """
''',
        body="""
    steps %= len(values)
    return values[steps:] + values[:steps]
""",
        tests="""
assert candidate([1, 2, 3, 4], 1) == [2, 3, 4, 1]
assert candidate([1, 2, 3], 3) == [1, 2, 3]
assert candidate([1, 2, 3], 5) == [3, 1, 2]
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def without_repeats(values):
    """Return the values without repeats, in the order of their first occurrence.

    >>> without_repeats([3, 1, 3, 2])
    [3, 1, 2]
    """
''',
        body="""
    return list(dict.fromkeys(values))
""",
        tests="""
assert candidate([3, 1, 3, 2]) == [3, 1, 2]
assert candidate([]) == []
assert candidate(["b", "a", "b"]) == ["b", "a"]
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def to_binary(number: int, width: int) -> str:
    """Write a number in binary, filled up with zeros to the width.

    >>> to_binary(5, 8)
    '00000101'
    """
''',
        body="""
    return format(number, "b").zfill(width)
""",
        tests="""
assert candidate(5, 8) == "00000101"
assert candidate(0, 1) == "0"
assert candidate(255, 4) == "11111111"
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def collatz_steps(n):
    """Count the steps of the Collatz sequence from n down to 1.

    >>> collatz_steps(6)
    8
    """
''',
        body="""
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps
""",
        tests="""
assert candidate(6) == 8
assert candidate(1) == 0
assert candidate(27) == 111
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def is_leap_year(year: int) -> bool:
    """Say whether a year of the Gregorian calendar has a 29 February.

    >>> is_leap_year(2024)
    True
    """
''',
        body="""
    if year % 100 == 0:
        return year % 400 == 0
    return year % 4 == 0
""",
        tests="""
assert candidate(2024) is True
assert candidate(1900) is False
assert candidate(2000) is True
assert candidate(2023) is False
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
import datetime


def days_between(first: str, second: str) -> int:
    """Return how many days the second date is after the first.

    >>> days_between("2024-02-27", "2024-03-01")
    3
    """
''',
        body="""
    start = datetime.date.fromisoformat(first)
    end = datetime.date.fromisoformat(second)
    return (end - start).days
""",
        tests="""
assert candidate("2024-02-27", "2024-03-01") == 3
assert candidate("2023-01-01", "2023-01-01") == 0
assert candidate("2024-01-02", "2024-01-01") == -1
""",
    ),
    problem(
        None,
        "specificity",
        prompt='''
def caesar(text: str, shift: int) -> list[str]:
    """Shift each lower-case letter along the alphabet, from z on to a.

    >>> caesar("xyz", 2)
    ['z', 'a', 'b']
    """
''',
        body="""
    return [chr((ord(letter) - ord("a") + shift) % 26 + ord("a")) for letter in text]
""",
        tests="""
assert candidate("xyz", 2) == ["z", "a", "b"]
assert candidate("", 3) == []
assert candidate("b", -1) == ["a"]
""",
    ),
)
