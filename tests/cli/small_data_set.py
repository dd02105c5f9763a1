"""A data set in the format of MBPP, small enough to build a certified benchmark from it in seconds."""

import json
from pathlib import Path
from typing import Any

PROGRAMS = {
    "Put the numbers in order.": (
        "def ascending(xs):\n    return sorted(xs)",
        ["assert ascending([3, 1, 2]) == [1, 2, 3]", "assert ascending([]) == []"],
    ),
    "Put the numbers in order, the largest first.": (
        "def descending(xs):\n    return sorted(xs, reverse=True)",
        ["assert descending([1, 3, 2]) == [3, 2, 1]"],
    ),
    "Find the median of an odd count of numbers.": (
        "def median(xs):\n    return sorted(xs)[len(xs) // 2]",
        ["assert median([3, 1, 2]) == 2"],
    ),
    "Order words by their length.": (
        "def by_length(words):\n    return sorted(words, key=len)",
        ["assert by_length(['ccc', 'a', 'bb']) == ['a', 'bb', 'ccc']"],
    ),
    "Count the words of a text.": (
        "def count_words(text):\n    return len(text.split())",
        ["assert count_words('a b c') == 3", "assert count_words('') == 0"],
    ),
    "Take the last field of a line.": (
        "def last_field(line):\n    return line.split(',')[-1]",
        ["assert last_field('a,b') == 'b'"],
    ),
    "Swap two words.": (
        "def swap_words(text):\n    first, second = text.split(' ', 1)\n    return second + ' ' + first",
        ["assert swap_words('a b') == 'b a'"],
    ),
    "Add up the numbers.": (
        "def total(xs):\n    return sum(xs)",
        ["assert total([1, 2]) == 3", "assert total([]) == 0"],
    ),
    "Compute the mean.": ("def mean(xs):\n    return sum(xs) / len(xs)", ["assert mean([1, 3]) == 2"]),
    "Add up the squares.": ("def squares(xs):\n    return sum(x * x for x in xs)", ["assert squares([1, 2]) == 5"]),
    "Double a number.": ("def double(x):\n    return 2 * x", ["assert double(2) == 4"]),
    "Say whether a number is even.": ("def is_even(x):\n    return x % 2 == 0", ["assert is_even(2)"]),
    "Triple a number; this reference is wrong.": ("def triple(x):\n    return 2 * x", ["assert triple(2) == 6"]),
}


def rows() -> list[dict[str, Any]]:
    """Return the rows: each of three APIs (sorted, str.split, sum) is used by three problems or four."""
    return [
        {"task_id": number, "text": text, "code": code, "test_setup_code": "", "test_list": tests}
        for number, (text, (code, tests)) in enumerate(PROGRAMS.items(), 1)
    ]


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write `records`, one a line, and return the path."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
