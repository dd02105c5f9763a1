"""What came of reading a data set: its problems, and what had to be left out of it."""

from dataclasses import dataclass
from typing import Literal

from ...schemas.problems import Problem

Reason = Literal[
    "standard_input",  # a program that reads standard input: there is no function for the tests to call
    "no_solution",  # no reference solution at all
    "python2",  # every reference solution is Python 2
    "no_usable_solution",  # none of them is Python that defines what the tests call
    "no_tests",  # no inputs with outputs
    "too_big",  # no test is small enough
    "some_tests",  # the problem is there, with fewer tests than its row has
    "unreadable_tests",  # a number so long that Python does not read it
]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A problem that was left out, or (reason `some_tests`) tests of a problem that is there; `detail` says more."""

    task_id: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The problems of a data set in the order of its rows, and what was left out."""

    problems: tuple[Problem, ...]
    left_out: tuple[LeftOut, ...] = ()
