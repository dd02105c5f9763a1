import pytest

from edittool.analysis.uses.calls import Call, first_call

CALLS = {
    "plain": ("x = 1\nreturn my_len(x)\n", "my_len(x)"),
    "nested": ("f(my_len(my_len(x)))\n", "my_len(my_len(x))"),
    "with a member taken": ("my_len(x).y(2)\n", "my_len(x)"),
    "its result called": ("my_len(x)(3)\n", "my_len(x)"),
    "over lines": ("x = my_len(\n    a,\n    b,\n)\n", "my_len(\n    a,\n    b,\n)"),
    "in an f-string": ("f'{my_len(x)}'\n", "my_len(x)"),
    "after a mention": ("# my_len(1)\nx = 'my_len(2)'\nmap(my_len, xs)\nmy_len(3)\n", "my_len(3)"),
    "in a function": ("def f(x):\n    if x:\n        return my_len(x)\n", "my_len(x)"),
    "after other letters": ("s = 'ä€😀'; my_len(s)\n", "my_len(s)"),
    "with carriage returns": ("x = 1\r\nmy_len(\r\nx)\r\n", "my_len(\nx)"),
    "in a program that does not parse": ("def f(:\n    return my_len(x)\n", "my_len(x)"),
}


@pytest.mark.parametrize(("program", "text"), CALLS.values(), ids=CALLS)
def test_the_first_call(program: str, text: str) -> None:
    call = first_call(program, "my_len")
    assert call is not None
    assert call.text == text
    assert program.replace("\r\n", "\n").startswith(call.before + call.text)


@pytest.mark.parametrize(
    "program",
    [
        "map(my_len, xs)",
        "f = my_len\nf(x)",
        "def my_len(x): return x\nmy_len(1)",
        "x.my_len(1)",
        "len(x)",
        "# my_len(x)",
    ],
)
def test_what_is_no_call(program: str) -> None:
    assert first_call(program, "my_len") is None


def test_what_stands_before_the_start_does_not_count() -> None:
    program = "s = 'ä'; my_len(1)\nmy_len(2)\n"
    start = program.index("\n")
    assert first_call(program, "my_len", start) == Call(program[: start + 1], "my_len(2)")
