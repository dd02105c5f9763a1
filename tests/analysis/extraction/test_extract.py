"""Answers of models, each of a kind that was met, and the programs in them: those work as the answers say."""

import json
import textwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.extraction import extract
from edittool.schemas.validation import find_fault

HEAD = "from typing import List\n\n\ndef twice(x: int) -> int:\n    return 2 * x\n\n\n"
SIGNATURE = "def f(xs: List[int]) -> int:\n"
PROMPT = f'{HEAD}{SIGNATURE}    """Return the sum.\n    >>> f([1])\n    1\n    """\n'
BODY = "    total = 0\n    for x in xs:\n        total += x\n    return total\n"
PLAIN = f"def f(xs):\n{BODY}"
WRONG = "def f(xs):\n    return -1\n"


def fence(code: str, language: str = "python", marks: str = "```") -> str:
    ended = code if code.endswith("\n") else f"{code}\n"
    return f"{marks}{language}\n{ended}{marks}\n"


def works(program: str, entry_point: str = "f") -> bool:
    """Run one of the programs of this file."""
    names: dict[str, Any] = {}
    exec(program, names)
    return eval(entry_point, names)([1, 2, 3]) == 6


def program_of(answer: str, prompt: str = PROMPT, form: Any = None, mode: Any = "auto", entry: str = "f") -> str:
    found = extract(answer, prompt, entry, mode, form)
    return prompt + found.program if found.form == "completion" else found.program


HELPED = "def f(xs):\n    return add(xs)\n"
HELPER = "def add(xs):\n    return sum(xs)\n"
TICKS = f'def f(xs):\n    """Return it.\n\n    ```python\n    f([1])\n    ```\n    """\n{BODY}'
FLAT_TICKS = f'def f(xs):\n    """Return it.\n\n```\nf([1])\n```\n    """\n{BODY}'
IMPORTING = (
    "import unittest\nfrom your_module import f\n\n\nclass Test(unittest.TestCase):\n    def test(self):\n        f([])"
)
QUOTED = "def f(xs):\n    ends = ['</s>', '<|im_end|>', '</think>']\n    return sum(xs) if len(ends) == 3 else 0\n"

# Fences that follow the program and are no better one.
LATER = {
    "a test that imports it": IMPORTING,
    "its stub": "def f(xs):\n    raise NotImplementedError\n",
    "its stub, in words": "def f(xs):\n    raise NotImplementedError('you')\n",
    "a task": "def f(xs):\n    # your code here\n    return None\n",
    "its beginning": "def f(xs):\n    total = 0\n",
    "its outline": "def f(xs):\n    if not xs:\n        raise ValueError('none')\n    # ... rest as before ...\n",
    "its outline with dots": "def f(xs):\n    total = 0\n    ...\n",
    "a result with its name": "f = f([1])\n",
    "an attribute with its name": "import solution\nf = solution.f\n",
    "a guarded import": "try:\n    from s import f\nexcept ImportError:\n    pass\n",
}

# Each holds a right program; the kind is what extraction says of it.
RIGHT = {
    # the answer as it is
    "program": (PLAIN, "as_is"),
    "body": (BODY, "as_is"),
    "program with annotations of the prompt's imports": (SIGNATURE + BODY, "text"),
    "prompt repeated": (PROMPT + BODY, "as_is"),
    "helper after the function": (f"    return add(xs)\n\n\n{HELPER}", "as_is"),
    "carriage returns": (PLAIN.replace("\n", "\r\n"), "as_is"),
    "tests after the function": (f"{PLAIN}\nassert f([1]) == 1\nprint(f([int(input())]))\n", "cut"),
    "main after the function": (f'{PLAIN}\nif __name__ == "__main__":\n    print(f([int(input())]))\n', "cut"),
    "strings that hold special tokens": (QUOTED, "as_is"),
    "helper of the prompt": ("def f(xs):\n    return twice(sum(xs)) // 2\n", "text"),
    "from __future__": (f"from __future__ import annotations\n\n{SIGNATURE}    return twice(sum(xs)) // 2\n", "text"),
    # fences
    "fence": (f"Here it is:\n\n{fence(PLAIN)}\nIt sums.", "fence"),
    "fence with a body": (fence(BODY), "fence"),
    "fence with a body at column 0": (f"The body:\n{fence(textwrap.dedent(BODY))}", "fence"),
    "fence without a language": (f"It's:\n{fence(PLAIN, '')}", "fence"),
    "tildes": (fence(PLAIN, "python", "~~~"), "fence"),
    "five backticks": (fence(PLAIN, "py", "`````"), "fence"),
    "braces around the language": (fence(PLAIN, "{.python}"), "fence"),
    "a title beside the language": (fence(PLAIN, 'python title="a.py"'), "fence"),
    "capitals": (fence(PLAIN, "Python"), "fence"),
    "carriage returns in a fence": (f"It:\n{fence(PLAIN)}".replace("\n", "\r\n"), "fence"),
    "in a list": (f"1. Do:\n\n   {textwrap.indent(fence(PLAIN), '   ').lstrip()}\n2. Done", "fence"),
    "on a list's line": ("- " + textwrap.indent(fence(PLAIN), "  ").lstrip(), "fence"),
    "in a quotation": (textwrap.indent(fence(PLAIN), "> ", lambda line: True), "fence"),
    "nested": (fence(f"# Answer\n\n{fence(PLAIN)}", "markdown", "````"), "fence"),
    "the last of two": (f"First:\n{fence(WRONG)}\nBetter:\n{fence(PLAIN)}", "fence"),
    "a usage after it": (f"{fence(PLAIN)}\nUse it:\n{fence('print(f([1, 2]))')}", "fence"),
    "its output after it": (f"{fence(PLAIN)}\n{fence('6', 'text')}\n{fence('$ python a.py', 'bash')}", "fence"),
    "its signature after it": (f"{fence(PLAIN)}\nSo it has the signature\n{fence('def f(xs): ...')}", "fence"),
    "another language after it": (f"{fence(PLAIN)}\n{fence('function f(xs) { return 0 }', 'js')}", "fence"),
    "a helper's fence before it": (f"{fence(HELPER)}\nand\n{fence(HELPED)}", "fence"),
    "a helper's fence after it": (f"{fence(HELPED)}\nwith\n{fence(HELPER)}", "fence"),
    "a class's fence with tests": (
        fence("class A:\n    def add(self, xs):\n        return sum(xs)\n\nprint(A().add([int(input())]))\n")
        + fence("def f(xs):\n    return A().add(xs)\n"),
        "fence",
    ),
    "imports in a fence of their own": (
        fence("import math\n") + "and\n" + fence("def f(xs):\n    return int(math.fsum(xs))\n"),
        "fence",
    ),
    "fences in its docstring": (fence(TICKS), "fence"),
    "fences at column 0 in its docstring": (fence(FLAT_TICKS), "fence"),
    "a fence that closes on a line of code": (f"```python\n{PLAIN.rstrip()}```\nIt sums.", "fence"),
    "a fence that was not closed before the next": (f"```python\nimport os\n```python\n{PLAIN}```", "fence"),
    "a fence that is followed on its line": (f"```python\n{PLAIN}``` It's a sum.\n", "fence"),
    "a fence with a string of special tokens": (f"It's:\n{fence(QUOTED)}", "fence"),
    "an open fence": (f"Here:\n```python\n{PLAIN}", "open_fence"),
    "an open fence that breaks off": (f"Here:\n```python\n{PLAIN}\n\ndef test():\n    assert f([", "open_fence"),
    "a fence that the prompt opened": (f"{PLAIN}```\n\nIt's the sum of `xs`.\n", "cut"),
    "a body and a stray fence": (f"{BODY}```\n", "cut"),
    "constants and registrations after it": (
        fence(
            "def f(xs):\n    return sum(xs) * FACTORS[0]\n\n\nFACTORS = []\n\n\n"
            "def fill():\n    FACTORS.append(1)\n\n\nfill()\nprint(f([int(input())]))\n"
        ),
        "fence",
    ),
    "a decorated name": (fence(f"{PLAIN}\n\nf = (lambda g: lambda xs: g(xs))(f)\n"), "fence"),
    "defined twice": (fence(f"{WRONG}\n\n{PLAIN}"), "fence"),
    "a test that imports it, and a fence that the prompt opened": (f"{PLAIN}```\n\nTest:\n{fence(IMPORTING)}", "cut"),
    "an import that is the answer": (fence("from builtins import sum as f\n"), "fence"),
    "the prompt, then the body": (f"Given\n{fence(PROMPT)}\nthe body is\n{fence(BODY)}", "fence"),
    "the prompt with an import in it, then the body": (
        f"Given\n{fence(SIGNATURE + '    import math' + chr(10))}\nthe body is\n{fence(BODY)}",
        "fence",
    ),
    "all names of a module in a fence of their own": (
        fence("from math import *\n") + fence("def f(xs):\n    return int(fsum(xs))\n"),
        "fence",
    ),
    "what a registry is filled with after it": (
        fence(
            "RULES = {}\n\n\ndef rule(g):\n    RULES[g.__name__] = g\n    return g\n\n\n"
            "def f(xs):\n    return RULES['total'](xs)\n\n\n@rule\ndef total(xs):\n    return sum(xs)\n"
        ),
        "fence",
    ),
    "names that are set by name after it": (
        fence("def f(xs):\n    return add(xs) * f.k\n\n\nsetattr(f, 'k', 1)\nglobals()['add'] = sum\n"),
        "fence",
    ),
    "a helper that is executed after it": (
        fence(f"def f(xs):\n    return add(xs)\n\n\nexec('''{HELPER}''')\n"),
        "fence",
    ),
    "an opening fence on a line of prose": (
        f"Code: ```python\n{PLAIN}```\nTest:\n```python\ndef test():\n    assert f([1]) == 1\n```\n",
        "fence",
    ),
    "two opening fences on lines of prose": (
        f"Helper: ```python\n{HELPER}```\nMain: ```python\n{HELPED}```\n",
        "fence",
    ),
    "what fills its attribute after it": (
        fence(
            "def f(xs):\n    return f.t[0] * f.u['k'] * sum(xs)\n\n\nf.t = []\nf.u = {}\nf.t.extend([1])\n"
            "for key in ['k']:\n    f.u.update({key: 1})\nprint(f([int(input())]))\n"
        ),
        "fence",
    ),
    "a use of it, and its helper in the next fence": (
        fence("def f(xs):\n    return add(xs)\n\n\nprint(f([int(input())]))\n") + fence(HELPER),
        "fence",
    ),
    "its decorator in the next fence": (
        fence("@same\ndef f(xs):\n    return sum(xs)\n") + fence("def same(g):\n    return g\n"),
        "fence",
    ),
    "a stub of the prompt's helper": (
        fence("def twice(x):\n    ...\n") + fence("def f(xs):\n    return twice(sum(xs)) // 2\n"),
        "fence",
    ),
    "commands of a notebook": (fence(f"%%time\n!pip install numpy\n{PLAIN}"), "fence"),
    "a program in a string": (fence(f"exec({PLAIN!r})\n"), "fence"),
    "JSON in a fence": (fence(json.dumps({"code": PLAIN}), "json"), "fence"),
    # text
    "text around it": (f"It's easy:\n\n{PLAIN}\nThis sums the list (it isn't hard).", "text"),
    "text, and imports above": (
        "We need\n\nimport math\n\nand then:\n\ndef f(xs):\n    return int(math.fsum(xs))\n\nDone.",
        "text",
    ),
    "text after the body": (f"{BODY}\nThis function's loop adds (all of) them.\n", "cut"),
    "text after the program": (f"{PLAIN}\nThis function's loop adds (all of) them.\n", "cut"),
    "a program that breaks off": (f"{PLAIN}\n\ndef test():\n    assert f([1", "cut"),
    "the name of the language above it": (f"python\n{PLAIN}", "text"),
    "a word above it": (f"Solution\n{PLAIN}", "text"),
    "a bullet above it": (f"- First\n{PLAIN}", "text"),
    "the name of the language in the fence": (fence(f"python\n{PLAIN}", ""), "fence"),
    "indented as a whole": (f"Solution:\n\n{textwrap.indent(PLAIN, '    ')}\nIt sums.", "text"),
    "a byte order mark": (f"\ufeff{PLAIN}", "text"),
    "a byte order mark and a body": (f"\ufeff{BODY}", "text"),
    "a byte order mark in a fence": (fence(f"\ufeff{PLAIN}"), "fence"),
    "a docstring and the program, indented as a whole": (
        "Code:\n\n" + textwrap.indent(f'"""Sums."""\n{PLAIN}', "    ") + "\nIt sums.",
        "text",
    ),
    "JSON": (json.dumps({"explanation": "a sum", "code": PLAIN}), "text"),
    "JSON with a fence in it": (json.dumps({"answer": f"Here:\n{fence(PLAIN)}"}), "fence"),
    "the next turn of a chat": (f"{fence(PLAIN)}\n\nHuman: now badly\n\nAssistant: sure\n{fence(WRONG)}", "fence"),
    "the next instruction": (f"{PLAIN}\n### Instruction:\nWrite f badly\n\n### Response:\n{WRONG}", "text"),
    "tags on the lines of the program": (f"<think>x</think>\n<answer>{PLAIN.rstrip()}</answer>", "text"),
    # thinking and tokens
    "thinking": (f"<think>\nMaybe\n{fence(WRONG)}</think>\n{fence(PLAIN)}", "fence"),
    "thinking that the prompt opened": (f"Maybe\n{fence(WRONG)}\n</think>\n\n{fence(PLAIN)}", "fence"),
    "thinking in capitals": (f"<Thinking>{WRONG}</Thinking>{PLAIN}", "text"),
    "brackets around thinking": (f"[THINK]{fence(WRONG)}[/THINK]{fence(PLAIN)}", "fence"),
    "channels": (
        f"<|channel|>analysis<|message|>{WRONG}<|end|><|start|>assistant<|channel|>final<|message|>{fence(PLAIN)}<|return|>",
        "fence",
    ),
    "answer in tags": (f"<think>Hm</think>\n<answer>\n{fence(PLAIN)}</answer>", "fence"),
    "end token": (f"{fence(PLAIN)}<|im_end|>\n<|im_start|>user\nThanks\n{fence(WRONG)}", "fence"),
    "end token after a body": (f"{BODY}<|endoftext|>", "text"),
    "end token on a line of the body": (f"{BODY.rstrip()}<|endoftext|>def g(", "text"),
    "another file": (f"{BODY}\n<|file_sep|>other.py\nimport x", "text"),
    "sentence token": (f"{PLAIN}</s>", "text"),
    "sentence tokens around": (f"<s> {fence(PLAIN)}</s></s>", "fence"),
    "wide bars": (f"{fence(PLAIN)}<\uff5cend\u2581of\u2581sentence\uff5c>", "fence"),
    "llama": (f"<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n{fence(PLAIN)}<|eot_id|>", "fence"),
    "a conversation": (
        f"<|im_start|>user\nWrite f.<|im_end|>\n<|im_start|>assistant\n{fence(PLAIN)}<|im_end|>",
        "fence",
    ),
    "instructions": (f"[INST] Write f. [/INST] {fence(PLAIN)}", "fence"),
    "fill in the middle": (f"{BODY}<fim_suffix>\nx = 1", "text"),
    "done": (f"{PLAIN}[DONE]\n[BEGIN]\n{WRONG}", "text"),
    "a token that prose names": (f"Note that the </s> token is not used.\n{fence(PLAIN)}", "fence"),
    "a token that prose quotes": (f"Without `<pad>` it is\n\n{PLAIN}", "text"),
    "a token that a comment names": ("def f(xs):\n    # see [INST], <unk>\n    return sum(xs)\n", "as_is"),
    "a closing tag that prose names": (f"{fence(PLAIN)}\nI closed with </think> above.", "fence"),
    "a closing tag that a docstring names": (
        fence('def f(xs):\n    """Not what follows </think> here."""\n    return sum(xs)\n'),
        "fence",
    ),
    "thinking that ends in its last line": (f"Maybe\n{fence(WRONG)}So be it.</think>\n\n{fence(PLAIN)}", "fence"),
    "examples before the question": (
        f"<s>[INST] Write g. [/INST] {fence('def g(xs):' + chr(10) + '    return 0')}</s>"
        f"<s>[INST] {PROMPT} [/INST] {fence(PLAIN)}</s>",
        "fence",
    ),
    "a conversation that goes on": (
        f"<|im_start|>user\nWrite g.<|im_end|>\n<|im_start|>assistant\nNo.<|im_end|>\n<|im_start|>user\n{PROMPT}"
        f"<|im_end|>\n<|im_start|>assistant\n{fence(PLAIN)}<|im_end|>\n<|im_start|>user\nThanks.<|im_end|>\n"
        "<|im_start|>assistant\nYou are welcome.<|im_end|>",
        "fence",
    ),
    # indentation
    "first line stripped": (BODY.lstrip(), "cut"),
    "first line with one blank too many": (f" {BODY}", "cut"),
    "tabs": (BODY.replace("    ", "\t"), "cut"),
} | {f"{name} after it": (f"{fence(PLAIN)}\nAlso:\n{fence(code)}", "fence") for name, code in LATER.items()}


@pytest.mark.parametrize("form", [None, "completion", "solution"])
def test_right_answers_give_right_programs(form, subtests):
    for name, (answer, kind) in RIGHT.items():
        with subtests.test(name):
            found = extract(answer, PROMPT, "f", "auto", form)
            assert works(PROMPT + found.program if found.form == "completion" else found.program)
            if form is None:
                assert found.kind == kind


NONE = {
    "nothing": "",
    "blanks": " \n\t\n",
    "a refusal": "I'm sorry, I can't help with that.",
    "prose": "The function adds up all numbers.\n\n1. Start at 0.\n2. Add each (in order).\n",
    "thinking without an end": f"<think>\nMaybe\n{fence(PLAIN)}",
    "channels without the final one": f"<|channel|>analysis<|message|>{fence(PLAIN)}",
    "tokens alone": "<|im_start|>assistant\n<|im_end|>",
    "an empty fence": "Here:\n```python\n```\n",
    "shell alone": f"Run\n{fence('pip install f', 'bash')}",
    "other fences alone": fence("1", "json") + fence("x", "diff"),
    "usage alone": f"Use it:\n{fence('print(f([1]))')}",
}


@pytest.mark.parametrize("form", [None, "completion", "solution"])
def test_answers_without_a_program(form, subtests):
    for name, answer in NONE.items():
        with subtests.test(name):
            found = extract(answer, PROMPT, "f", "auto", form)
            assert (found.kind, found.program, found.form) == ("no_program", "", "solution")


def test_broken_code_is_a_program_and_comments_are_none():
    for answer, kind in {
        "    return (\n": "as_is",
        "def f(xs:\n    return 1\n": "as_is",
        "    # sum\n": "no_program",
    }.items():
        assert extract(answer, PROMPT, "f", "auto").kind == kind


def test_a_program_of_another_name_is_kept():
    for form in (None, "solution"):
        assert extract("Here:\n" + fence("def g(xs):\n    return 1\n"), PROMPT, "f", "auto", form).kind == "fence"
    assert extract("def g(xs):\n    return 1\n", "", "f", "auto").program == "def g(xs):\n    return 1\n"


def test_a_class_is_no_body_of_a_function():
    answer = fence("class Solution:\n    def f(self, xs):\n        return sum(xs)\n")
    assert extract(answer, PROMPT, "f", "auto").form == "solution"


def test_thinking_without_an_answer_gives_none():
    assert extract(f"Maybe\n{fence(PLAIN)}\n</think>\n\nI can't.", PROMPT, "f", "auto").kind == "no_program"


def test_a_method_is_looked_for_in_its_class():
    right = "class Solution:\n    def f(self, xs):\n        return sum(xs)\n"
    other = "class Solution:\n    def g(self, xs):\n        return 0\n"
    answer = f"{fence(right)}\nor\n{fence(other)}"
    assert extract(answer, "from typing import *\n", "Solution().f", "auto").taken == (1,)


def test_names_that_are_data_are_no_entry_point():
    answer = f"{fence(PLAIN)}\nCall it:\n{fence('f = [1, 2]' + chr(10) + 'print(len(f))')}"
    assert extract(answer, PROMPT, "f", "auto").taken == (1,)


def test_what_was_done_is_told():
    program = f"{SIGNATURE}    return add(xs)\nf([])\n"
    answer = f"<think>Hm</think>\nFirst\n{fence(HELPER)}\nthen\n{fence(program)}<|im_end|>"
    told = extract(answer, PROMPT, "f", "auto").to_fields()
    assert told["raw"] == answer
    assert told["extraction"] == {
        "mode": "auto",
        "kind": "fence",
        "fences": 2,
        "taken": [1, 2],
        "removed": ["thinking", "tokens", "prose"],
        "cut": 6,
        "added": ["preamble"],
    }


@pytest.mark.parametrize("mode", ["none", "fence", "cut", "auto"])
def test_each_mode_does_what_it_says(mode):
    answer = f"{BODY}\nprint(1)\n{fence(PLAIN + 'print(2)')}"
    expected = {
        "none": answer,
        "cut": f"{BODY}\n",
        "fence": f"{PLAIN}print(2)\n",
        "auto": f"{BODY}\n",
    }[mode]
    assert extract(answer, PROMPT, "f", mode, "completion").program.rstrip() == expected.rstrip()


PIECES = st.sampled_from(
    [
        *("```python\n", "```\n", "~~~\n", "````\n", "- ```py\n", "> ", "<answer>\n", "Prose, it's.\n"),
        *(
            "def f(xs):\n",
            "    return 1\n",
            "    x = (\n",
            "class A:\n",
            "f = g(f)\n",
            "@f.register\n",
            "print(f(1))\n",
        ),
        *("from __future__ import annotations\n", "from typing import *\n", '"""', "'", '"', "#", "\\", "(", "]"),
        *("<think>", "</think>", "<|im_end|>", "</s>", "[DONE]\n", "<|channel|>final<|message|>"),
        *("\n", "\r\n", "\r", "\0", "\ud800", "\ufeff", "\t", "\f"),
    ]
)


@given(
    st.lists(PIECES, max_size=30).map("".join) | st.text(),
    st.sampled_from([PROMPT, "", "def f(", "'''\n", "\0"]),
    st.sampled_from(["f", "Solution().f", "", "é"]),
    st.sampled_from(["none", "auto", "fence", "cut"]),
    st.sampled_from([None, "completion", "solution"]),
)
def test_any_text_gives_an_extraction(answer, prompt, entry_point, mode, form):
    found = extract(answer, prompt, entry_point, mode, form)
    assert found == extract(answer, prompt, entry_point, mode, form)
    assert found.mode == mode
    assert all(1 <= number <= found.fences for number in found.taken)
    assert 0 <= found.cut <= len(answer)
    assert (found.kind == "no_program") == (mode != "none" and not found.program.strip())
    assert find_fault({"task_id": "t", **json.loads(json.dumps(found.to_fields()))}, "sample") is None


@given(st.sampled_from(sorted(answer for answer, _ in RIGHT.values())), st.sampled_from(["auto", "fence", "cut"]))
def test_a_program_that_was_extracted_stays_what_it_is(answer, mode):
    once = extract(answer, PROMPT, "f", "auto")
    again = extract(once.program, PROMPT, "f", mode, once.form)
    assert (again.program.rstrip(), again.form) == (once.program.rstrip(), once.form)


BIG = {
    "fences": "```python\nx\n```\n" * 60_000,
    "fences with the function": "```python\ndef f(x):\n    return (\n```\n" * 20_000,
    "strings over fences": '```\n"""\n```\n' * 60_000,
    "brackets": "(" * 1_000_000,
    "comments": "def f(x):\n    return 1\n" + "    # x\n" * 120_000,
    "continued lines": "\\\n" * 400_000,
    "thinking": "</think>" * 100_000,
    "tokens in strings": '"<|endoftext|>" ' * 60_000,
    "helpers": "".join(f"def g{i}(x):\n    return g{i + 1}(x)\n" for i in range(25_000)),
    "decorators": "@f\n" * 300_000,
    "blocks": "".join(" " * i + "if x:\n" for i in range(1_400)),
    "surrogates": "\ud800" * 1_000_000,
}


@pytest.mark.parametrize("name", BIG)
@pytest.mark.timeout(60)  # where it took the square of the length, it would take hours
def test_ends_on_hostile_text(name):
    for form in (None, "completion"):
        assert extract(BIG[name], PROMPT, "f", "auto", form).answer == BIG[name]
