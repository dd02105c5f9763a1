import ast
import gzip
import json
import re
from collections import Counter
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.functions import cut_at_function_end, is_function_complete
from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.benchmark.sources.mbpp import load_mbpp

PROMPT = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef f(xs):\n    """Count.\n\n>>> f([1])\n1\n    """\n'

# Each: the completion, as it stands, ends nowhere.
WHOLE = {
    "nothing": "",
    "one line": "    return 1\n",
    "no line end": "    return 1",
    "blank lines": "    x = 1\n\n\n   \n    return x\n",
    "blank lines with carriage returns": "    x = 1\r\n\r\n    return x\r\n",
    "tabs": "\tx = 1\n\treturn x\n",
    "nested function": "    def g():\n        pass\n    return g\n",
    "string at column 0": '    x = """\ndef g():\n"""\n    return x\n',
    "quotes inside a string": "    x = '''\n\"\"\"\ndef g(): \\'''\n'''\n    return x\n",
    "unclosed string": '    x = """\ndef g():\n    pass\n',
    "bracket at column 0": "    x = [\n1,\n2,\n]\n    return x\n",
    "bracket in a comment": "    x = 1  # (\n    return x\n",
    "bracket in a string": "    x = '('\n    return x\n",
    "quote in a comment": "    x = 1  # it's\n    return x\n",
    "continuation": "    x = 1 + \\\n2\n    return x\n",
    "comment before the body": "# Count them.\n    return 1\n",
    "names in brackets that begin like statements": "    return helper(\ndefault,\nclass_,\n)\n",
}


@pytest.mark.parametrize("completion", WHOLE.values(), ids=WHOLE)
def test_keeps_what_belongs_to_the_function(completion):
    assert cut_at_function_end(PROMPT, completion, "f") == completion
    assert not is_function_complete(PROMPT, completion, "f")


BODY = "    return 1\n\n\n"
AFTER = {
    "def": "def g():\n    pass\n",
    "async def": "async def g(): pass\n",
    "class": "class A:\n    pass\n",
    "decorator": "@a\ndef g(): pass\n",
    "main": 'if __name__ == "__main__":\n    print(f([1]))\n',
    "print": "print(f([1]))\n",
    "assert": "assert f([1]) == 1\n",
    "comment": "# Test\nprint(1)\n",
    "import": "import os\n",
    "string": '"""Another text."""\n',
    "fence": "```\n",
    "prose": "This function counts.\n",
    "closing bracket": ")\n",
    "beginning of a word": "d",
}


@pytest.mark.parametrize("after", AFTER.values(), ids=AFTER)
def test_cuts_before_a_line_at_column_0(after):
    assert cut_at_function_end(PROMPT, BODY + after, "f") == BODY
    assert is_function_complete(PROMPT, f"{BODY}{after}\nprint(1)\n", "f")


OTHERS = {
    "a body after strings": ('    """\nx\n"""\n    y = (1,\n2)\nprint(y)', '    """\nx\n"""\n    y = (1,\n2)\n'),
    "unterminated quote on a line": ("    x = 'it\nprint(x)", "    x = 'it\n"),
    "bracket never closed": ("    x = g(1\ndef h():\n    pass", "    x = g(1\n"),
    "carriage returns": ("    return 1\r\nprint(1)\r\n", "    return 1\r\n"),
    "no body at all": ("print(1)\n", ""),
}


@pytest.mark.parametrize(("completion", "expected"), OTHERS.values(), ids=OTHERS)
def test_cuts(completion, expected):
    assert cut_at_function_end(PROMPT, completion, "f") == expected


PROMPTS = {
    "header without a line end": ("def f(x):", " return x\nprint(1)", " return x\n"),
    "prompt inside a line": ("def f(x):\n    return", " x\n# end", " x\n"),
    "prompt inside a bracket": ("def f(x):\n    y = [\n", "1,\n]\n    return y\nf(2)", "1,\n]\n    return y\n"),
    "signature over lines": ("def f(\n    x,\n):\n", "    return x\nf(2)", "    return x\n"),
    "class": ("class f:\n", "    x = 1\nf()", "    x = 1\n"),
    "no function opened": (
        '"""Write f."""\n',
        "import math\n\ndef f(x):\n    return x\n\nprint(1)",
        "import math\n\ndef f(x):\n    return x\n\n",
    ),
    "decorator opened": ("@cache\n", "def f(x):\n    return x\nf(1)", "def f(x):\n    return x\n"),
    "function closed by the prompt": (
        "def g(): pass\nx = 1\n",
        "y = 2\ndef f():\n    pass\nf()",
        "y = 2\ndef f():\n    pass\n",
    ),
    "empty prompt": ("", "def f():\n    pass\nf()", "def f():\n    pass\n"),
}


@pytest.mark.parametrize(("prompt", "completion", "expected"), PROMPTS.values(), ids=PROMPTS)
def test_finds_the_function_that_the_prompt_opened(prompt, completion, expected):
    assert cut_at_function_end(prompt, completion, "f") == expected


def test_waits_for_a_line_of_the_body():
    assert not is_function_complete(PROMPT, "\n# first\nprint(1)\n", "f")
    assert not is_function_complete(PROMPT, "    x = 1\n\n", "f")
    assert not is_function_complete(PROMPT, "    x = 1\n# what follows may be indented again\n", "f")
    assert not is_function_complete(PROMPT, "    x = 1\nf = ca", "f")
    assert is_function_complete(PROMPT, "# first\n    x = 1\n#\ny = 1\n", "f")


PIECES = st.sampled_from(
    [
        "    x = 1",
        "    ",
        "\n",
        "\r",
        "\r\n",
        "def ",
        "def",
        "g():",
        "#",
        "'",
        '"',
        '"""',
        "'''",
        "\\",
        "(",
        "[",
        "}",
        ")",
        "@",
        "x",
        "\0",
        "é",
    ]
)
COMPLETIONS = st.lists(PIECES, max_size=40).map("".join) | st.text()


@given(st.sampled_from([PROMPT, "", "def f(x):", "x = (\n"]), COMPLETIONS)
def test_a_cut_is_a_prefix_and_final(prompt, completion):
    cut = cut_at_function_end(prompt, completion, "f")
    assert completion.startswith(cut)
    assert cut_at_function_end(prompt, cut, "f") == cut


@given(st.sampled_from([PROMPT, "", "def f(x):", "x = (\n"]), COMPLETIONS, COMPLETIONS)
def test_stopping_early_changes_no_cut(prompt, beginning, rest):
    if is_function_complete(prompt, beginning, "f"):
        assert cut_at_function_end(prompt, beginning + rest, "f") == cut_at_function_end(prompt, beginning, "f")
        assert is_function_complete(prompt, beginning + rest, "f")


def parses(program):
    try:
        ast.parse(program)
    except SyntaxError:
        return False
    return True


BODIES = [text for text in WHOLE.values() if text.endswith("\n") and "#" not in text[:1] and parses(PROMPT + text)]


@given(st.lists(st.sampled_from(BODIES), min_size=1, max_size=4).map("".join), st.sampled_from(sorted(AFTER.values())))
def test_keeps_all_of_a_longer_body_and_nothing_after_it(body, after):
    assert cut_at_function_end(PROMPT, body + after, "f") == body


@pytest.mark.parametrize("piece", ['"', '"""', "'\\", "(\n", "#\n", "\\\n", "'''\\", '""', "\n(", "\\"])
@pytest.mark.timeout(20)
def test_ends_on_hostile_text(piece):
    text = piece * 100_000
    assert text.startswith(cut_at_function_end(PROMPT, text, "f"))


# ---- what the entry point reaches

PARTS = {
    "helper first": "def g(x):\n    return x\n\n\ndef f(x):\n    return g(x)\n",
    "class first": "class A:\n    def g(self, x):\n        return x\n\n\ndef f(x):\n    return A().g(x)\n",
    "constants": "import sys\nsys.setrecursionlimit(10**6)\nMOD = 7\n\n\ndef f(x):\n    return x % MOD\n",
    "decorators": "import functools\n\n\n@functools.lru_cache(None)\n@functools.wraps(len)\ndef f(x):\n    return x\n",
    "lambda": "f = lambda x: x\n",
    "assigned": "import functools\ndef g(x):\n    return x\nf = functools.lru_cache(g)\n",
    "assigned after it": "import functools\ndef f(x):\n    return x\nf = functools.lru_cache(f)\n",
    "registered after it": "@singledispatch\ndef f(x):\n    return x\n\n@f.register\ndef _(x: int):\n    return 1\n",
    "overloads": "@overload\ndef f(x: int): ...\n@overload\ndef f(x: str): ...\ndef f(x):\n    return x\n",
    "limit after it": "def f(x):\n    return x\n\nimport sys\nsys.setrecursionlimit(10**6)\n",
    "helper after it": "def f(x):\n    return g(x)\n\ndef g(x):\n    return h(x)\n\nclass h:\n    pass\n",
    "constant after it": "def f(x):\n    return x % MOD\n\nMOD = 7\n",
    "import after it": "def f(x):\n    return math.sqrt(x)\n\nimport math\n",
    "async": "async def f(x):\n    async def g():\n        return x\n    return await g()\n",
    "in a condition": "if True:\n    def f(x):\n        return x\nelse:\n    f = None\n",
    "in a try": "try:\n    from math import f\nexcept ImportError:\n    def f(x):\n        return x\n",
    "comment at column 0 inside it": "def f(x):\n    y = x\n# so far\n    return y\n",
    "a method": "class Solution:\n    def f(self, x):\n        return g(x)\n\ndef g(x):\n    return x\n",
}
CONTINUATIONS = {
    "nothing": "",
    "def": "\n\ndef other(x):\n    return x + 1\n\n\nprint(other(2))\n",
    "class": "\n\nclass Other:\n    def f(self):\n        pass\n\nx = Other()\n",
    "prose": "\nThis function works as follows: it's (simple).\n\n1. Look\n",
    "print": "\nprint(1)\nprint(2)\n",
    "fence": "```\n\nSome text.\n```python\nprint(3)\n```\n",
    "main": '\nif __name__ == "__main__":\n    print(input())\n',
    "decorator": "\n@cache\ndef other(x):\n    return other(x - 1)\n\n",
    "comment": "\n# Test the function\n# It's right\nassert True\n",
    "token": "<|endoftext|>\nimport os\n",
    "the entry point anew": "\ndef f(*args):\n    return None\n\nclass Solution:\n    pass\n",
    "text": '\n"""\nWrite another.\n"""\ndef other():\n    pass\n',
    "imports": "\nimport unittest\nfrom math import gcd\n\nclass Test(unittest.TestCase):\n    pass\n",
    "what breaks off": "\n\ndef other(x):\n    return [\n",
    "quotes": "\n'''\nOh\n",
}


@pytest.mark.parametrize("prompt", ["", '"""Write f."""\n', "import re\n\ndef before(x):\n    return x\n\n"])
def test_keeps_what_the_entry_point_reaches_and_nothing_after_it(prompt, subtests):
    for name, program in PARTS.items():
        for what, after in CONTINUATIONS.items():
            with subtests.test(f"{name}, then {what}"):
                entry_point = "Solution().f" if "Solution" in program else "f"
                assert cut_at_function_end(prompt, program + after, entry_point).rstrip() == program.rstrip()


def test_keeps_all_where_the_entry_point_never_comes():
    assert cut_at_function_end("", "def g(x):\n    return x\n\ng(1)\n", "f") == "def g(x):\n    return x\n\ng(1)\n"
    assert not is_function_complete("", "f = 3\ndef g(x):\n    return x\n\ng(1)\n", "f")


def test_waits_for_names_that_nothing_gives_yet():
    waiting = "def f(x):\n    return g(x)\n\nprint(1)\n"
    assert not is_function_complete("", waiting, "f")
    assert is_function_complete("", f"{waiting}def g(x):\n    return x\n\nprint(2)\n", "f")


LINES = st.lists(
    st.sampled_from(
        [
            *(f"def {name}(x):\n    return {other}(x)\n" for name in "fgh" for other in ("f", "g", "h", "len")),
            *(f"{name} = cache({name})\n" for name in "fgh"),
            "f = lambda x: g\n",
            "@f.register\n",
            "@cache\n",
            "import g\n",
            "from h import *\n",
            "from math import *\n",
            "class g(h):\n    pass\n",
            "if x:\n    def f(): h()\n",
            "else:\n    g = 1\n",
            "el",
            "# comment\n",
            "    indented\n",
            "\n",
            "print(f)\n",
            "g[0] = 1\n",
            "sys.setrecursionlimit(9)\n",
            '"""',
            "(",
            "\\\n",
        ]
    ),
    max_size=12,
).map("".join)


@given(st.sampled_from([PROMPT, "", "@cache\n", "def f(x):\n"]), LINES, LINES)
def test_stopping_early_loses_nothing_that_is_reached(prompt, beginning, rest):
    cut = cut_at_function_end(prompt, beginning, "f")
    assert cut_at_function_end(prompt, cut, "f") == cut
    if is_function_complete(prompt, beginning, "f"):
        assert cut_at_function_end(prompt, beginning + rest, "f") == cut
        assert is_function_complete(prompt, beginning + rest, "f")


# ---- references of all sources


def references(datasets):
    """Yield the task, prompt, reference and entry point of every problem that there is a reference of."""
    problems = [*load_humaneval(datasets / "HumanEval.jsonl"), *load_mbpp(datasets / "mbpp.jsonl")]
    for problem in [*problems, *load_builtin().problems.values()]:
        yield problem.task_id, problem.prompt, problem.solution.removeprefix(problem.prompt), problem.entry_point
    for name in ("mbpp_plus_v0.1.jsonl.gz", "leetcode.jsonl.gz"):
        with gzip.open(datasets / name, "rt", encoding="utf-8") as file:
            for row in map(json.loads, file):
                yield f"{name} {row['task_id']}", f"{row['prompt']}\n", row["canonical_solution"], row["entry_point"]


@pytest.mark.slow  # 4,001 references, each with three of the continuations
def test_no_reference_loses_or_gains_anything_whatever_follows(datasets):
    kinds = cycle(CONTINUATIONS.values())
    wrong, sources = [], Counter()
    for task, prompt, reference, entry_point in references(datasets):
        sources[re.split(r"[/ ]", task)[0]] += 1
        program = reference if reference.endswith("\n") else f"{reference}\n"
        for after in [next(kinds) for _ in range(3)]:
            kept = cut_at_function_end(prompt, program + after, entry_point)
            if kept.rstrip() != program.rstrip():
                wrong.append((task, after))
    assert (sources["HumanEval"], sources["MBPP"], sources["leetcode.jsonl.gz"]) == (164, 974, 2404)
    assert wrong == []
