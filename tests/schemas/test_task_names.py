"""What people call a task is its id in any case, or a number that is one task's alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.schemas.task_names import TaskNames

BOTH = TaskNames(["HumanEval/0", "HumanEval/2", "MBPP/2", "MBPP/11", "apps/train/7", "own", "leet-3"])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("MBPP/2", "MBPP/2"),
        ("Mbpp/2", "MBPP/2"),
        ("humaneval/0", "HumanEval/0"),
        ("11", "MBPP/11"),
        ("011", "MBPP/11"),
        ("0", "HumanEval/0"),
        ("7", "apps/train/7"),
        ("OWN", "own"),
        ("2", None),  # two tasks
        ("3", None),  # leet-3 is a name, and no number of its own
        ("1", None),  # no end of 11
        ("-2", None),
        ("²", None),
        ("", None),
        ("/2", None),
        ("MBPP/02", None),
    ],
)
def test_a_name_means_one_task_or_none(name: str, found: str | None) -> None:
    assert BOTH.find(name) == found


def test_several_that_a_name_may_mean_are_named() -> None:
    assert BOTH.candidates("2") == ("HumanEval/2", "MBPP/2")
    assert BOTH.candidates("Mbpp/2") == BOTH.candidates("nothing") == ()
    assert TaskNames(["AB", "ab"]).candidates("Ab") == ("AB", "ab")


def test_a_number_may_mean_a_task_that_was_left_out() -> None:
    names = TaskNames(["HumanEval/2", "HumanEval/3"], lambda: ["MBPP/2", "MBPP/9"])
    assert names.find("2") is None
    assert names.candidates("2") == ("HumanEval/2", "MBPP/2")
    assert (names.find("3"), names.find("9")) == ("HumanEval/3", "MBPP/9")


def test_other_spellings_are_near_a_task() -> None:
    spellings = {"HumanEval_0": "HumanEval/0", "HumanEval/00": "HumanEval/0", "HumanEval/2#3": "HumanEval/2"}
    spellings |= {
        "mbpp-11_sample_4": "MBPP/11",
        "HumanEval/20": None,
        "MBPP": None,
        "": None,
        "own/more": None,
        "leet/3": "leet-3",
    }
    assert {name: BOTH.nearest(name) for name in spellings} == spellings
    assert TaskNames(["a/1", "a-1", ""]).nearest("a_1") is None


@given(st.lists(st.text(min_size=1), max_size=8, unique=True), st.text())
def test_an_id_is_always_its_own_name_and_a_guess_is_never_made(ids: list[str], name: str) -> None:
    names = TaskNames(ids)
    assert [names.find(one) for one in ids] == ids
    assert names.find(name) is None or names.candidates(name) == ()
