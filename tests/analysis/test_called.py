"""The rules for how a replacement was called, one by one, the evidence typed in; `tests/labels` has what really ran."""

import pytest

from edittool.analysis.called import MAX_READ, Calls, how_called
from edittool.benchmark.builtin import load_builtin

SQRT = load_builtin().changes["math.sqrt"]
APPEND = load_builtin().changes["list.append"]
USED = "def f(n):\n    return my_math_sqrt(value=n)\n"
THROWN = "def f(n):\n    my_math_sqrt(value=n)\n    return n\n"
UNREAD = "def f(n):\n    root = my_math_sqrt(value=n)\n    return n\n"


def called(program, calls, change=SQRT, *, outcome="failed", errors=(), named=True, needed=None):
    return how_called(
        program, change, calls, outcome=outcome, errors=errors, named=named, needed=needed, entry_point="f"
    )


@pytest.mark.parametrize("outcome", ["failed", "partial", "passed", "timeout", "load_error"])
def test_a_refusal_counts_whatever_else_was_called(outcome):
    assert called(USED, Calls(returned=5, refused=1), outcome=outcome) == "ill_called"


def test_a_raise_counts_against_what_does_not_pass():
    assert called(USED, Calls(returned=5, failed=1)) == "ill_called"
    assert called(USED, Calls(returned=5, failed=1), outcome="passed", needed=True) == "right"
    assert called(USED, Calls(failed=1), outcome="passed") == "ill_called"


@pytest.mark.parametrize(
    ("needed", "program", "wanted"),
    [(True, THROWN, "right"), (False, USED, "ill_called"), (None, USED, "right"), (None, THROWN, "ill_called")],
)
def test_runs_without_its_value_come_before_reading(needed, program, wanted):
    assert called(program, Calls(returned=1), outcome="passed", needed=needed) == wanted


@pytest.mark.parametrize(
    ("program", "wanted"),
    [
        (USED, "right"),
        (THROWN, "ill_called"),
        (UNREAD, "ill_called"),
        ("def f(n):\n    (my_math_sqrt(value=n))\n    return n\n", "ill_called"),
        ("def f(n):\n    return list(map(my_math_sqrt, [n]))\n", "right"),
        ("root = my_math_sqrt\n\n\ndef f(n):\n    return root(value=n)\n", "right"),
        ("def f(n):\n    if my_math_sqrt(value=n) > 2:\n        return 1\n    return 2\n", "right"),
        ("def g(n):\n    return my_math_sqrt(value=n)\n\n\ndef f(n):\n    g(n)\n    return n\n", "right"),  # in doubt
        ("def f(n):\n    return eval('my_' + 'math_sqrt')(value=n)\n", "right"),
        ("x = 1 +\ndef f(n):\n    return my_math_sqrt(value=n)\n", "right"),
        ("", "right"),
    ],
)
def test_a_value_that_cannot_reach_the_result_is_thrown_away(program, wanted):
    assert called(program, Calls(returned=1)) == wanted


def test_what_works_by_a_change_is_a_statement():
    program = "def f(n):\n    out = []\n    my_list_append(items=out, value=n)\n    return n\n"
    assert called(program, Calls(returned=1), APPEND) == "right"


@pytest.mark.parametrize(
    ("kind", "message", "wanted"),
    [
        ("missing_attribute", "'str' object has no attribute 'my_math_sqrt'", "ill_called"),
        ("missing_attribute", "module 'math' has no attribute 'my_math_sqrt'", "ill_called"),
        ("missing_attribute", "'str' object has no attribute 'my_math_sqrt_of'", "not_called"),
        ("exception", "'my_math_sqrt'", "not_called"),
        ("missing_attribute", None, "not_called"),
    ],
)
def test_an_attribute_of_that_name_is_an_ill_call(kind, message, wanted):
    assert called("", Calls(), errors=[{"kind": kind, "message": message}]) == wanted


@pytest.mark.parametrize("outcome", ["timeout", "out_of_memory", "output_limit", "crashed"])
def test_what_was_stopped_before_it_was_counted_is_not_known(outcome):
    assert called(USED, Calls(), outcome=outcome) is None
    assert called(USED, Calls(), outcome=outcome, named=False) == "not_called"
    assert called(USED, Calls(returned=1), outcome=outcome) == "right"


def test_nothing_is_known_where_the_sandbox_failed():
    assert called(USED, Calls(), outcome="sandbox_error") is None


@pytest.mark.parametrize("outcome", ["failed", "load_error", "syntax_error", "passed"])
def test_what_never_ran_is_not_called(outcome):
    assert called(USED, Calls(), outcome=outcome) == "not_called"


def test_a_program_without_end_is_read_to_a_bound():
    assert called(USED + "#" * MAX_READ + "\nboom(" * 1000, Calls(returned=1)) == "right"
