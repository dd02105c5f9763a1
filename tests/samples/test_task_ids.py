from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.samples.task_ids import Known, TaskFinder, Text, Unknown
from edittool.schemas.bench import write_bench

from .small_bench import PROGRAMS, problem, program, small_bench


@pytest.fixture(scope="module")
def finder(tmp_path_factory):
    return TaskFinder(small_bench(tmp_path_factory.mktemp("small")))


def told(found):
    match found:
        case Known(problem=one, by=by, index=index):
            return one.task_id, by, index
        case Unknown(reason=reason):
            return reason
    return None


NAMES = [
    ("HumanEval/0", ("HumanEval/0", "name", None)),
    ("humaneval/0", ("HumanEval/0", "name", None)),
    ("HumanEval_0", ("HumanEval/0", "name", None)),
    ("HumanEval-002", ("HumanEval/2", "name", None)),
    ("human-eval/2", ("HumanEval/2", "name", None)),
    ("HumanEval0", ("HumanEval/0", "name", None)),
    ("openai_humaneval/1", ("HumanEval/1", "name", None)),
    ("HumanEval+/1", ("HumanEval/1", "name", None)),
    ("HumanEvalPlus_1", ("HumanEval/1", "name", None)),
    ("Mbpp/2", ("MBPP/2", "name", None)),
    ("mbpp_plus/2", ("MBPP/2", "name", None)),
    ("google/mbpp/11", ("MBPP/11", "name", None)),
    ("HumanEval_0_has_close", ("HumanEval/0", "name", None)),
    ("HumanEval/0#3", ("HumanEval/0", "name", 3)),
    ("MBPP/11#12", ("MBPP/11", "name", 12)),
    ("HumanEval_0-3", ("HumanEval/0", "name", 3)),
    ("HumanEval_1_sample_5", ("HumanEval/1", "name", 5)),
    ("HumanEval/1-completion-3", ("HumanEval/1", "name", 3)),
    ("humaneval_1_s2", ("HumanEval/1", "name", 2)),
    ("HumanEval_1_separate_sample3", ("HumanEval/1", "name", 3)),
    ("HumanEval_1_string_to_md5", ("HumanEval/1", "name", None)),
    ("HumanEval_1_v2", ("HumanEval/1", "name", None)),
    ("HumanEval_1/3-sanitized", ("HumanEval/1", "name", 3)),
    ("MBPP_2/0_1", ("MBPP/2", "name", 1)),
    ("request-HumanEval/1-4", ("HumanEval/1", "name", 4)),
    ("task-MBPP/2", ("MBPP/2", "name", None)),
    ("7", ("MBPP/7", "number", None)),
    (11, ("MBPP/11", "number", None)),
    ("007", ("MBPP/7", "number", None)),
    ("7-1", ("MBPP/7", "number", 1)),
    ("7_sample_1", ("MBPP/7", "number", 1)),
    ("7 s2", ("MBPP/7", "number", 2)),
    ("20240513-0001", None),
    ("2024-05-13", None),
    ("0" * 20 + "11", ("MBPP/11", "number", None)),
    ("0", ("HumanEval/0", "number", None)),
    (2, "ambiguous_task"),
    ("1", "ambiguous_task"),
    ("MBPP/3", "left_out"),
    ("mbpp_3", "left_out"),
    (3, "left_out"),
    ("MBPP/4", "no_task"),
    ("HumanEval/163", "no_task"),
    (999, "no_task"),
    ("9" * 5000, "no_task"),
    ("chatcmpl-8f3a2", None),
    ("run-5", None),
    ("- " * 5000 + "x", None),
    ("123e4567-e89b-12d3-a456-426614174000", None),
    ("", None),
    (True, None),
    ("\u0662", None),
]


def test_names_are_understood_in_every_spelling(finder, subtests):
    for name, right in NAMES:
        with subtests.test(name=str(name)[:40]):
            assert told(finder.by_name(name, indexed=True)) == right


def test_a_number_of_two_problems_is_the_one_that_the_text_speaks_of(finder):
    assert told(finder.by_number(2, [Text(program("MBPP/2"), False)])) == ("MBPP/2", "number", None)
    assert told(finder.by_number(2, [Text(problem("HumanEval/2").prompt, True)])) == ("HumanEval/2", "number", None)
    assert told(finder.by_number(2, [Text("similar(1)", False)])) == ("MBPP/2", "number", None)
    assert told(finder.by_number(2, [Text("    return 1\n", False)])) == "ambiguous_task"
    assert told(finder.by_number(2, [], "mbpp")) == ("MBPP/2", "number", None)


def test_a_number_that_the_text_contradicts_is_no_id(finder):
    assert told(finder.by_number(7, [Text(program("MBPP/1"), False)])) == "ambiguous_task"
    assert told(finder.by_number(7, [Text("def helper(): ...\n", False)])) == ("MBPP/7", "number", None)
    for text in (
        "min_cost = lambda given: given",
        "min_cost = sum",
        "1. Here it is:\n\n   ```python\n   async def min_cost(given):\n       return given\n   ```\n",
        "Here you are:\n\tclass min_cost:\n\t\tpass\n",
    ):
        for name in (7, "7-345"):
            assert told(finder.by_name(name, [Text(text, False)], indexed=True)) == "ambiguous_task"
        assert told(finder.by_number(2, [Text(text, False)], "mbpp")) == "ambiguous_task"


def test_a_name_within_a_function_contradicts_no_number(finder):
    nested = "def solve(\n    given,\n):\n    min_cost = 1\n    if given:\n        def min_cost(): ...\n"
    body = "    def min_cost(): ...\n    return min_cost\n"
    for text in (
        Text(nested, False),
        Text("    min_cost = 1\n", False, True),
        Text("min_cost == 1", False),
        Text(body, False),
        Text("```\n    min_cost = 1\n```", False),
    ):
        assert told(finder.by_number(7, [text])) == ("MBPP/7", "number", None)


def test_a_problem_is_found_by_what_was_asked_or_written(finder, subtests):
    asked = problem("MBPP/7").prompt.strip('"\n')
    rows = [
        ("prompt", [Text(f"Please solve:\n{asked}", True)], ("MBPP/7", "prompt", None)),
        ("other white space", [Text(" ".join(asked.split()), True)], ("MBPP/7", "prompt", None)),
        ("prompt and answer in one", [Text(problem("HumanEval/1").solution, False)], ("HumanEval/1", "prompt", None)),
        ("definition", [Text("x = 1\n" + program("MBPP/2"), False)], ("MBPP/2", "entry_point", None)),
        ("test", [Text("assert min_cost([1]) == 3", True)], ("MBPP/1", "entry_point", None)),
        ("a lambda", [Text("similar = lambda given: given\n", False)], ("MBPP/2", "entry_point", None)),
        ("a value", [Text("similar = 1\n", False)], None),
        ("in a list", [Text("* So:\n\n  def similar(given):\n    return 1", False)], ("MBPP/2", "entry_point", None)),
        ("shared function", [Text(program("MBPP/7"), False)], "ambiguous_task"),
        ("shared, and asked", [Text(asked, True), Text(program("MBPP/7"), False)], ("MBPP/7", "prompt", None)),
        ("examples before", [Text(problem("MBPP/1").prompt + problem("MBPP/2").prompt, True)], "ambiguous_task"),
        (
            "examples before, one answered",
            [Text(problem("MBPP/1").prompt + problem("MBPP/2").prompt, True), Text(program("MBPP/2"), False)],
            ("MBPP/2", "prompt", None),
        ),
        ("a method is no function of the program", [Text("class A:\n    def similar(self): ...\n", False)], None),
        ("a call in an answer", [Text("similar(1)", False)], None),
        ("nothing", [Text("", True), Text("I cannot do that.", False)], None),
    ]
    for name, texts, right in rows:
        with subtests.test(name=name):
            assert told(finder.by_text(texts)) == right


def test_a_list_with_an_entry_for_each_problem_tells_them_by_place(finder):
    found, _ = finder.by_position(len(PROGRAMS), ["" for _ in PROGRAMS])
    assert [told(found[place])[0] for place in sorted(found)] == list(PROGRAMS)
    shifted = ["", program("HumanEval/0"), *("" for _ in range(len(PROGRAMS) - 2))]
    found, displaced = finder.by_position(len(PROGRAMS), shifted)
    assert {place: told(one) for place, one in found.items()} == {1: ("HumanEval/0", "entry_point", None)}
    assert displaced == 0
    assert finder.by_position(2, ["", ""]) == ({}, 0)
    test_split, _ = finder.by_position(500, [""] * 500)
    assert {place: told(one)[0] for place, one in test_split.items()} == {0: "MBPP/11"}


def test_a_function_of_another_case_contradicts_no_number(tmp_path):
    names = {"own/1": "left_Rotate", "own/2": "left_rotate", "own/3": "count"}
    problems = [replace(problem("MBPP/1"), task_id=task_id, entry_point=name) for task_id, name in names.items()]
    finder = TaskFinder(write_bench(tmp_path / "own", "own", problems, []))
    text = Text("def left_rotate(given): ...\n", False)
    assert told(finder.by_number(1, [text])) == ("own/1", "number", None)
    assert told(finder.by_number(3, [text])) == "ambiguous_task"


def test_a_few_texts_that_contradict_their_places_do_not_count(tmp_path):
    problems = [replace(problem("MBPP/1"), task_id=f"own/{n}", entry_point=f"solve_{n}") for n in range(20)]
    finder = TaskFinder(write_bench(tmp_path / "own", "own", problems, []))
    texts = [f"def solve_{n}(given): ..." for n in range(20)]
    texts[5] = texts[6] = texts[7]
    found, displaced = finder.by_position(20, texts)
    assert [told(found[place]) for place in (4, 5, 7)] == [
        ("own/4", "entry_point", None),
        ("own/5", "position", None),
        ("own/7", "entry_point", None),
    ]
    assert displaced == 2
    texts[8] = texts[7]
    found, displaced = finder.by_position(20, texts)
    assert [told(found[place])[0] for place in (4, 5, 8)] == ["own/4", "own/7", "own/7"]
    assert displaced == 0


@given(st.text(max_size=30) | st.integers())
def test_any_name_has_an_answer_that_is_a_task_or_a_reason(finder, name):
    found = finder.by_name(name, [Text(str(name), True)], indexed=True)
    assert found is None or isinstance(found, Known | Unknown)
    if isinstance(found, Known):
        assert any(digit in str(name) for digit in found.problem.task_id.split("/")[1])


@given(st.sampled_from(sorted(PROGRAMS)), st.integers(0, 99), st.sampled_from("#/_-."), st.booleans())
def test_what_was_put_around_an_id_comes_off_again(finder, task_id, index, mark, upper):
    name = f"{task_id}{mark}{index}"
    found = finder.by_name(name.upper() if upper else name, indexed=True)
    assert told(found) == (task_id, "name", index)
