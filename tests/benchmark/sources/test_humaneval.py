"""Importing HumanEval: handwritten rows for each trap, and the whole data set where it is at hand."""

import json
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.schemas.errors import InputError

ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Double x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate(1) == 2\n    assert candidate(2) == 4\n",
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load_one(tmp_path, **fields):
    (problem,) = load_humaneval(write(tmp_path / "HumanEval.jsonl", ROW | fields))
    return problem


def load_check(tmp_path, *lines, **fields):
    body = "".join(f"    {line}\n" for line in lines)
    return load_one(tmp_path, test=f"def check(candidate):\n{body}", **fields)


def codes(problem):
    return [test.code for test in problem.tests]


def test_a_row_becomes_a_problem(tmp_path):
    problem = load_one(tmp_path)
    assert problem.task_id == "HumanEval/0"
    assert problem.solution == ROW["prompt"] + ROW["canonical_solution"]
    assert problem.entry_point == "double"
    assert problem.subset == "specificity"
    assert problem.change_id is None
    assert problem.helpers == ""
    assert [(test.setup, test.code) for test in problem.tests] == [
        ("", "assert candidate(1) == 2"),
        ("", "assert candidate(2) == 4"),
    ]


def test_what_stands_before_an_assert_is_its_setup(tmp_path):
    problem = load_check(
        tmp_path, "assert candidate(1) == 2", "import math", "x = math.floor(2.5)", "assert candidate(x) == 4"
    )
    assert [test.setup for test in problem.tests] == ["", "import math\nx = math.floor(2.5)"]


def test_module_level_helpers_of_the_test_are_setup_and_metadata_is_not(tmp_path):
    test = "METADATA = {}\nimport math\ndef check(candidate):\n    assert candidate(1) == math.floor(2.5)\n"
    assert [t.setup for t in load_one(tmp_path, test=test).tests] == ["import math"]


def test_a_loop_around_asserts_is_one_test(tmp_path):
    problem = load_check(tmp_path, "for x in range(3):", "    assert candidate(x) == x + x")
    assert codes(problem) == ["for x in range(3):\n    assert candidate(x) == x + x"]


def test_a_function_inside_check_is_setup(tmp_path):
    problem = load_check(
        tmp_path, "def positive(x):", "    assert x > 0", "    return x", "assert positive(candidate(1)) == 2"
    )
    assert codes(problem) == ["assert positive(candidate(1)) == 2"]
    assert passes(problem.tests[0], lambda x: 2 * x)


def test_constant_asserts_are_dropped(tmp_path):
    problem = load_check(tmp_path, 'assert True, "prints if this fails"', "assert candidate(1) == 2", "assert 1")
    assert codes(problem) == ["assert candidate(1) == 2"]


def test_repeats_are_dropped_whatever_their_message(tmp_path):
    problem = load_check(tmp_path, 'assert candidate(1) == 2, "one"', 'assert candidate(1)==2, "two"')
    assert codes(problem) == ["assert candidate(1) == 2"]


def test_an_assert_after_new_setup_is_no_repeat(tmp_path):
    problem = load_check(tmp_path, "x = 1", "assert candidate(x) == x + x", "x = 2", "assert candidate(x) == x + x")
    assert len(problem.tests) == 2


@pytest.mark.parametrize("statement", ["import random", "from random import randint", "import random as r"])
def test_random_tests_are_seeded(tmp_path, statement):
    problem = load_check(tmp_path, statement, "assert candidate(1) == 2")
    assert [test.setup for test in problem.tests] == [f"import random\nrandom.seed(0)\n{statement}"]


def test_no_seed_without_random(tmp_path):
    problem = load_check(tmp_path, "randomness = 1", "assert candidate(1) == 2")
    assert problem.tests[0].setup == "randomness = 1"


PROMPT_WITH_HELPER = '''import math


def half(x: float):
    """Return the half."""
    return math.floor(x / 2)


def double(x):
    """Undo half."""
'''


def test_helpers_are_the_prompt_without_the_entry_point(tmp_path):
    problem = load_check(tmp_path, "assert candidate(half(4)) == 4", prompt=PROMPT_WITH_HELPER)
    namespace = {}
    exec(problem.helpers, namespace)
    assert namespace["half"](9) == 4
    assert "double" not in namespace


def test_no_helpers_where_the_tests_use_none(tmp_path):
    problem = load_check(tmp_path, "assert candidate(1) == 2", prompt=PROMPT_WITH_HELPER)
    assert problem.helpers == ""


def test_the_entry_point_s_own_name_needs_no_helper(tmp_path):
    problem = load_check(tmp_path, "assert tuple([candidate(1)]) == tuple([double(1)])")
    assert problem.helpers == ""


def test_line_ends_are_normalised(tmp_path):
    problem = load_one(tmp_path, canonical_solution="    return 2 * x\r\n\r")
    assert "\r" not in problem.solution


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"test": 3}, 'line 2: field "test" must be a string'),
        ({"test": "assert True"}, 'field "test" defines no function check'),
        ({"test": "def check(candidate):\n    pass"}, 'field "test" holds no assert'),
        ({"test": "def check(:"}, 'field "test" is not Python'),
        ({"canonical_solution": "return ("}, 'field "canonical_solution" is not Python'),
        ({"entry_point": "triple"}, "field \"entry_point\" names 'triple'"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, fields, message):
    path = write(tmp_path / "h.jsonl", ROW | {"task_id": "HumanEval/9"}, ROW | fields)
    with pytest.raises(InputError) as caught:
        load_humaneval(path)
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)


def test_a_missing_field_is_named(tmp_path):
    row = {name: value for name, value in ROW.items() if name != "prompt"}
    with pytest.raises(InputError, match='line 1: field "prompt" is missing'):
        load_humaneval(write(tmp_path / "h.jsonl", row))


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-6, 6)), min_size=1, max_size=8))
def test_splitting_keeps_what_check_asks(tmp_path_factory, cases):
    """The tests together say what `check` says, and each says a part of it."""
    lines = [f"assert candidate({x}) == {y}" for x, y in cases]
    problem = load_check(tmp_path_factory.mktemp("h"), *lines)
    assert codes(problem) == list(dict.fromkeys(lines))
    outcomes = [passes(test, lambda x: 2 * x) for test in problem.tests]
    assert all(outcomes) == all(2 * x == y for x, y in cases)


def passes(test, candidate):
    try:
        exec(f"{test.setup}\n{test.code}", {"candidate": candidate})
    except AssertionError:
        return False
    return True


@pytest.fixture(scope="module")
def humaneval(datasets):
    return load_humaneval(datasets / "HumanEval.jsonl")


def test_the_whole_data_set(humaneval):
    assert len({problem.task_id for problem in humaneval}) == 164
    single = [problem.task_id for problem in humaneval if len(problem.tests) == 1]
    assert single == ["HumanEval/32", "HumanEval/34", "HumanEval/38", "HumanEval/50"]
    assert statistics.median(len(problem.tests) for problem in humaneval) == 7
    with_helpers = [problem.task_id for problem in humaneval if problem.helpers]
    assert with_helpers == ["HumanEval/32", "HumanEval/38", "HumanEval/50"]


def test_every_reference_passes_every_test(humaneval):
    for problem in humaneval:
        candidate = {}
        exec(problem.solution, candidate)
        for test in problem.tests:
            trusted = {}
            exec(problem.helpers, trusted)
            trusted["candidate"] = trusted[problem.entry_point] = candidate[problem.entry_point]
            exec(f"{test.setup}\n{test.code}", trusted)
