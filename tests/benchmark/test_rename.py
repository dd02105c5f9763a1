"""The mere rename: nothing where a name might mean something else, and otherwise the name and no more."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.rename import rename
from edittool.schemas.changes import Change


def change(deprecated):
    replacement = "my_" + deprecated.replace(".", "_")
    return Change(deprecated, deprecated, replacement, "keyword_only", "", f"def {replacement}(): pass", "")


UNCHECKED = {
    "not Python": ("len", "len("),
    "a line end of its own kind": ("len", "x = 1\rlen('')"),
    "not used": ("len", "print(1)"),
    "bound by an assignment": ("len", "len = 3\nprint(len)"),
    "bound by a parameter": ("sum", "def f(sum):\n    return sum"),
    "bound by a function": ("sum", "def sum(a):\n    return sum(a)"),
    "bound by a loop": ("max", "for max in range(3):\n    print(max)"),
    "bound by an import": ("sum", "from numpy import sum\nsum([1])"),
    "bound by except": ("max", "try:\n    max(1)\nexcept ValueError as max:\n    pass"),
    "bound by a pattern": ("max", "match 1:\n    case max:\n        print(max)"),
    "the new name is taken": ("len", "my_len = 3\nlen('')"),
    "a from-import": ("math.sqrt", "from math import sqrt\nsqrt(4)"),
    "a star-import": ("math.sqrt", "from math import *\nsqrt(4)"),
    "not imported": ("math.sqrt", "math.sqrt(4)"),
    "a variable called like the module": ("math.sqrt", "import math\ndef f(math):\n    return math.sqrt(4)"),
    "a method's name on a module": ("str.split", "import re\nre.split(' ', 'a b')"),
    "written with spaces": ("math.sqrt", "import math\nmath . sqrt(4)"),
    "spread over lines": ("math.sqrt", "import math\n(math\n.sqrt)(4)"),
}

RENAMED = {
    "builtin": ("len", "print(len(len('a')))", "print(my_len(my_len('a')))"),
    "builtin as a value": ("len", "map(len, xs)", "map(my_len, xs)"),
    "an attribute of that name is another thing": ("len", "x.len(len(y))", "x.len(my_len(y))"),
    "in an f-string's neighbourhood": ("len", "s = 'len', len(x)", "s = 'len', my_len(x)"),
    "inside an f-string": ("len", "f'{len(x)} of {len(y)}'", "f'{my_len(x)} of {my_len(y)}'"),
    "after other than ASCII": ("len", "'äöü', len('ß'), len(x)", "'äöü', my_len('ß'), my_len(x)"),
    "member": ("math.sqrt", "import math\nmath.sqrt(4)", "import math\nmy_math_sqrt(4)"),
    "member of an alias": ("math.sqrt", "import math as m\nm.sqrt(m.pi)", "import math as m\nmy_math_sqrt(m.pi)"),
    "nested member": (
        "os.path.join",
        "import os\nos.path.join(os.path.join('a', 'b'), 'c')",
        "import os\nmy_os_path_join(my_os_path_join('a', 'b'), 'c')",
    ),
    "member by way of os.path": (
        "os.path.join",
        "import os.path\nos.path.join(a)",
        "import os.path\nmy_os_path_join(a)",
    ),
    "member by way of from os": (
        "os.path.join",
        "from os import path as p\np.join(a)",
        "from os import path as p\nmy_os_path_join(a)",
    ),
    "member of an import in a function": (
        "math.sqrt",
        "def f():\n    import math\n    return math.sqrt(4)",
        "def f():\n    import math\n    return my_math_sqrt(4)",
    ),
    "method": ("str.split", "'a b'.split().split()", "'a b'.my_str_split().my_str_split()"),
    "method on a line of its own": ("str.split", "(x\n  .split())", "(x\n  .my_str_split())"),
    "method beside a function of that name": ("str.split", "split('a'.split())", "split('a'.my_str_split())"),
}


@pytest.mark.parametrize(("deprecated", "program"), UNCHECKED.values(), ids=UNCHECKED)
def test_left_unchecked(deprecated, program):
    assert rename(program, change(deprecated)) is None


@pytest.mark.parametrize(("deprecated", "program", "expected"), RENAMED.values(), ids=RENAMED)
def test_renamed(deprecated, program, expected):
    assert rename(program, change(deprecated)) == expected


@pytest.mark.parametrize(
    "problem", [p for p in load_builtin().problems.values() if p.change_id], ids=lambda p: p.task_id
)
def test_every_program_of_the_builtin_benchmark_can_be_renamed(problem):
    made = load_builtin().changes[problem.change_id]
    renamed = rename(problem.solution, made)
    body = renamed.removeprefix(problem.prompt)
    assert made.replacement in body
    assert renamed.startswith(problem.prompt)


@pytest.mark.parametrize("text", ["f'{len(x)}'", 'f"""\n ab {len(x)}\n{ len(y)}"""', "('a'\n f'len {len(x)}')"])
def test_inside_f_strings_it_is_right_or_left_unchecked(text):
    assert rename(text, change("len")) in (None, text.replace("len(", "my_len("))


@given(st.lists(st.sampled_from(["len(x)", "x.len", "'len'", "y[len]", "f(len)(len)", "len.len", "ö"]), min_size=1))
def test_renaming_back_gives_the_program_back(parts):
    program = "\n".join(parts)
    renamed = rename(program, change("len"))
    used = any(isinstance(node, ast.Name) and node.id == "len" for node in ast.walk(ast.parse(program)))
    assert (renamed is not None) == used
    if renamed is not None:
        assert renamed.replace("my_len", "len") == program
        assert not any(isinstance(node, ast.Name) and node.id == "len" for node in ast.walk(ast.parse(renamed)))
