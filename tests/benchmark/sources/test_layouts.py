"""Which data set a row looks like."""

import pytest

from edittool.benchmark.sources.layouts import recognise

HUMANEVAL = {"task_id": "HumanEval/0", "prompt": "", "entry_point": "f", "canonical_solution": ""}
PLUS_TEST = "def check(candidate):\n    inputs = [[1]]\n    results = [1]\n    assertion(candidate(*inp), exp, 0)\n"


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ({}, None),
        ({"task_id": "HumanEval/0", "prompt": ""}, None),
        (HUMANEVAL | {"test": "def check(candidate):\n    inputs = 1\n    assert candidate(inputs)\n"}, "HumanEval"),
        (HUMANEVAL | {"test": None}, "HumanEval"),
        (HUMANEVAL | {"test": PLUS_TEST}, "HumanEval+"),
        (HUMANEVAL | {"base_input": []}, "HumanEval+"),
        ({"task_id": "Mbpp/2", "base_input": [], "plus_input": []}, "MBPP+"),
        ({"task_id": 2, "base_input": [], "plus_input": []}, "MBPP+"),
        ({"task_id": 2, "text": "", "code": "", "test_list": []}, "MBPP"),
        ({"task_id": 2, "prompt": "", "code": "", "test_list": []}, "the sanitized MBPP"),
        ({"task_id": 2, "prompt": "", "code": "", "test_list": [], "test": ""}, "MBPP+"),
        ({"id": 2, "question": "", "input_output": ""}, "APPS"),
        (
            {"prompt": "", "entry_point": "f", "solution": "", "tests": []},
            "a file of problems in edittool's own format",
        ),
        ({"deprecated": "len", "replacement": "my_len", "shim": ""}, "a file of changes"),
        ({"task_id": "HumanEval/0", "completion": ""}, "a file of samples"),
    ],
)
def test_recognition(row, name):
    assert recognise(row) == name
