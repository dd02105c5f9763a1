"""Where a missing API's failure is caught."""

import pytest

from edittool.analysis.uses.caught import lines_caught

CASES = {
    "everything": ("try:\n    a\nexcept:\n    b", {2}),
    "exceptions": ("try:\n    a\nexcept Exception as error:\n    b", {2}),
    "one of several": ("try:\n    a\nexcept (ValueError, NameError):\n    b", {2}),
    "a later clause": ("try:\n    a\nexcept ValueError:\n    b\nexcept AttributeError:\n    c", {2}),
    "a group": ("try:\n    a\nexcept* ImportError:\n    b", {2}),
    "another failure": ("try:\n    a\nexcept ValueError:\n    b", set()),
    "a name that only begins so": ("try:\n    a\nexcept ExceptionOfMine:\n    b", set()),
    "finally": ("try:\n    a\nfinally:\n    b", set()),
    "suppressed": ("import contextlib\nwith contextlib.suppress(NameError):\n    a\n    b", {3, 4}),
    "opened": ("with open(a) as b:\n    c", set()),
    "inside": ("def f():\n    try:\n        if a:\n            b\n    except NameError:\n        c", {3, 4}),
    "cut off": ("try:\n    a\nexcept", set()),
}


@pytest.mark.parametrize(("program", "lines"), CASES.values(), ids=CASES)
def test_lines(program, lines):
    assert lines_caught(program) == lines
