"""What the result of a program depends on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.tree.names import Walk
from edittool.analysis.tree.syntax import parse, text_of
from edittool.analysis.work.result import part_of_result

# Programs in which calls of `need...` flow into what f gives, and calls of `idle...` do not.
PROGRAMS = {
    "a value": "def f(x):\n    idle(7)\n    return need(x)",
    "a name": "def f(x):\n    y = idle(x)\n    z = need(x)\n    return z",
    "names of names": "def f(x):\n    a = need1(x)\n    b = a + need2(x)\n    c = idle(b)\n    return b",
    "several at once": "def f(x):\n    a, b = need(x)\n    return b",
    "paired": "def f(x):\n    a, b = idle(x), need(x)\n    return b",
    "added up": "def f(x):\n    n = 0\n    for y in need1(x):\n        n += need2(y)\n        idle(7)\n    return n",
    "a condition": "def f(x):\n    if need(x):\n        return 1\n    return 2",
    "a condition of nothing": "def f(x):\n    if idle(x):\n        print(x)\n    return 2",
    "a later branch": "def f(x):\n    if x:\n        return 1\n    elif need(x):\n        return 2",
    "a loop that is left": (
        "def f(x):\n    n = 0\n    while need1(x):\n"
        "        n = n + 1\n        if need2(n):\n            break\n    return n"
    ),
    "a method that changes": "def f(x):\n    y = []\n    y.append(need(x))\n    return y",
    "a method that changes another": "def f(x):\n    y, z = [], []\n    z.append(idle(x))\n    return y",
    "a store": "def f(x):\n    y = {}\n    y[need1(x)] = need2(x)\n    return y",
    "a function that changes": "def f(x):\n    y = []\n    need(y)\n    return y",
    "what is taken out meanwhile": "def f(xs):\n    while xs:\n        y = xs.pop(need(0))\n    return xs",
    "printed": "def f(x):\n    y = []\n    print(y, idle(y))\n    return y",
    "a helper": "def g(x):\n    idle(7)\n    return need(x)\ndef f(x):\n    return g(x)",
    "a helper that nothing calls": "def g(x):\n    return idle(x)\ndef f(x):\n    return x",
    "a helper inside": "def f(x):\n    def g(y):\n        return need(y)\n    return g(x)",
    "a helper that changes what is around it": (
        "def f(x):\n    ys = []\n    def g(y):\n        ys.append(need(y))\n    g(x)\n    return ys"
    ),
    "a lambda": "g = lambda x: need(x)\ndef f(x):\n    return g(x)",
    "a constant of the module": "T = need(3)\nU = idle(4)\ndef f(x):\n    return T",
    "a generator": "def f(x):\n    for y in need1(x):\n        yield need2(y)",
    "a comprehension": "def f(x):\n    return [need1(y) for y in need2(x) if need3(y)]",
    "a method of its own": (
        "class A:\n    def m(self):\n        return need(1)\n"
        "    def o(self):\n        return idle(1)\ndef f(x):\n    return x.m()"
    ),
    "a method in a solution": "class f:\n    def run(self, x):\n        return need(x)",
    "tried": (
        "def f(x):\n    try:\n        need(x)\n        return True\n    except ValueError:\n        return False"
    ),
    "no result": "def f(x):\n    x.append(need(1))\n    y = idle(x)",
    "raised": "def f(x):\n    if not x:\n        raise ValueError(idle(x))\n    return x",
    "in a with": "def f(x):\n    with need(x) as y:\n        return y",
    "a match": "def f(x):\n    match need(x):\n        case 1:\n            return 2\n    return 3",
    "the same name elsewhere": "def g():\n    y = idle(1)\n    return y\ndef f(x):\n    y = need(x)\n    return y",
    "under main": "def f(x):\n    return need(x)\nif __name__ == '__main__':\n    y = f(idle(1))",
}


def called(program, entry_point="f"):
    root = parse(program)
    part = part_of_result(Walk(root), root, entry_point)
    return {text_of(site.node).partition("(")[0] for site in part.sites if "(" in text_of(site.node)}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_what_flows_into_the_result(program):
    compile(program, "program", "exec")
    names = {text_of(site.node).partition("(")[0] for site in Walk(parse(program)).sites}
    wanted = {name for name in names if name.startswith("need")}
    found = called(program)
    assert {name for name in found if name.startswith(("need", "idle"))} == wanted


def test_all_of_a_program_that_does_not_bind_the_entry_point():
    assert called("def g(x):\n    idle(x)\n    return need(x)") == {"idle", "need"}


def test_the_entry_point_may_be_a_method():
    program = "class Solution:\n    def f(self, x):\n        return need(x)\ndef f(x):\n    return idle(x)"
    assert called(program, "Solution().f") == {"need"}


def test_a_function_that_reaches_itself():
    for program, recursive in (
        ("def f(n):\n    return n * f(n - 1) if n else 1", True),
        ("class A:\n    def m(self):\n        return self.m()\ndef f(x):\n    return A().m()", True),
        ("def g(n):\n    return g(n)\ndef f(n):\n    return n", False),
        ("def g(n):\n    return n\ndef f(n):\n    return g(n)", False),
    ):
        root = parse(program)
        assert part_of_result(Walk(root), root, "f").recursive is recursive


@given(
    st.text()
    | st.lists(st.sampled_from([*"()[]:,.= \n", "def ", "f", "x", "if ", "for ", "in ", "return ", "    "])).map(
        "".join
    )
)
def test_any_text_is_read(text):
    called(text)
