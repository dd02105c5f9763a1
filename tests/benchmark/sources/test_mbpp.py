"""Importing MBPP: handwritten rows for each trap, and the whole data set where it is at hand."""

import ast
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.sources.mbpp import load_mbpp
from edittool.schemas.errors import InputError

ROW = {
    "task_id": 7,
    "text": "Write a function to double a number.",
    "code": "def double(x):\r\n    return 2 * x",
    "test_setup_code": "",
    "test_list": ["assert double(1) == 2", "assert double(2) == 4 "],
    "challenge_test_list": ["assert double(0) == 0"],
}


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def load_one(tmp_path, **fields):
    (problem,) = load_mbpp(write(tmp_path / "mbpp.jsonl", ROW | fields))
    return problem


def test_a_row_becomes_a_problem(tmp_path):
    problem = load_one(tmp_path)
    assert problem.task_id == "MBPP/7"
    assert problem.entry_point == "double"
    assert problem.prompt == '"""\nWrite a function to double a number.\nassert double(1) == 2\n"""\n'
    assert problem.solution == problem.prompt + "def double(x):\n    return 2 * x\n"
    assert [(test.setup, test.code) for test in problem.tests] == [
        ("", "assert double(1) == 2"),
        ("", "assert double(2) == 4"),
    ]
    assert problem.subset == "specificity"
    assert problem.change_id is None
    assert not problem.opaque


def test_challenge_tests_are_left_out(tmp_path):
    assert all("double(0)" not in test.code for test in load_one(tmp_path).tests)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\n\r"])
def test_line_ends_are_normalised(tmp_path, end):
    problem = load_one(tmp_path, code=f"def double(x):{end}    return 2 * x{end}")
    assert "\r" not in problem.solution
    ast.parse(problem.solution)


def test_repeated_tests_are_dropped(tmp_path):
    problem = load_one(tmp_path, test_list=["assert double(1) == 2", "assert double(1) == 2 "])
    assert len(problem.tests) == 1


def test_a_module_that_only_the_solution_imports_is_imported_for_the_tests(tmp_path):
    problem = load_one(
        tmp_path,
        code="import sys\ndef size(x):\n    return sys.getsizeof(x)",
        test_list=["assert size(()) == sys.getsizeof(())"],
    )
    assert problem.tests[0].setup == "import sys\n"
    assert not problem.opaque


NODE = "class Node:\n    pass\ndef depth(node):\n    return 1\n"


def test_objects_of_the_candidate_s_classes_make_a_problem_opaque(tmp_path):
    problem = load_one(
        tmp_path, code=NODE, test_setup_code="root = Node() \r\n", test_list=["assert (depth(root)) == 1"]
    )
    assert problem.opaque
    assert problem.entry_point == "depth"
    assert problem.tests[0].setup == "root = Node()"


def test_a_class_that_the_tests_leave_alone_does_not(tmp_path):
    assert not load_one(tmp_path, code=NODE, test_list=["assert depth(None) == 1"]).opaque


def test_the_function_is_the_entry_point_and_not_the_class_it_is_given(tmp_path):
    problem = load_one(tmp_path, code=NODE, test_list=["assert depth([Node(), Node()]) == 1"])
    assert problem.entry_point == "depth"


def test_a_type_as_an_argument_is_plain(tmp_path):
    problem = load_one(
        tmp_path,
        code="def of(xs, t):\n    return [x for x in xs if isinstance(x, t)]",
        test_list=["assert of([1], int)"],
    )
    assert not problem.opaque


def test_a_solution_may_redefine_a_builtin(tmp_path):
    problem = load_one(tmp_path, code="def sum(a, b):\n    return a + b", test_list=["assert sum(1, 2) == 3"])
    assert problem.entry_point == "sum"


def test_the_outer_call_of_two_of_its_functions_counts(tmp_path):
    code = "def inner(x):\n    return x\ndef outer(x):\n    return x\n"
    assert load_one(tmp_path, code=code, test_list=["assert outer(inner(1)) == 1"]).entry_point == "outer"


def test_texts_that_say_using_are_tagged(tmp_path):
    assert load_one(tmp_path, text="Sort a list using heap queue.").tags == ("says_using",)
    assert load_one(tmp_path, text="Sort a list, confusingly.").tags == ()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_any_text_makes_a_prompt_that_is_python(tmp_path_factory, text):
    problem = load_one(tmp_path_factory.mktemp("m"), text=text)
    assert ast.parse(problem.prompt).body[0].value.value.endswith("assert double(1) == 2\n")


def test_a_backslash_in_the_prompt_is_shown_as_it_is(tmp_path):
    problem = load_one(tmp_path, text=r"Split at \d.")
    assert r"Split at \d." in problem.prompt
    assert ast.get_docstring(ast.parse(problem.prompt)).startswith(r"Split at \d.")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task_id": "MBPP/7"}, 'field "task_id" must be an integer'),
        ({"code": "def"}, 'field "code" is not Python'),
        ({"test_list": []}, 'field "test_list" must be a list of strings that is not empty. Is this'),
        ({"test_list": ["assert ("]}, 'field "test_list" is not Python'),
        ({"test_list": ["assert triple(1)"]}, 'field "test_list" calls no function'),
        ({"text": None}, 'field "text" must be a string, but it is null'),
    ],
)
def test_a_wrong_row_is_named(tmp_path, fields, message):
    path = write(tmp_path / "m.jsonl", ROW | {"task_id": 6}, ROW | fields)
    with pytest.raises(InputError) as caught:
        load_mbpp(path)
    assert f"{path}, line 2" in str(caught.value)
    assert message in str(caught.value)


def test_a_row_without_tests_is_named(tmp_path):
    row = {name: value for name, value in ROW.items() if name != "test_list"}
    with pytest.raises(InputError, match=r'line 2: field "test_list" is missing. .* Repair or remove that row'):
        load_mbpp(write(tmp_path / "m.jsonl", ROW | {"task_id": 6}, row))


@pytest.fixture(scope="module")
def mbpp(datasets):
    return load_mbpp(datasets / "mbpp.jsonl")


def test_the_whole_data_set(mbpp):
    assert len({problem.task_id for problem in mbpp}) == 974
    assert [problem.task_id for problem in mbpp if problem.opaque] == ["MBPP/367", "MBPP/601", "MBPP/927"]
    assert [problem.task_id for problem in mbpp if len(problem.tests) < 2] == ["MBPP/37"]
    assert sum("says_using" in problem.tags for problem in mbpp) == 102


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")  # of the data set's own programs
def test_every_reference_passes_every_test(mbpp):
    for problem in mbpp:
        candidate = {}
        exec(problem.solution, candidate)
        for test in problem.tests:
            trusted = dict(candidate) if problem.opaque else {}
            trusted["candidate"] = trusted[problem.entry_point] = candidate[problem.entry_point]
            exec(f"{test.setup}\n{test.code}", trusted)
