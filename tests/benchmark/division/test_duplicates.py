"""Problems that are the same task are found, and problems that are only near are not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.division.duplicates import find_clusters
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.benchmark.sources.mbpp import load_mbpp
from edittool.schemas.problems import Problem, Test


def problem(task_id, text, program, entry_point="f"):
    prompt = f'"""\n{text}\nassert f([1]) == 1\n"""\n' if text else ""
    return Problem(task_id, prompt, entry_point, prompt + program, (Test("", "assert f"),), "specificity", None)


def same_program(one, other):
    return bool(find_clusters([problem("a", "", one), problem("b", "", other, entry_point="g")]))


def same_text(one, other):
    return bool(find_clusters([problem("a", one, "def f(x): return 1\n"), problem("b", other, "def f(x): return 2\n")]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(xs):\n    n = len(xs)\n    return n\n", "def g(text):\n  size = len(text) # why\n  return size\n"),
        ("def f(xs: list) -> int:\n    return len(xs)\n", 'def g(s):\n    """Say how long."""\n    return len(s)\n'),
        ("import math as m\ndef f(x): return m.sqrt(x)\n", "from math import sqrt\ndef g(y): return sqrt(y)\n"),
        ("import re\ndef f(x): return x + 1\n", "def g(x): return x + 1\n"),
        ("def h(a): return a\ndef f(b): return h(b)\n", "def k(a): return a\ndef g(a): return k(a)\n"),
        ("class A:\n  pass\ndef f(): return A()\n", 'class B:\n  "b"\ndef g(): return B()\n'),
    ],
)
def test_programs_that_differ_in_names_imports_and_comments_are_the_same(one, other):
    assert same_program(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(xs): return max(xs)\n", "def g(xs): return min(xs)\n"),
        ("def f(s): return s.upper()\n", "def g(s): return s.lower()\n"),
        ("def f(a, b): return a - b\n", "def g(a, b): return b - a\n"),
        ("def f(a): return a + 1\n", "def g(a): return a + 2\n"),
        ("from math import floor as r\ndef f(a): return r(a)\n", "from math import ceil as r\ndef g(a): return r(a)\n"),
        ("def f(len): return len\n", "def g(x): return len\n"),
        (
            "def f(a): return h(a)\ndef h(a): return a\ndef k(a): pass\n",
            "def g(a): return k(a)\ndef h(a): return a\ndef k(a): pass\n",
        ),
    ],
)
def test_programs_that_do_something_else_are_not(one, other):
    assert not same_program(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Write a function to find the maximum of two numbers.",
            "Write a python function to find maximum of two integers.",
        ),
        ("Write a function to sort a list of words.", "Sort the given array of words by using quick sort."),
        ("Count each character in a string.", "write a function to count each char in the given strings"),
        ("Find the item with maximum frequency.", "Find the item with maximum occurrences."),
    ],
)
def test_texts_that_differ_in_words_without_meaning_are_the_same(one, other):
    assert same_text(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Write a function to find the maximum of two numbers.",
            "Write a function to find the minimum of two numbers.",
        ),
        ("Convert radians to degrees.", "Convert degrees to radians."),
        ("Find the first repeated character.", "Find the first non-repeated character."),
        ("Add up the even numbers of a list.", "Add up the odd numbers of a list."),
        ("Write a function.", "Write a python function."),
        ("", ""),
    ],
)
def test_texts_of_other_tasks_and_texts_that_say_nothing_are_not(one, other):
    assert not same_text(one, other)


def test_the_docstring_of_the_entry_point_counts_up_to_its_examples():
    stub = 'def f(x):\n    """Double a word.\n\n    {}\n    """\n    return x {} 2\n'
    problems = [
        problem("a", "", stub.format(">>> f('no')\n    'nono'", "*")),
        problem("b", "", stub.format("Examples:\n    f('oh') gives more", "+")),
        problem("c", "", stub.format("f('ab') == 'abab'", "-")),
    ]
    assert find_clusters(problems) == (frozenset("abc"),)


def test_likeness_by_text_and_by_program_joins():
    problems = [
        problem("a", "Double a word.", "def f(x): return x * 2\n"),
        problem("b", "Double the word.", "def f(x): return x + x\n"),
        problem("c", "Repeat some text.", "def f(y): return y + y\n"),
        problem("d", "Repeat nothing whatever.", "def f(y): return y\n"),
    ]
    assert find_clusters(problems) == (frozenset("abc"),)


def test_a_solution_that_does_not_parse_is_in_no_cluster():
    assert find_clusters([problem("a", "Do this thing.", "def"), problem("b", "Do this thing.", "def")]) == ()


@given(st.permutations([problem(str(n), "", f"def f(x{n}): return x{n} + {n % 3}\n") for n in range(7)]))
def test_clusters_do_not_depend_on_the_order_of_the_problems(problems):
    assert find_clusters(problems) == (frozenset("036"), frozenset("14"), frozenset("25"))


def test_the_known_duplicates_of_humaneval_and_mbpp_are_found(datasets):
    problems = load_humaneval(datasets / "HumanEval.jsonl") + load_mbpp(datasets / "mbpp.jsonl")
    start = time.perf_counter()
    clusters = find_clusters(problems)
    assert time.perf_counter() - start < 10
    cluster_of = {task_id: cluster for cluster in clusters for task_id in cluster}
    assert "MBPP/792" in cluster_of["HumanEval/23"]
    assert cluster_of["MBPP/49"] == {"MBPP/49", "MBPP/154", "MBPP/413"}
    assert cluster_of["MBPP/217"] == {"MBPP/217", "MBPP/602"}  # one text, two programs
    assert "MBPP/395" not in cluster_of  # "non-repeated" where 217 says "repeated"
    assert (len(clusters), len(cluster_of)) == (65, 138)
