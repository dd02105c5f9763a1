import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.functions import cut_at_function_end, is_function_complete

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
