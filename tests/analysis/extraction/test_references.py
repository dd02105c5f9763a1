"""Reference solutions in answers of many styles: each comes out as it went in."""

import ast
import json
import textwrap

import pytest

from edittool.analysis.extraction import extract
from edittool.benchmark.python_source import parse_python
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.benchmark.sources.mbpp import load_mbpp

TICKS = "```"
TEST = """\
import unittest
from solution import {name}


class Test(unittest.TestCase):
    def test(self):
        {name}()
"""
STYLES = {
    "a fence": "Here it is:\n\n{open}{code}```\n\nThis works because it's simple.",
    "a test after it": "{open}{code}```\n\nTests:\n\n{open}{test}```\n",
    "its stub before it": "Signature:\n{open}def {name}(*args):\n    ...\n```\nIn full:\n{open}{code}```\n",
    "its outline after it": "{open}{code}```\nSo:\n{open}def {name}(*args):\n    # ... existing code ...\n```",
    "thinking": "<think>\nHm.\n{open}def {name}(*args):\n    return None\n```\n</think>\n\n{open}{code}```<|im_end|>",
    "a list": "1. Write it:\n\n{listed}\n2. Done.",
    "prose": "Sure! Here's the code:\n\n{code}\nHope it helps (let me know)!",
    "an indented block": "Code:\n\n{indented}\nThat is all.",
    "JSON": "{json}",
    "a chat that goes on": "{open}{code}```\n\nUser: thanks\nAssistant: {open}def {name}(*args):\n    return 0\n```",
    "the language above it": "python\n{code}",
    "a tag on its lines": "<answer>{stripped}</answer>",
    "a use below it": "{open}{code}\n\nif __name__ == '__main__':\n    print({name}())\n```",
    "a template's tokens": "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n```\n{code}```<|eot_id|>",
    "a fence behind prose": "Code: {open}{code}```\nTest: {open}assert {name}()\n```",
}


@pytest.mark.slow  # 1,138 references in 15 styles
def test_a_reference_comes_out_as_it_went_in(datasets, subtests):
    problems = [*load_humaneval(datasets / "HumanEval.jsonl"), *load_mbpp(datasets / "mbpp.jsonl")]
    assert len(problems) == 164 + 974
    for style, template in STYLES.items():
        with subtests.test(style):
            assert [one.task_id for one in problems if not comes_out(one, template)] == []


def comes_out(problem, template):
    whole = problem.task_id.startswith("HumanEval")  # whose prompts begin the function
    code = (problem.solution if whole else problem.solution.removeprefix(problem.prompt)).rstrip() + "\n"
    answer = template.format(
        open=f"{TICKS}python\n",
        code=code,
        stripped=code.rstrip(),
        name=problem.entry_point,
        test=TEST.format(name=problem.entry_point),
        listed=indented(f"{TICKS}python\n{code}{TICKS}\n", "   "),
        indented=indented(code, "    "),
        json=json.dumps({"reasoning": "It is simple.", "code": code}),
    )
    found = extract(answer, problem.prompt, problem.entry_point, "auto")
    program = problem.prompt + found.program if found.form == "completion" else found.program
    return what_runs(program) == what_runs(code)


def indented(text, blanks):
    return textwrap.indent(text, blanks, lambda line: True)


def what_runs(program):
    """Return the syntax tree of `program` without its docstrings, whose lines move with an indentation."""
    tree = parse_python(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = None
    return ast.dump(tree)
