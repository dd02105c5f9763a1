"""HumanEval+ and MBPP+ in both of their layouts: each input counts alone, and the verdicts are right in the sandbox."""

import json

import pytest

from edittool.benchmark.sources import evalplus
from edittool.benchmark.sources.evalplus import load_humaneval_plus, load_mbpp_plus
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.errors import InputError

HUMANEVAL = {
    "task_id": "HumanEval/900",
    "prompt": 'def fib(n: int) -> int:\n    """The n-th number of Fibonacci."""\n',
    "entry_point": "fib",
    "canonical_solution": "    return n if n < 2 else fib(n - 1) + fib(n - 2)\n",
}
COMPARISON = """\
import numpy as np

def is_floats(x) -> bool:
    return isinstance(x, float)


def assertion(out, exp, atol):
    exact_match = out == exp
    if not exact_match and atol != 0:
        np.testing.assert_allclose(out, exp, atol=atol)
    else:
        assert exact_match


"""
HUMANEVAL_FILE = HUMANEVAL | {"base_input": [[0], [1], [10]], "plus_input": [[10], [7]], "atol": 0, "contract": ""}
HUMANEVAL_HUB = HUMANEVAL | {
    "test": COMPARISON
    + """\
def check(candidate):
    inputs = [[0], [1], [10], [7]]
    results = [0, 1, 55, 13]
    for i, (inp, exp) in enumerate(zip(inputs, results)):
        assertion(candidate(*inp), exp, 0)
"""
}
MBPP_FILE = {
    "task_id": "Mbpp/901",
    "prompt": '"""\nWrite a function to halve every number of a list in place.\n'
    'assert halve([2, 4]) == [1.0, 2.0]\n"""\n',
    "entry_point": "halve",
    "canonical_solution": "\ndef halve(xs):\n    for i, x in enumerate(xs):\n        xs[i] = x / 2\n    return xs\n",
    "base_input": [[[2, 4]], [[3]]],
    "plus_input": [[[]], [[1, 2, 3, 1e300]]],
    "atol": 0,
    "contract": "",
    "assertion": "assert halve([2, 4]) == [1.0, 2.0]",
}
MBPP_HUB = {
    "task_id": 901,
    "prompt": "Write a function to halve every number of a list in place.",
    "code": MBPP_FILE["canonical_solution"],
    "source_file": "x",
    "test_imports": [],
    "test_list": ["assert halve([2, 4]) == [1.0, 2.0]", "assert halve([3]) == [1.5]"],
    "test": COMPARISON
    + """\
inputs = [[[2, 4]], [[3]], [[]], [[1, 2, 3, 1e+300]]]
results = [[1.0, 2.0], [1.5], [], [0.5, 1.0, 1.5, 5e299]]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(halve(*inp), exp, 0)
""",
}
LAYOUTS = [
    (load_humaneval_plus, HUMANEVAL_FILE),
    (load_humaneval_plus, HUMANEVAL_HUB),
    (load_mbpp_plus, MBPP_FILE),
    (load_mbpp_plus, MBPP_HUB),
]
WRONG = {
    "fib": ("def fib(n):\n    return min(n, 2)\n", [True, True, False, False]),
    "halve": ("def halve(xs):\n    return [x / 2 for x in xs if x < 4]\n", [False, True, True, False]),
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load_one(tmp_path, load, row):
    loaded = load(write(tmp_path / "plus.jsonl", row))
    assert loaded.left_out == ()
    (problem,) = loaded.problems
    return problem


def judge(problem, *programs):
    """Return, for each program, which tests it passes in the sandbox."""
    jobs = [Job(program, problem, tag=number) for number, program in enumerate(programs)]
    findings = {job.tag: finding for job, finding in run_jobs(jobs, SandboxOptions(workers=1))}
    return [[test["passed"] for test in findings[number].tests] for number in range(len(programs))]


@pytest.mark.parametrize(("load", "row"), LAYOUTS)
@pytest.mark.usefixtures("docker_client")
def test_each_input_counts_alone(tmp_path, load, row):
    problem = load_one(tmp_path, load, row)
    wrong, answers = WRONG[problem.entry_point]
    assert judge(problem, problem.solution, wrong) == [[True] * 4, answers]
    assert problem.subset == "specificity"
    assert problem.source == ("HumanEval+" if problem.entry_point == "fib" else "MBPP+")


@pytest.mark.parametrize(("file", "hub"), [(LAYOUTS[0], LAYOUTS[1]), (LAYOUTS[2], LAYOUTS[3])])
def test_both_layouts_make_the_same_problem_but_for_the_outputs(tmp_path, file, hub):
    one, other = load_one(tmp_path, *file), load_one(tmp_path, *hub)
    assert (one.task_id, one.prompt, one.entry_point) == (other.task_id, other.prompt, other.entry_point)
    assert one.solution.strip() == other.solution.strip()
    inputs = [[test.code.splitlines()[0] for test in problem.tests] for problem in (one, other)]
    assert inputs[0] == inputs[1]
    assert "reference(*inputs)" in one.tests[2].code
    assert "reference" not in "".join(test.code for test in other.tests)


@pytest.mark.usefixtures("docker_client")
def test_a_recursive_reference_never_calls_the_candidate(tmp_path):
    problem = load_one(tmp_path, load_humaneval_plus, HUMANEVAL_FILE)
    assert judge(problem, "def fib(n):\n    return 0\n") == [[True, False, False, False]]


@pytest.mark.parametrize(
    "row", [HUMANEVAL_FILE | {"atol": 2}, HUMANEVAL_HUB | {"test": HUMANEVAL_HUB["test"].replace("exp, 0", "exp, 2")}]
)
@pytest.mark.usefixtures("docker_client")
def test_the_row_s_tolerance_holds(tmp_path, row):
    problem = load_one(tmp_path, load_humaneval_plus, row)
    assert judge(problem, "def fib(n):\n    return min(n, 2) if n < 5 else 54 if n == 10 else 10\n") == [
        [True, True, True, False]
    ]


@pytest.mark.usefixtures("docker_client")
def test_results_that_the_hub_s_file_lacks_come_from_the_reference(tmp_path):
    test = HUMANEVAL_HUB["test"].replace("    results = [0, 1, 55, 13]\n", "").replace("exp, 0", "ref_func(*inp), 0")
    problem = load_one(tmp_path, load_humaneval_plus, HUMANEVAL_HUB | {"test": test})
    assert judge(problem, problem.solution, WRONG["fib"][0]) == [[True] * 4, WRONG["fib"][1]]


@pytest.mark.parametrize(
    "broken",
    ["inputs = [\n    [0],\n    [1,],\n    [10],\n    ['ä'][1:] or [7]]", "inputs = [[0], [1], ['ä'] and [10], [7]]"],
)
@pytest.mark.usefixtures("docker_client")
def test_lists_may_be_written_in_any_way(tmp_path, broken):
    test = HUMANEVAL_HUB["test"].replace("inputs = [[0], [1], [10], [7]]", broken)
    problem = load_one(tmp_path, load_humaneval_plus, HUMANEVAL_HUB | {"test": test})
    assert judge(problem, problem.solution, WRONG["fib"][0]) == [[True] * 4, WRONG["fib"][1]]


@pytest.mark.usefixtures("docker_client")
def test_infinity_nan_and_collections_are_values(tmp_path):
    test = (
        "from math import inf, nan\ninputs = [[[inf, 1]], [[nan]], [[]]]\n"
        "results = [Counter({inf: 1, 1: 1}), Counter({}), set()]\n"
        "for i, (inp, exp) in enumerate(zip(inputs, results)):\n    assertion(halve(*inp), exp, 0)\n"
    )
    code = (
        "from collections import Counter\n"
        "def halve(xs):\n    return Counter(x for x in xs if x == x) if xs else set()\n"
    )
    problem = load_one(tmp_path, load_mbpp_plus, MBPP_HUB | {"test": test, "code": code})
    assert judge(problem, problem.solution) == [[True] * 3]
    problem = load_one(tmp_path, load_mbpp_plus, MBPP_FILE | {"plus_input": [[[float("inf")]]]})
    assert judge(problem, problem.solution) == [[True] * 3]


@pytest.mark.parametrize(
    ("task_id", "code", "inputs", "right", "wrong"),
    [
        (2, "def f(a, b):\n    return tuple(set(a) & set(b))\n", [[[1, 2, 3], [3, 2]]], "(3, 2)", "(3,)"),
        (164, "def f(a, b):\n    return False\n", [[36, 57]], "True", "None"),
        (295, "def f(n):\n    return 7\n", [[8]], "0", "1"),
        (558, "def f(a, b):\n    return sum(map(int, str(abs(a - b))))\n", [[123, 56]], "7", "0"),
        (581, "def f(b, s):\n    return 2 * b * s + b**2\n", [[3, 4]], "35", "34"),
    ],
)
@pytest.mark.usefixtures("docker_client")
def test_where_there_is_more_than_one_right_answer(tmp_path, task_id, code, inputs, right, wrong):
    fields = {"task_id": f"Mbpp/{task_id}", "entry_point": "f", "canonical_solution": code, "base_input": inputs}
    problem = load_one(tmp_path, load_mbpp_plus, MBPP_FILE | fields | {"plus_input": []})
    answers = judge(problem, problem.solution, *(f"def f(*a):\n    return {value}\n" for value in (right, wrong)))
    assert answers == [[True], [True], [False]]


@pytest.mark.usefixtures("docker_client")
def test_a_match_is_as_good_as_true(tmp_path):
    code = "import re\ndef check_str(s):\n    return re.match('a', s)\n"
    fields = {"entry_point": "check_str", "canonical_solution": code, "base_input": [["ab"], ["b"]], "plus_input": []}
    problem = load_one(tmp_path, load_mbpp_plus, MBPP_FILE | fields)
    others = ("def check_str(s):\n    return s == 'ab'\n", "def check_str(s):\n    return None\n")
    assert judge(problem, problem.solution, *others) == [[True, True], [True, True], [False, True]]


@pytest.mark.usefixtures("docker_client")
def test_any_root_is_right(tmp_path):
    fields = {
        "task_id": "HumanEval/32",
        "prompt": "def find_zero(xs):\n",
        "entry_point": "find_zero",
        "canonical_solution": "    return 1.0\n",
    }
    problem = load_one(
        tmp_path, load_humaneval_plus, HUMANEVAL_FILE | fields | {"base_input": [[[-1, 0, 1]]], "plus_input": []}
    )
    assert judge(
        problem, problem.solution, "def find_zero(xs):\n    return -1.0\n", "def find_zero(xs):\n    return 0.5\n"
    ) == [
        [True],
        [True],
        [False],
    ]


def test_inputs_that_are_too_large_are_left_out_and_counted(tmp_path):
    row = MBPP_FILE | {"plus_input": [[[0] * evalplus.MAX_INPUT], [[5]]]}
    loaded = load_mbpp_plus(write(tmp_path / "p.jsonl", row))
    assert [test.code.splitlines()[0] for test in loaded.problems[0].tests] == [
        "inputs = [[2, 4]]",
        "inputs = [[3]]",
        "inputs = [[5]]",
    ]
    (left_out,) = loaded.left_out
    assert (left_out.task_id, left_out.reason) == ("Mbpp/901", "some_tests")
    assert left_out.detail == "1 of 4 inputs are too large or too many"


def test_a_problem_without_a_small_input_is_left_out(tmp_path):
    row = MBPP_FILE | {"base_input": [[[0] * evalplus.MAX_INPUT]], "plus_input": []}
    loaded = load_mbpp_plus(write(tmp_path / "p.jsonl", row))
    assert loaded.problems == ()
    assert [left_out.reason for left_out in loaded.left_out] == ["too_big"]


@pytest.mark.parametrize("row", [HUMANEVAL_FILE | {"plus_input": [[n] for n in range(2000)]}])
def test_tests_are_bounded_in_number(tmp_path, row):
    loaded = load_humaneval_plus(write(tmp_path / "p.jsonl", row))
    assert len(loaded.problems[0].tests) == evalplus.MAX_TESTS
    assert loaded.left_out[0].detail == "1000 of 2000 inputs are too large or too many"


def test_a_number_that_python_does_not_read_leaves_the_problem_out(tmp_path):
    test = HUMANEVAL_HUB["test"].replace("55", "5" * 5000)
    loaded = load_humaneval_plus(write(tmp_path / "p.jsonl", HUMANEVAL_HUB | {"test": test}))
    assert loaded.problems == ()
    assert [left_out.reason for left_out in loaded.left_out] == ["unreadable_tests"]


@pytest.mark.parametrize(
    ("load", "row", "fields", "message"),
    [
        (
            load_humaneval_plus,
            HUMANEVAL_FILE,
            {"base_input": [], "plus_input": []},
            'field "base_input" holds no input',
        ),
        (load_humaneval_plus, HUMANEVAL_FILE, {"base_input": [1]}, 'field "base_input" must be a list of lists'),
        (load_humaneval_plus, HUMANEVAL_FILE, {"atol": "0"}, 'field "atol" must be a number'),
        (load_humaneval_plus, HUMANEVAL_FILE, {"entry_point": "g"}, "field \"entry_point\" names 'g'"),
        (
            load_humaneval_plus,
            HUMANEVAL_FILE,
            {"canonical_solution": "return ("},
            'field "canonical_solution" is not Python',
        ),
        (load_humaneval_plus, HUMANEVAL_HUB, {"test": "def check("}, 'field "test" is not Python'),
        (load_humaneval_plus, HUMANEVAL_HUB, {"test": "x = 1"}, 'field "test" holds no list "inputs"'),
        (load_humaneval_plus, HUMANEVAL_HUB, {"test": "inputs = []"}, 'holds no list "inputs" with something in it'),
        (load_humaneval_plus, HUMANEVAL_HUB, {"test": "inputs = [[1]]\nresults = []"}, "has 1 inputs but 0 results"),
        (load_mbpp_plus, MBPP_FILE, {"task_id": "Mbpp/252"}, 'field "base_input" or plus_input does not fit the task'),
        (load_mbpp_plus, MBPP_FILE, {"task_id": None}, 'field "task_id" must be an integer'),
        (load_mbpp_plus, MBPP_HUB, {"test_list": []}, 'field "test_list" must be a list of strings'),
    ],
)
def test_a_wrong_row_is_named(tmp_path, load, row, fields, message):
    other = row | {"task_id": 7 if isinstance(row["task_id"], int) else row["task_id"].replace("/9", "/8")}
    path = write(tmp_path / "p.jsonl", other, row | fields)
    with pytest.raises(InputError) as caught:
        load(path)
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)
