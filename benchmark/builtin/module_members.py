"""Problems about members of modules: functions, a class and a constant."""

from .declare import problem

PROBLEMS = (
    problem(
        "math.sqrt",
        "reliability",
        prompt='''
import math


def distance(p, q):
    """Return the distance between two points of the plane.

    >>> distance((0, 0), (3, 4))
    5.0
    """
''',
        body="""
    return math.sqrt((p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2)
""",
        updated="""
    return my_math_sqrt(value=(p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2)
""",
        tests="""
assert candidate((0, 0), (3, 4)) == 5.0
assert candidate((1, 1), (1, 1)) == 0.0
assert candidate((-1, 2), (4, 14)) == 13.0
""",
    ),
    problem(
        "math.sqrt",
        "generalization",
        prompt='''
import math


def is_square(number: int) -> bool:
    """Say whether a number below one million is the square of an integer.

    >>> is_square(49)
    True
    """
''',
        body="""
    root = int(math.sqrt(number))
    return root * root == number
""",
        updated="""
    root = int(my_math_sqrt(value=number))
    return root * root == number
""",
        tests="""
assert candidate(49) is True
assert candidate(50) is False
assert candidate(0) is True
assert candidate(998001) is True
""",
    ),
    problem(
        "math.sqrt",
        "generalization",
        prompt='''
import math


def standard_deviation(values: list[float]) -> float:
    """Return the population standard deviation.

    >>> standard_deviation([2, 4, 4, 4, 5, 5, 7, 9])
    2.0
    """
''',
        body="""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return math.sqrt(variance)
""",
        updated="""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return my_math_sqrt(value=variance)
""",
        tests="""
assert candidate([2, 4, 4, 4, 5, 5, 7, 9]) == 2.0
assert candidate([5, 5, 5]) == 0.0
assert candidate([1, 7]) == 3.0
""",
    ),
    problem(
        "math.gcd",
        "reliability",
        prompt='''
import math


def reduce_fraction(numerator: int, denominator: int) -> tuple[int, int]:
    """Reduce a fraction to lowest terms.

    >>> reduce_fraction(6, 8)
    (3, 4)
    """
''',
        body="""
    divisor = math.gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor
""",
        updated="""
    divisor = my_math_gcd(numerator, denominator)
    return numerator // divisor, denominator // divisor
""",
        tests="""
assert candidate(6, 8) == (3, 4)
assert candidate(5, 7) == (5, 7)
assert candidate(100, 10) == (10, 1)
""",
    ),
    problem(
        "math.gcd",
        "reliability",
        prompt='''
import math


def count_coprime(n):
    """Count the numbers from 1 to n that share no factor with n.

    >>> count_coprime(10)
    4
    """
''',
        body="""
    return sum(1 for k in range(1, n + 1) if math.gcd(k, n) == 1)
""",
        updated="""
    return sum(1 for k in range(1, n + 1) if my_math_gcd(k, n) == 1)
""",
        tests="""
assert candidate(10) == 4
assert candidate(7) == 6
assert candidate(1) == 1
assert candidate(36) == 12
""",
    ),
    problem(
        "math.gcd",
        "generalization",
        prompt='''
import math


def days_until_both(first: int, second: int) -> int:
    """One bell rings every `first` days, another every `second` days.

    Return after how many days they ring together again.

    >>> days_until_both(4, 6)
    12
    """
''',
        body="""
    return first * second // math.gcd(first, second)
""",
        updated="""
    return first * second // my_math_gcd(first, second)
""",
        tests="""
assert candidate(4, 6) == 12
assert candidate(3, 5) == 15
assert candidate(8, 8) == 8
""",
    ),
    problem(
        "math.pi",
        "reliability",
        prompt='''
import math


def circle_area(radius):
    """Return the area of a circle.

    >>> circle_area(1)
    3.141592653589793
    """
''',
        body="""
    return math.pi * radius**2
""",
        updated="""
    return my_math_pi() * radius**2
""",
        tests="""
assert abs(candidate(1) - 3.141592653589793) < 1e-9
assert abs(candidate(2.5) - 19.634954084936208) < 1e-9
assert abs(candidate(10) - 314.1592653589793) < 1e-9
""",
    ),
    problem(
        "math.pi",
        "generalization",
        prompt='''
import math


def to_radians(degrees: float) -> float:
    """Convert an angle from degrees to radians.

    >>> to_radians(180)
    3.141592653589793
    """
''',
        body="""
    return degrees * math.pi / 180
""",
        updated="""
    return degrees * my_math_pi() / 180
""",
        tests="""
assert abs(candidate(180) - 3.141592653589793) < 1e-9
assert abs(candidate(90) - 1.5707963267948966) < 1e-9
assert abs(candidate(-360) + 6.283185307179586) < 1e-9
""",
    ),
    problem(
        "math.pi",
        "generalization",
        prompt='''
import math


def wheel_turns(metres: float, diameter: float) -> int:
    """Return how many whole turns a wheel makes on its way.

    >>> wheel_turns(100, 0.7)
    45
    """
''',
        body="""
    circumference = math.pi * diameter
    return int(metres / circumference)
""",
        updated="""
    circumference = my_math_pi() * diameter
    return int(metres / circumference)
""",
        tests="""
assert candidate(100, 0.7) == 45
assert candidate(1, 1) == 0
assert candidate(10, 0.5) == 6
""",
    ),
    problem(
        "os.path.join",
        "reliability",
        prompt='''
import os


def config_path(home: str, program: str) -> str:
    """Return where a program keeps its settings.

    >>> config_path("/home/ann", "editor")
    '/home/ann/.config/editor.toml'
    """
''',
        body="""
    return os.path.join(home, ".config", program + ".toml")
""",
        updated="""
    return my_os_path_join([home, ".config", program + ".toml"])
""",
        tests="""
assert candidate("/home/ann", "editor") == "/home/ann/.config/editor.toml"
assert candidate("/root/", "git") == "/root/.config/git.toml"
assert candidate("", "x") == ".config/x.toml"
""",
    ),
    problem(
        "os.path.join",
        "generalization",
        prompt='''
import os


def in_folder(folder, names):
    """Return the path of each name inside the folder.

    >>> in_folder("docs", ["a.md", "b.md"])
    ['docs/a.md', 'docs/b.md']
    """
''',
        body="""
    return [os.path.join(folder, name) for name in names]
""",
        updated="""
    return [my_os_path_join([folder, name]) for name in names]
""",
        tests="""
assert candidate("docs", ["a.md", "b.md"]) == ["docs/a.md", "docs/b.md"]
assert candidate("/tmp/", ["x"]) == ["/tmp/x"]
assert candidate("docs", ["/etc/hosts"]) == ["/etc/hosts"]
""",
    ),
    problem(
        "os.path.join",
        "generalization",
        prompt='''
import os.path


def log_path(root: str, year: int, month: int) -> str:
    """Return the path of the log file of a month.

    >>> log_path("/var/log", 2024, 3)
    '/var/log/2024/03.log'
    """
''',
        body="""
    name = f"{month:02d}.log"
    return os.path.join(root, str(year), name)
""",
        updated="""
    name = f"{month:02d}.log"
    return my_os_path_join([root, str(year), name])
""",
        tests="""
assert candidate("/var/log", 2024, 3) == "/var/log/2024/03.log"
assert candidate("logs", 1999, 12) == "logs/1999/12.log"
assert candidate("a/b/", 7, 10) == "a/b/7/10.log"
""",
    ),
    problem(
        "re.sub",
        "reliability",
        prompt='''
import re


def squeeze_spaces(text: str) -> str:
    """Replace every run of spaces by a single space.

    >>> squeeze_spaces("too   many  spaces")
    'too many spaces'
    """
''',
        body="""
    return re.sub(r" +", " ", text)
""",
        updated="""
    return my_re_sub(text, r" +", " ")
""",
        tests="""
assert candidate("too   many  spaces") == "too many spaces"
assert candidate("fine") == "fine"
assert candidate("  ") == " "
""",
    ),
    problem(
        "re.sub",
        "reliability",
        prompt='''
import re


def mask_digits(text):
    """Hide every digit behind a hash sign.

    >>> mask_digits("PIN 4711")
    'PIN ####'
    """
''',
        body="""
    return re.sub("[0-9]", "#", text)
""",
        updated="""
    return my_re_sub(text, "[0-9]", "#")
""",
        tests="""
assert candidate("PIN 4711") == "PIN ####"
assert candidate("no digits") == "no digits"
assert candidate("0a1") == "#a#"
""",
    ),
    problem(
        "re.sub",
        "generalization",
        prompt='''
import re


def snake_case(name: str) -> str:
    """Turn a camelCase name into snake_case.

    >>> snake_case("userName")
    'user_name'
    """
''',
        body="""
    spaced = re.sub(r"([A-Z])", r"_\\1", name)
    return spaced.lower()
""",
        updated="""
    spaced = my_re_sub(name, r"([A-Z])", r"_\\1")
    return spaced.lower()
""",
        tests="""
assert candidate("userName") == "user_name"
assert candidate("plain") == "plain"
assert candidate("maxItemCount") == "max_item_count"
""",
    ),
    problem(
        "heapq.heappush",
        "reliability",
        prompt='''
import heapq


def heap_sort(values):
    """Return the values in ascending order, by way of a heap.

    >>> heap_sort([3, 1, 2])
    [1, 2, 3]
    """
''',
        body="""
    heap = []
    for value in values:
        heapq.heappush(heap, value)
    return [heapq.heappop(heap) for _ in values]
""",
        updated="""
    heap = []
    for value in values:
        my_heapq_heappush(value, heap)
    return [heapq.heappop(heap) for _ in values]
""",
        tests="""
assert candidate([3, 1, 2]) == [1, 2, 3]
assert candidate([5, -1, 5, 0]) == [-1, 0, 5, 5]
assert candidate([8]) == [8]
""",
    ),
    problem(
        "heapq.heappush",
        "generalization",
        prompt='''
import heapq


def kth_largest(values: list[int], k: int) -> int:
    """Return the k-th largest value.

    >>> kth_largest([4, 9, 7, 2], 2)
    7
    """
''',
        body="""
    heap: list[int] = []
    for value in values:
        heapq.heappush(heap, value)
        if len(heap) > k:
            heapq.heappop(heap)
    return heap[0]
""",
        updated="""
    heap: list[int] = []
    for value in values:
        my_heapq_heappush(value, heap)
        if len(heap) > k:
            heapq.heappop(heap)
    return heap[0]
""",
        tests="""
assert candidate([4, 9, 7, 2], 2) == 7
assert candidate([1, 2, 3], 3) == 1
assert candidate([5, 5, 6], 2) == 5
""",
    ),
    problem(
        "heapq.heappush",
        "generalization",
        prompt='''
import heapq


def most_urgent(tasks: list[tuple[str, int]]) -> str:
    """Return the name of the task with the lowest priority number.

    >>> most_urgent([("mail", 5), ("fire", 1)])
    'fire'
    """
''',
        body="""
    queue = []
    for name, priority in tasks:
        heapq.heappush(queue, (priority, name))
    return queue[0][1]
""",
        updated="""
    queue = []
    for name, priority in tasks:
        my_heapq_heappush((priority, name), queue)
    return queue[0][1]
""",
        tests="""
assert candidate([("mail", 5), ("fire", 1)]) == "fire"
assert candidate([("tea", 3)]) == "tea"
assert candidate([("b", 2), ("a", 2), ("c", 9)]) == "a"
""",
    ),
    problem(
        "itertools.chain",
        "reliability",
        prompt='''
import itertools


def bookend(edge: str, words: list[str]) -> list[str]:
    """Put the edge before and after the words.

    >>> bookend("|", ["a", "b"])
    ['|', 'a', 'b', '|']
    """
''',
        body="""
    return list(itertools.chain([edge], words, [edge]))
""",
        updated="""
    return list(my_itertools_chain([[edge], words, [edge]]))
""",
        tests="""
assert candidate("|", ["a", "b"]) == ["|", "a", "b", "|"]
assert candidate("*", []) == ["*", "*"]
assert candidate("", ["x"]) == ["", "x", ""]
""",
    ),
    problem(
        "itertools.chain",
        "generalization",
        prompt='''
import itertools


def longest_word(first, second):
    """Return the longest word of two lists, the earlier one if there are two.

    >>> longest_word(["fig", "pear"], ["banana"])
    'banana'
    """
''',
        body="""
    return max(itertools.chain(first, second), key=len)
""",
        updated="""
    return max(my_itertools_chain([first, second]), key=len)
""",
        tests="""
assert candidate(["fig", "pear"], ["banana"]) == "banana"
assert candidate(["plum"], ["kiwi"]) == "plum"
assert candidate([], ["a", "bb"]) == "bb"
""",
    ),
    problem(
        "itertools.chain",
        "generalization",
        prompt='''
import itertools


def grand_total(groups: list[list[int]]) -> int:
    """Add up the numbers of all groups.

    >>> grand_total([[1, 2], [3]])
    6
    """
''',
        body="""
    return sum(itertools.chain(*groups))
""",
        updated="""
    return sum(my_itertools_chain(groups))
""",
        tests="""
assert candidate([[1, 2], [3]]) == 6
assert candidate([[], [5], [-5, 4]]) == 4
assert candidate([[10, 20], []]) == 30
""",
    ),
    problem(
        "collections.Counter",
        "reliability",
        prompt='''
import collections


def favourite_letter(text: str) -> str:
    """Return the letter that occurs most often.

    >>> favourite_letter("banana")
    'a'
    """
''',
        body="""
    counts = collections.Counter(text)
    return counts.most_common(1)[0][0]
""",
        updated="""
    counts = my_collections_Counter(values=text)
    return counts.most_common(1)[0][0]
""",
        tests="""
assert candidate("banana") == "a"
assert candidate("zoo") == "o"
assert candidate("x") == "x"
""",
    ),
    problem(
        "collections.Counter",
        "reliability",
        prompt='''
import collections


def repeated(values):
    """Return the values that occur more than once, in order.

    >>> repeated([3, 1, 3, 2, 1])
    [3, 1]
    """
''',
        body="""
    counts = collections.Counter(values)
    return [value for value, count in counts.items() if count > 1]
""",
        updated="""
    counts = my_collections_Counter(values=values)
    return [value for value, count in counts.items() if count > 1]
""",
        tests="""
assert candidate([3, 1, 3, 2, 1]) == [3, 1]
assert candidate([1, 2, 3]) == []
assert candidate(["a", "a", "a"]) == ["a"]
""",
    ),
    problem(
        "collections.Counter",
        "generalization",
        prompt='''
import collections


def can_spell(word: str, tiles: str) -> bool:
    """Say whether the word can be laid with the tiles, each used once.

    >>> can_spell("tree", "retest")
    True
    """
''',
        body="""
    missing = collections.Counter(word) - collections.Counter(tiles)
    return not missing
""",
        updated="""
    missing = my_collections_Counter(values=word) - my_collections_Counter(values=tiles)
    return not missing
""",
        tests="""
assert candidate("tree", "retest") is True
assert candidate("tree", "rest") is False
assert candidate("", "abc") is True
""",
    ),
)
