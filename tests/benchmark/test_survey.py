"""The survey in the real sandbox: which references can be used, and which APIs they use."""

from dataclasses import replace

import pytest

from edittool.benchmark.survey import is_changeable, survey
from edittool.benchmark.trials import open_trials
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.options import SandboxOptions

from .tiny_problems import like_humaneval, like_mbpp

CPU_SECONDS = 0.5

SPLIT = like_mbpp("Split it.", "def parts(x):\n    return x.split(',')\n", "('a,b') == ['a', 'b']")
BYTES = like_mbpp("Split bytes.", "def bytes_parts(x):\n    return x.split(b',')\n", "(b'a,b') == [b'a', b'b']")
OWN = like_mbpp(
    "Split an object.",
    "class Text:\n    def split(self, sep):\n        return [sep]\n\n\n"
    "def own_parts(x):\n    x = Text()\n    return x.split(x)\n",
    "(1) is not None",
)
HELPER = like_humaneval(
    'import math\n\n\ndef rounded(x):\n    return math.ceil(x)\n\n\ndef biggest(xs):\n    """Größte Zahl."""\n',
    "    return rounded(max(xs))\n",
    "([1, 2]) == 2",
)
PLAIN = like_mbpp("Double it.", "def double(x):\n    return 2 * x\n", "(2) == 4")
TYPED = like_mbpp(
    "Guard it.",
    "from typing import List\n\n"
    "def guard(x: List):\n    try:\n        return abs(x)\n    except TypeError:\n        return 0\n",
    "(-1) == 1",
)
SOUND = [SPLIT, BYTES, OWN, HELPER, PLAIN, TYPED]

WRONG = like_mbpp("Triple it.", "def triple(x):\n    return 2 * x\n", "(2) == 6")
RAISES = like_mbpp("Raise.", "def broken(x):\n    return y\n", "(2) == 6")
BROKEN_TESTS = replace(PLAIN, task_id="tiny/broken_tests", helpers="1 / 0")
SLOW = like_mbpp(
    "Work hard.",
    f"import time\n\ndef slow(x):\n    while time.process_time() < {1.2 * CPU_SECONDS}:\n        pass\n    return x\n",
    "(1) == 1",
)


@pytest.fixture(scope="module")
def surveyed(docker_client):
    options = SandboxOptions(limits=Limits(cpu_seconds=CPU_SECONDS, wall_seconds=5))
    with open_trials(options) as trials:
        return survey([WRONG, *SOUND, RAISES, SLOW, BROKEN_TESTS], trials)


@pytest.fixture(scope="module")
def uses(surveyed):
    return {one.problem.entry_point: one.uses for one in surveyed.surveyed}


def test_references_that_do_not_pass_or_take_long_are_left_out_with_reasons(surveyed):
    assert [one.problem for one in surveyed.surveyed] == SOUND
    assert [(rejection.task_id, rejection.change_id, rejection.reason) for rejection in surveyed.rejections] == [
        ("tiny/triple", None, "reference_fails"),
        ("tiny/broken", None, "reference_fails"),
        ("tiny/slow", None, "too_slow"),
        ("tiny/broken_tests", None, "reference_fails"),
    ]
    details = [rejection.detail for rejection in surveyed.rejections]
    assert details[0].startswith("failed, AssertionError")
    assert details[1] == "failed, NameError: name 'y' is not defined"
    assert details[2].startswith("its reference takes more than 0.25 s of CPU time")
    assert "ZeroDivisionError" in details[3]


def test_the_class_of_a_receiver_is_what_was_seen(uses):
    """All three call `x.split`."""
    assert uses["parts"] == {"str.split"}
    assert uses["bytes_parts"] == {"bytes.split"}
    assert uses["own_parts"] == set()


def test_the_code_of_a_prompt_is_used_but_not_to_be_rewritten(surveyed, uses):
    [helped] = [one for one in surveyed.surveyed if one.problem is HELPER]
    assert uses["biggest"] == {"math.ceil", "max"}
    assert [reference.api for reference in helped.references.found] == ["max"]


def test_only_what_can_be_changed_counts(uses):
    assert uses["guard"] == {"abs"}
    assert uses["double"] == set()


def test_users_are_the_problems_of_each_api_in_their_order(surveyed):
    users = surveyed.users()
    assert list(users) == ["abs", "bytes.split", "math.ceil", "max", "str.split"]
    assert [one.problem for one in users["str.split"]] == [SPLIT]


@pytest.mark.parametrize("api", ["len", "str.split", "math.pi", "collections.Counter", "os.path.join"])
def test_changeable(api):
    assert is_changeable(api)


@pytest.mark.parametrize("api", ["ValueError", "typing.List", "super", "numpy.array", "str.nothing", "locals"])
def test_unchangeable(api):
    assert not is_changeable(api)
