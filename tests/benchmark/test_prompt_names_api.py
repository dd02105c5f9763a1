"""Prompts that name the API: by its name, its module's or what people call them, and only in words of their own."""

from dataclasses import replace

import pytest

from edittool.benchmark.prompt_names_api import names_api
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem

PROBLEM = Problem("t/1", "", "f", "", (), "reliability", None)


def named(text: str, api: str) -> bool:
    change = Change(api, api, "my_api", "keyword_only", "my_api()", "", "")
    return names_api(replace(PROBLEM, prompt=f'def f(xs):\n    """{text}"""\n'), change)


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ("Return the numbers sorted.", "sorted"),
        ("Zip both lists.", "zip"),
        ("Use math.sqrt, please.", "math.sqrt"),
        ("The value of pi is known.", "math.pi"),
        ("Call \u2018sum\u2019 on it.", "sum"),
        ("Call 'sum' on it.", "sum"),
        ("Split the text.", "str.split"),
        ("Join them.", "os.path.join"),
    ],
)
def test_the_name_itself(text, api):
    assert named(text, api)


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ("Find the k largest using a heap queue.", "heapq.nlargest"),
        ("Find the smallest with a HEAP.", "heapq.heappop"),
        ("Write it with heapq.", "heapq.heappush"),
        ("Replace blanks by using regex.", "re.sub"),
        ("Match it with a regular expression.", "re.compile"),
        ("Count them with a counter.", "collections.Counter"),
        ("Build it from itertools.", "itertools.chain"),
        ("Find the place by bisection.", "bisect.bisect_left"),
    ],
)
def test_what_people_call_the_api_or_its_module(text, api):
    assert named(text, api)


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ("Return the summary.", "sum"),
        ("Call my_sum on it.", "sum"),
        ("Heaps of sand.", "heapq.heappop"),
        ("Remap the keys.", "map"),
        ("You're given a list of words.", "re.sub"),
        ("You\u2019re given a list of words.", "re.sub"),
        ("Re-arrange the letters.", "re.sub"),
        ("Find the longest sub-string.", "re.sub"),
        ("Print it in upper-case letters.", "str.upper"),
    ],
)
def test_no_match_inside_words(text, api):
    assert not named(text, api)


@pytest.mark.parametrize(
    ("text", "api"),
    [
        ("Do some math.", "math.sqrt"),  # most such modules' names are ordinary words
        ("Work on the str.", "str.split"),
        ("Use a regex.", "heapq.heappop"),
        ("Count them with a counter.", "collections.deque"),
        ("Return the longest.", "max"),
    ],
)
def test_what_names_another_api_or_a_class_alone_is_no_match(text, api):
    assert not named(text, api)
