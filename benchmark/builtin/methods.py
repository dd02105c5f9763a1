"""Problems about methods of builtin types: str.split, str.join, list.append."""

from .declare import problem

PROBLEMS = (
    problem(
        "str.split",
        "reliability",
        prompt='''
def word_lengths(text: str) -> list[int]:
    """Return the length of each word.

    >>> word_lengths("to be or not")
    [2, 2, 2, 3]
    """
''',
        body="""
    return [len(word) for word in text.split()]
""",
        updated="""
    return [len(word) for word in my_str_split(text=text)]
""",
        tests="""
assert candidate("to be or not") == [2, 2, 2, 3]
assert candidate("") == []
assert candidate("  one   giant leap ") == [3, 5, 4]
""",
    ),
    problem(
        "str.split",
        "generalization",
        prompt='''
def parse_query(query: str) -> dict[str, str]:
    """Parse the query part of a web address.

    >>> parse_query("page=2&sort=name")
    {'page': '2', 'sort': 'name'}
    """
''',
        body="""
    pairs = {}
    for part in query.split("&"):
        key, value = part.split("=")
        pairs[key] = value
    return pairs
""",
        updated="""
    pairs = {}
    for part in my_str_split(text=query, sep="&"):
        key, value = my_str_split(text=part, sep="=")
        pairs[key] = value
    return pairs
""",
        tests="""
assert candidate("page=2&sort=name") == {"page": "2", "sort": "name"}
assert candidate("q=") == {"q": ""}
assert candidate("a=1&b=2&a=3") == {"a": "3", "b": "2"}
""",
    ),
    problem(
        "str.split",
        "generalization",
        prompt='''
def to_seconds(clock):
    """Convert a time of day to seconds since midnight.

    >>> to_seconds("01:02:03")
    3723
    """
''',
        body="""
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
""",
        updated="""
    hours, minutes, seconds = my_str_split(text=clock, sep=":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
""",
        tests="""
assert candidate("01:02:03") == 3723
assert candidate("00:00:00") == 0
assert candidate("23:59:59") == 86399
""",
    ),
    problem(
        "str.join",
        "reliability",
        prompt='''
def slug(words: list[str]) -> str:
    """Write the words in lower case with hyphens between them.

    >>> slug(["Hello", "World"])
    'hello-world'
    """
''',
        body="""
    return "-".join(word.lower() for word in words)
""",
        updated="""
    return my_str_join(sep="-", parts=[word.lower() for word in words])
""",
        tests="""
assert candidate(["Hello", "World"]) == "hello-world"
assert candidate(["ONE"]) == "one"
assert candidate(["a", "B", "c"]) == "a-b-c"
""",
    ),
    problem(
        "str.join",
        "reliability",
        prompt='''
def csv_line(cells):
    """Return the cells as one line of a CSV file.

    >>> csv_line([1, "two", 3.0])
    '1,two,3.0'
    """
''',
        body="""
    return ",".join(map(str, cells))
""",
        updated="""
    return my_str_join(sep=",", parts=map(str, cells))
""",
        tests="""
assert candidate([1, "two", 3.0]) == "1,two,3.0"
assert candidate([]) == ""
assert candidate([None, True]) == "None,True"
""",
    ),
    problem(
        "str.join",
        "generalization",
        prompt='''
def keep_letters(text: str) -> str:
    """Remove everything that is not a letter.

    >>> keep_letters("a1-b2!")
    'ab'
    """
''',
        body="""
    letters = [character for character in text if character.isalpha()]
    return "".join(letters)
""",
        updated="""
    letters = [character for character in text if character.isalpha()]
    return my_str_join(sep="", parts=letters)
""",
        tests="""
assert candidate("a1-b2!") == "ab"
assert candidate("12") == ""
assert candidate("To be, or not") == "Tobeornot"
""",
    ),
    problem(
        "list.append",
        "reliability",
        prompt='''
def running_total(values: list[int]) -> list[int]:
    """Return the sum of the values up to each position.

    >>> running_total([1, 2, 3])
    [1, 3, 6]
    """
''',
        body="""
    total = 0
    totals = []
    for value in values:
        total += value
        totals.append(total)
    return totals
""",
        updated="""
    total = 0
    totals = []
    for value in values:
        total += value
        my_list_append(items=totals, value=total)
    return totals
""",
        tests="""
assert candidate([1, 2, 3]) == [1, 3, 6]
assert candidate([5, -5, 2]) == [5, 0, 2]
assert candidate([7]) == [7]
""",
    ),
    problem(
        "list.append",
        "generalization",
        prompt='''
def chunks(values: list[int], size: int) -> list[list[int]]:
    """Cut the list into pieces of the given size; the last may be shorter.

    >>> chunks([1, 2, 3, 4, 5], 2)
    [[1, 2], [3, 4], [5]]
    """
''',
        body="""
    pieces = []
    for start in range(0, len(values), size):
        pieces.append(values[start : start + size])
    return pieces
""",
        updated="""
    pieces = []
    for start in range(0, len(values), size):
        my_list_append(items=pieces, value=values[start : start + size])
    return pieces
""",
        tests="""
assert candidate([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
assert candidate([1, 2], 5) == [[1, 2]]
assert candidate([4, 5, 6], 1) == [[4], [5], [6]]
""",
    ),
    problem(
        "list.append",
        "generalization",
        prompt='''
def group_by_length(words):
    """Group the words by their length.

    >>> group_by_length(["a", "to", "be"])
    {1: ['a'], 2: ['to', 'be']}
    """
''',
        body="""
    groups = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    return groups
""",
        updated="""
    groups = {}
    for word in words:
        my_list_append(items=groups.setdefault(len(word), []), value=word)
    return groups
""",
        tests="""
assert candidate(["a", "to", "be"]) == {1: ["a"], 2: ["to", "be"]}
assert candidate(["one", "two"]) == {3: ["one", "two"]}
assert candidate([""]) == {0: [""]}
""",
    ),
)
