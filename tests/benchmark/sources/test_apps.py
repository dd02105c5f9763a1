"""Importing APPS: handwritten rows for each trap, judged in the sandbox."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.sources import apps
from edittool.benchmark.sources.apps import load_apps
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.errors import InputError

CASES = {"fn_name": "swap", "inputs": [[1, 2], [3, 4]], "outputs": [[[2, 1]], [[4, 3]]]}
ROW = {
    "problem_id": 17,
    "question": "Return the two numbers the other way round.",
    "solutions": json.dumps(["def swap(a, b):\n    return (b, a)\n"]),
    "input_output": json.dumps(CASES),
    "difficulty": "introductory",
    "url": "https://example.org",
    "starter_code": "\ndef swap(a, b):\n\t",
}
STARTER = "class Solution:\n    def pairs(self, xs: List[int]) -> List[List[int]]:\n        "
METHOD = ROW | {
    "starter_code": STARTER,
    "solutions": [f"{STARTER}return [list(pair) for pair in combinations(sorted(Counter(xs)), 2)]\n"],
    "input_output": {"fn_name": "pairs", "inputs": [[[2, 1, 1]], [[]]], "outputs": [[[1, 2]], []]},
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load(tmp_path, *rows):
    return load_apps(write(tmp_path / "apps.jsonl", *rows))


def load_one(tmp_path, **fields):
    loaded = load(tmp_path, ROW | fields)
    assert loaded.left_out == ()
    (problem,) = loaded.problems
    return problem


def cases(inputs, outputs, name="swap"):
    return json.dumps({"fn_name": name, "inputs": inputs, "outputs": outputs})


def reason(tmp_path, **fields):
    loaded = load(tmp_path, ROW | fields)
    assert loaded.problems == ()
    (left_out,) = loaded.left_out
    assert left_out.task_id == "APPS/17"
    return left_out.reason


def judge(problem, *programs):
    """Return, for each program, which tests it passes in the sandbox."""
    jobs = [Job(program, problem, tag=number) for number, program in enumerate(programs)]
    findings = {job.tag: finding for job, finding in run_jobs(jobs, SandboxOptions(workers=1))}
    return [[test["passed"] for test in findings[number].tests] for number in range(len(programs))]


def test_a_row_becomes_a_problem(tmp_path):
    problem = load_one(tmp_path)
    assert problem.task_id == "APPS/17"
    assert problem.entry_point == "swap"
    assert problem.solution == problem.prompt + "def swap(a, b):\n    return (b, a)\n"
    assert ast.get_docstring(ast.parse(problem.prompt)) == f"{ROW['question']}\n\nBegin with:\ndef swap(a, b):"
    assert [test.code for test in problem.tests] == [
        "assert matches(candidate(1, 2), [[2, 1]])",
        "assert matches(candidate(3, 4), [[4, 3]])",
    ]
    assert (problem.subset, problem.change_id, problem.opaque) == ("specificity", None, False)
    assert problem.tags == ("introductory",)


@pytest.mark.parametrize(
    "fields",
    [
        {"input_output": CASES},
        {"solutions": ["def swap(a, b):\r\n    return (b, a)\r\n"]},
        {"starter_code": None},
        {"starter_code": ""},
    ],
)
def test_strings_of_json_and_missing_extras_make_no_difference(tmp_path, fields):
    problem = load_one(tmp_path, **fields)
    assert problem.solution.endswith("\ndef swap(a, b):\n    return (b, a)\n")
    assert len(problem.tests) == 2


def test_a_row_may_say_id(tmp_path):
    row = {("id" if name == "problem_id" else name): value for name, value in ROW.items()}
    assert load(tmp_path, row).problems[0].task_id == "APPS/17"


@pytest.mark.usefixtures("docker_client")
def test_tuples_are_lists_and_outputs_may_be_wrapped(tmp_path):
    problem = load_one(tmp_path, input_output=cases([[1, 2], [3, 4]], [[[2, 1]], [4, 3]]))
    programs = [f"def swap(a, b):\n    return {value}\n" for value in ("(b, a)", "[b, a]", "(a, b)", "b")]
    assert judge(problem, *programs) == [[True, True], [True, True], [False, False], [False, True]]


@pytest.mark.usefixtures("docker_client")
def test_keys_that_json_made_strings_are_integers_again(tmp_path):
    inputs, outputs = [[{"1": {"-2": 5}}], [{"a": 1, "2": 3}]], [[{"1": 2}], [{}]]
    solution = "def swap(d):\n    return {1: 2} if d == {1: {-2: 5}} else {}\n"
    problem = load_one(tmp_path, input_output=cases(inputs, outputs), solutions=[solution])
    assert judge(problem, problem.solution) == [[True, True]]
    assert problem.tests[1].code == "assert matches(candidate({'a': 1, '2': 3}), [{}])"


@pytest.mark.usefixtures("docker_client")
def test_a_method_is_called_on_a_solution(tmp_path):
    (problem,) = load(tmp_path, METHOD).problems
    assert (problem.entry_point, problem.opaque) == ("Solution", True)
    wrong = "class Solution:\n    def pairs(self, xs):\n        return []\n"
    assert judge(problem, problem.solution, wrong) == [[True, True], [False, True]]


def test_imports_that_the_authors_took_for_granted_are_written(tmp_path):
    (problem,) = load(tmp_path, METHOD).problems
    program = problem.solution.removeprefix(problem.prompt)
    assert program.splitlines()[:3] == [
        "from collections import Counter",
        "from typing import List",
        "from itertools import combinations",
    ]
    assert "import" not in problem.prompt


@pytest.mark.parametrize("line", ["import math", "from math import *", "math = None", "def math(): pass"])
def test_no_import_is_written_twice_or_over_a_name(tmp_path, line):
    program = f"{line}\ndef swap(a, b):\n    return (b, a, math)\n"
    problem = load_one(tmp_path, solutions=[program])
    expected = "import math\n" + program if "*" in line else program
    assert problem.solution == problem.prompt + expected


def test_the_first_solution_that_fits_is_taken(tmp_path):
    programs = [
        "print 'Python 2'\n",
        "def other(a, b):\n    return a\n",
        "class Solution:\n    def swap(self, a, b):\n        return b, a\n",
        "swap = lambda a, b: [b, a]\n",
        "def swap(a, b):\n    return (b, a)\n",
    ]
    assert load_one(tmp_path, solutions=programs).solution.endswith("swap = lambda a, b: [b, a]\n")
    assert "class Solution" in load_one(tmp_path, solutions=programs, starter_code="").solution


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"input_output": json.dumps({"inputs": ["1 2\n"], "outputs": ["2 1\n"]})}, "standard_input"),
        ({"input_output": ""}, "no_tests"),
        ({"input_output": "{}"}, "no_tests"),
        ({"input_output": cases([], [])}, "no_tests"),
        ({"solutions": ""}, "no_solution"),
        ({"solutions": "[]"}, "no_solution"),
        ({"solutions": ["def swap(a, b):\n    print a\n"]}, "python2"),
        ({"solutions": ["def swap(a, b):\n    try:\n        pass\n    except A, e:\n        pass\n"]}, "python2"),
        ({"solutions": ["print 1\n", "def swap(a, b:\n"]}, "no_usable_solution"),
        ({"solutions": ["def other():\n    pass\n"]}, "no_usable_solution"),
        ({"starter_code": STARTER}, "no_usable_solution"),
        ({"input_output": cases([["a" * 30_000]], [[1]])}, "too_big"),
        ({"input_output": cases([[1]], [[2]]).replace("2", "2" * 5000)}, "unreadable_tests"),
    ],
)
def test_what_cannot_be_judged_is_left_out_with_the_reason(tmp_path, fields, expected):
    assert reason(tmp_path, **fields) == expected


def test_rows_that_are_left_out_do_not_stop_the_others(tmp_path):
    standard_input = ROW | {"problem_id": 3, "input_output": {"inputs": [""], "outputs": [""]}}
    loaded = load(tmp_path, standard_input, ROW)
    assert [problem.task_id for problem in loaded.problems] == ["APPS/17"]
    assert [left_out.task_id for left_out in loaded.left_out] == ["APPS/3"]


def test_tests_are_bounded_in_number_and_size(tmp_path):
    inputs = [["a" * 30_000], *([n] for n in range(99)), [5]]
    loaded = load(tmp_path, ROW | {"input_output": cases(inputs, [[1]] * 101)})
    (problem,) = loaded.problems
    assert len(problem.tests) == apps.MAX_TESTS
    assert problem.tests[0].code == "assert matches(candidate(0), [1])"
    (left_out,) = loaded.left_out
    assert (left_out.reason, left_out.detail) == ("some_tests", "50 of 100 tests are too large or too many")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"problem_id": "17"}, 'field "problem_id" must be an integer'),
        ({"question": None}, 'field "question" must be a string, but it is null'),
        ({"input_output": "{"}, 'field "input_output" is a string that holds no JSON'),
        ({"input_output": "[1]"}, 'field "input_output" must be a JSON object'),
        ({"input_output": {"fn_name": "a b", "inputs": [], "outputs": []}}, "must hold the name of a function"),
        ({"input_output": {"fn_name": "swap"}}, "must hold inputs and outputs, two lists of one length"),
        ({"input_output": cases([[1, 2]], [])}, "must hold inputs and outputs, two lists of one length"),
        ({"input_output": cases([1], [1])}, "must hold one list of arguments for each call"),
        ({"solutions": "def swap"}, 'field "solutions" is a string that holds no JSON'),
        ({"solutions": [1]}, 'field "solutions" must be a list of programs'),
    ],
)
def test_a_wrong_row_is_named(tmp_path, fields, message):
    path = write(tmp_path / "a.jsonl", ROW | {"problem_id": 1}, ROW | fields)
    with pytest.raises(InputError) as caught:
        load_apps(path)
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(PLAIN, max_size=3), PLAIN)
def test_the_test_passes_the_arguments_and_accepts_the_output(tmp_path_factory, arguments, output):
    problem = load_one(tmp_path_factory.mktemp("a"), input_output=cases([arguments], [[output]]))
    seen = []
    names = {"candidate": lambda *given_arguments: (seen.append(list(given_arguments)), output)[1]}
    exec(problem.helpers, names)
    exec(problem.tests[0].code, names)
    assert repr(seen) == repr([arguments])


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_any_text_makes_a_prompt_that_is_python(tmp_path_factory, text):
    problem = load_one(tmp_path_factory.mktemp("a"), question=text)
    assert ast.parse(problem.prompt).body[0].value.value.endswith("Begin with:\ndef swap(a, b):\n")
