"""A user's own problems in YAML: what may be left out, what is read in its place, and how everything wrong is named."""

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.own.problems import load_problems
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError
from edittool.schemas.problems import Problem, Test

BENCH = load_builtin()
CHANGES = list(BENCH.changes.values())

# Lines: 2 task, 6 to 9 prompt, 11 and 12 completion, 14 updated completion, 16 to 18 tests.
ENTRY = '''# Mine
- task_id: own/largest
  change_id: sorted
  subset: reliability
  prompt: |
    import math

    def largest(values):
        """Return the largest value."""
  completion: |
    ordered = sorted(values)
    return ordered[-1]
  updated_completion: |
    return my_builtin_sorted(values=values)[-1]
  tests: |
    values = [1, 3, 2]
    assert candidate(values) == 3
    assert candidate([4]) == 4
'''
PROMPT = 'import math\n\ndef largest(values):\n    """Return the largest value."""\n'


def load(folder: Path, text: str, name: str = "problems.yaml") -> list[Problem]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_problems(path, CHANGES)


def load_one(folder: Path, old: str = "", new: str = "") -> Problem:
    """Load ENTRY, in which `old` must stand, with `new` in its place."""
    assert old in ENTRY
    (problem,) = load(folder, ENTRY.replace(old, new))
    return problem


def test_a_few_fields_are_enough(tmp_path: Path) -> None:
    assert load_one(tmp_path) == Problem(
        task_id="own/largest",
        prompt=PROMPT,
        entry_point="largest",
        solution=f"{PROMPT}    ordered = sorted(values)\n    return ordered[-1]\n",
        tests=(
            Test("values = [1, 3, 2]", "assert candidate(values) == 3"),
            Test("values = [1, 3, 2]", "assert candidate([4]) == 4"),
        ),
        subset="reliability",
        change_id="sorted",
        updated_solution=f"{PROMPT}    return my_builtin_sorted(values=values)[-1]\n",
    )


def test_what_is_given_is_kept(tmp_path: Path) -> None:
    """Every problem of the built-in benchmark, with every field, is the same again."""
    rows = [problem.to_row() for problem in BENCH.problems.values()]
    assert load(tmp_path, yaml.safe_dump(rows)) == list(BENCH.problems.values())


@pytest.mark.parametrize("name", ["problems.yaml", "p.YML"])
@pytest.mark.parametrize("key", ["", "problems:\n"])
def test_a_list_stands_alone_or_under_its_name(tmp_path: Path, name: str, key: str) -> None:
    assert load(tmp_path, key + ENTRY, name) == [load_one(tmp_path)]


@pytest.mark.parametrize(
    ("prompt", "completion", "program"),
    [
        ('def f(x):\n    """Doc."""\n', "return x\n", 'def f(x):\n    """Doc."""\n    return x\n'),
        ("def f(x):\n", "return x\n", "def f(x):\n    return x\n"),
        ("def f(x):\n\n", "return x\n", "def f(x):\n\n    return x\n"),
        ("def f(x):\n  y = x\n", "y += 1\n\nreturn y\n", "def f(x):\n  y = x\n  y += 1\n\n  return y\n"),
        ("def f(x):\n\ty = x\n", "return y\n", "def f(x):\n\ty = x\n\treturn y\n"),
        ("def f(x):\n    for y in x:\n", "return y\n", "def f(x):\n    for y in x:\n        return y\n"),
        ("def f(x):\n", "    if x:\n      return 1\n", "def f(x):\n    if x:\n      return 1\n"),
        ("y = 1\n", "def f(x):\n    return x\n", "y = 1\ndef f(x):\n    return x\n"),
    ],
)
def test_a_completion_stands_under_the_last_line_of_the_prompt(
    tmp_path: Path, prompt: str, completion: str, program: str
) -> None:
    row = {"prompt": prompt, "completion": completion, "tests": ["assert candidate(1)"], "entry_point": "f"}
    (problem,) = load(tmp_path, yaml.safe_dump([{"task_id": "own/f", "subset": "specificity", **row}]))
    assert (problem.solution, problem.change_id, problem.updated_solution) == (program, None, None)


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("assert candidate(1)\nassert candidate(2)\n", [("", "assert candidate(1)"), ("", "assert candidate(2)")]),
        (
            "# first\nassert candidate(\n    1,  # one\n)\n\nassert candidate('a;b'); assert candidate(3)",
            [
                ("", "assert candidate(\n    1,  # one\n)"),
                ("", "assert candidate('a;b')"),
                ("", "assert candidate(3)"),
            ],
        ),
        (
            "import math\nassert candidate(math.pi)\nx = [1]\nx.append(2)\nfor y in x:\n    assert candidate(y)\n",
            [
                ("import math", "assert candidate(math.pi)"),
                ("import math\nx = [1]\nx.append(2)", "for y in x:\n    assert candidate(y)"),
            ],
        ),
        (
            "@print\n@print\ndef check(x):\n    assert x\nassert candidate(check)\n",
            [("@print\n@print\ndef check(x):\n    assert x", "assert candidate(check)")],
        ),
        ("assert candidate('ä') == 'ä'\n", [("", "assert candidate('ä') == 'ä'")]),
    ],
)
def test_each_assert_of_a_text_is_a_test(tmp_path: Path, text: str, tests: list[tuple[str, str]]) -> None:
    written = ENTRY.partition("  tests:")[0] + "  tests: |\n" + indent(text, "    ")
    (problem,) = load(tmp_path, written)
    assert [(test.setup, test.code) for test in problem.tests] == tests


def test_a_list_of_tests_may_leave_out_the_setup(tmp_path: Path) -> None:
    tests = "  tests:\n  - candidate([1])\n  - code: assert x\n  - {setup: x = 1, code: assert x}\n"
    (problem,) = load(tmp_path, ENTRY.partition("  tests:")[0] + tests)
    assert problem.tests == (Test("", "candidate([1])"), Test("", "assert x"), Test("x = 1", "assert x"))


WRONG = {
    "misspelled": ("completion: |\n    ordered", "completino: |\n    ordered", 11, "Did you mean 'completion'?"),
    "no_task": ("task_id: own/largest\n  ", "", 2, "this problem lacks the field 'task_id'. Add it"),
    "no_change": ("  change_id: sorted\n", "", 2, 'lacks the required field "change_id"'),
    "another_change": ("change_id: sorted", "change_id: sortde", 3, "names 'sortde', which no change has"),
    "change_of_none": ("subset: reliability", "subset: specificity", 3, "must be null in specificity"),
    "subset": ("subset: reliability", "subset: reliable", 4, 'field "subset" must be one of'),
    "type": ("task_id: own/largest", "task_id: 3", 2, 'field "task_id" must be a string'),
    "both": (
        "task_id: own/largest",
        "task_id: own/largest\n  solution: x = 1",
        12,
        "'completion' stands beside 'solution'",
    ),
    "no_text": (
        "completion: |\n    ordered = sorted(values)\n    return ordered[-1]",
        "completion: 3",
        10,
        "be a text",
    ),
    "prompt_no_text": (
        'prompt: |\n    import math\n\n    def largest(values):\n        """Return the largest value."""\n',
        "prompt: 3\n",
        5,
        'field "prompt" must be a text',
    ),
    "prompt_without_end": ("prompt: |", "prompt: |-", 6, 'field "prompt" must end with a line break'),
    "no_function": ("def largest(values)", "if True", 6, 'field "entry_point" is left out'),
    "entry_point": (
        "subset: reliability",
        "subset: reliability\n  entry_point: smallest",
        12,
        "field \"completion\" does not define the entry point 'smallest'",
    ),
    "completion": (
        "return ordered[-1]",
        "return ordered[-1",
        12,
        "field \"completion\" is not Python ('[' was never closed, line 2)",
    ),
    "updated": ("values=values)[-1]", "values=values[-1]", 14, 'field "updated_completion" is not Python'),
    "prompt": ("def largest(values):", "def largest(values:", 8, 'field "prompt" is not Python'),
    "test": ("assert candidate([4]) == 4", "assert candidate([4] == 4", 18, 'field "tests" is not Python'),
    "no_assert": ("assert candidate([4]) == 4", "candidate([4])", 18, 'field "tests" must end with an assert'),
    "no_test": (
        "tests: |\n    values = [1, 3, 2]\n    assert candidate(values) == 3\n    assert candidate([4]) == 4\n",
        "tests: ''\n",
        15,
        'field "tests" must end with an assert',
    ),
    "tests_no_list": ("tests: |", "helpers: |", 2, "this problem lacks the field 'tests'"),
    "helpers": ("subset: reliability", "subset: reliability\n  helpers: (", 5, 'field "helpers" is not Python'),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    old, new, line, message = WRONG[case]
    with pytest.raises(InputError) as caught:
        load_one(tmp_path, old, new)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'problems.yaml'}, line {line}: ")


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("3", 'field "tests" must be an array'),
        ("[]", 'field "tests" must not be empty'),
        ("[3]", 'field "tests[0]" must be an object'),
        ("[{setup: x = 1}]", 'field "tests[0]" lacks the required field "code"'),
        ("[assert x, assert (]", 'field "tests[1]" is not Python'),
    ],
)
def test_a_wrong_list_of_tests_is_named(tmp_path: Path, tests: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, ENTRY.partition("  tests:")[0] + f"  tests: {tests}\n")
    assert str(caught.value).startswith(f"{tmp_path / 'problems.yaml'}, line 15: {message}")


def test_nothing_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 20: the task 'own/largest' stands twice\. Remove one"):
        load(tmp_path, ENTRY + ENTRY)


@given(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["prompt", "completion", "updated_completion"]))
def test_a_line_of_a_text_is_a_line_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, above: int, before: int, field: str
) -> None:
    broken = "".join(["x = 1\n"] * before) + "y = = 2\n"
    texts: dict[str, Any] = {"prompt": "def f(x):\n    z = 1\n", "completion": "return 1\n"}
    text = f"def f(x):\n{indent(broken, '    ')}" if field == "prompt" else broken
    row = {**texts, field: text}
    path = tmp_path_factory.getbasetemp() / "problem_lines.yaml"
    blocks = "".join(f"  {name}: |\n{indent(value, '    ')}" for name, value in row.items())
    path.write_text("# comment\n" * above + "- task_id: own/f\n  subset: specificity\n  tests: assert 1\n" + blocks)
    with pytest.raises(InputError) as caught:
        load_problems(path, list[Change]())
    wanted = [line.strip() for line in path.read_text().splitlines()].index("y = = 2") + 1
    assert str(caught.value).startswith(f'{path}, line {wanted}: field "{field}" is not Python')
