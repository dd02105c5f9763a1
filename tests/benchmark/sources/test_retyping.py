"""The types of MBPP+'s arguments: by task, and for no other data set."""

import pytest

from edittool.benchmark.sources.retyping import restore_types


@pytest.mark.parametrize(
    ("task", "arguments", "restored"),
    [
        ("Mbpp/3", [[1, 2]], [[1, 2]]),
        ("Mbpp/2", [[1, 2], [3]], [(1, 2), (3,)]),
        ("Mbpp/94", [[[1, 2], [3]]], [[(1, 2), (3,)]]),
        ("Mbpp/417", [[["a", 1]]], [[("a", 1)]]),
        ("Mbpp/413", [[[1, 2], [3]], 0], [[(1, 2), (3,)], 0]),
        ("Mbpp/106", [[1, 2], [3]], [[1, 2], (3,)]),
        ("Mbpp/446", [[1, 2], [3]], [(1, 2), [3]]),
        ("Mbpp/259", [[[1], [2]], [[3]]], [((1,), (2,)), ((3,),)]),
        ("Mbpp/278", [[1, [2, 3], 4]], [(1, (2, 3), 4)]),
        ("Mbpp/615", [[[1, [2]], 3]], [((1, (2,)), 3)]),
        ("Mbpp/722", [{"a": [1, 2]}, 3], [{"a": (1, 2)}, 3]),
        ("Mbpp/115", [[[1, 1], []]], [[{1}, {}]]),
        ("Mbpp/124", ["1", "2j"], [1.0, 2j]),
        ("Mbpp/252", ["1+2j"], [1 + 2j]),
        ("HumanEval/2", [[1, 2], [3]], [[1, 2], [3]]),
    ],
)
def test_types_are_restored(task, arguments, restored):
    found = restore_types(task, arguments)
    assert found == restored
    assert repr(found) == repr(restored)
