"""Tracing: which class defines an attribute, for every kind of value, without running a line of the program's own."""

import collections
import datetime
import math
import re
import sys
from collections.abc import Callable
from typing import Any

import docker
import pytest

from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.sandbox_images.python.untrusted.tracing import MAX_PATH, MAX_PATHS, Trace
from edittool.schemas.problems import Problem, Test


class Meta(type):
    def __getattr__(cls, name):
        raise AssertionError("the metaclass was asked")

    def made(cls):
        return cls()


class Point(metaclass=Meta):
    def __init__(self):
        self.x = 1

    def __getattribute__(self, name):
        raise AssertionError("the instance was asked")

    def norm(self):
        return 0


class Text(str):
    __slots__ = ()

    def above(self):
        return super()


class Liar(Point):
    __class__ = str


@pytest.mark.parametrize(
    ("make", "name", "path"),
    [
        (lambda: "a", "split", "str"),
        (lambda: str, "split", "str"),
        (lambda: Text("a"), "split", "str"),
        (lambda: Text("a").above(), "split", "str"),
        (lambda: Text("a"), "above", f"{__name__}.Text"),
        (list, "append", "list"),
        (lambda: True, "bit_length", "int"),
        (lambda: str, "mro", "type"),
        (lambda: None, "split", "?"),
        (lambda: collections.Counter(), "most_common", "collections.Counter"),
        (lambda: collections.Counter(), "items", "dict"),
        (lambda: collections.deque(), "append", "collections.deque"),
        (lambda: re.compile(""), "match", "re.Pattern"),
        (lambda: datetime.datetime(2020, 1, 1), "weekday", "datetime.date"),
        (lambda: sys.__stdout__, "write", "_io.TextIOWrapper"),
        (lambda: math, "sqrt", "module"),
        (lambda: math, "no_such_name", "module"),
        (lambda: Point(), "norm", f"{__name__}.Point"),
        (lambda: Point(), "x", "?"),
        (lambda: Point(), "no_such_name", "?"),
        (lambda: Point, "made", f"{__name__}.Meta"),
        (lambda: Liar(), "norm", f"{__name__}.Point"),
        (lambda: Liar(), "split", "?"),
    ],
)
def test_the_class_that_defines_the_attribute_is_noted(make: Callable[[], Any], name: str, path: str) -> None:
    value = make()
    trace = Trace(["other", name])
    assert trace.note(1, value) is value
    assert trace.news() == {"1": [path]}
    assert trace.news() == {}


def test_an_instance_attribute_is_told_from_the_methods_of_its_class_however_often_it_was_seen() -> None:
    class Box:
        def get(self) -> int:
            return 0

    plain, own = Box(), Box()
    own.__dict__["get"] = len
    trace = Trace(["get"])
    for value in (plain, plain, own):
        trace.note(0, value)
    assert trace.news() == {"0": [f"{Box.__module__}.{Box.__qualname__}", "?"]}


def test_what_is_noted_is_bounded() -> None:
    trace = Trace(["run"])
    for number in range(20):
        trace.note(0, type(f"C{number}" + "x" * 1000, (), {"run": None})())
    (paths,) = trace.news().values()
    assert len(paths) == MAX_PATHS
    assert {len(path) for path in paths} == {MAX_PATH}


INSTRUMENTED = """
import collections
class Point:
    def size(self):
        return 1
def f(value):
    n = __edittool_trace__(0, value).__len__()
    if n == 3:
        __edittool_trace__(1, collections).Counter
        __edittool_trace__(2, Point()).size()
    return n
"""
FORGING = "import sys\n" + INSTRUMENTED.replace(
    "    return n\n",
    """
    for value in list(sys._getframe(1).f_locals.values()) + list(sys._getframe(2).f_locals.values()):
        seen = getattr(getattr(value, "trace", None), "_seen", None)
        if seen is not None and n == 3:
            seen.update({0: ["list", "x" * 999], 1: "str", 2: [3], 7: ["str"], -1: ["str"], "0x": ["str"]})
            value.trace._news = True
    return n
""",
)
LENGTHS = Problem(
    "trace/lengths",
    "",
    "f",
    INSTRUMENTED,
    tuple(Test("", f"assert candidate({value!r}) == {len(value)}") for value in ("ab", [1], (1, 2, 3))),
    "specificity",
    None,
)


def run(client: docker.DockerClient, program: str, traced: tuple[str, ...]) -> Finding:
    ((_, finding),) = run_jobs([Job(program, LENGTHS, traced=traced)], SandboxOptions(workers=1, pool=1), client)
    return finding


def test_a_finding_says_what_was_seen_in_all_tests(docker_client: docker.DockerClient) -> None:
    found = run(docker_client, INSTRUMENTED, ("__len__", "Counter", "size", "never"))
    assert found.outcome == "passed"
    assert found.trace == {0: ("str", "list", "tuple"), 1: ("module",), 2: ("candidate.Point",)}


def test_without_traced_attributes_there_is_nothing_to_call(docker_client: docker.DockerClient) -> None:
    found = run(docker_client, INSTRUMENTED, ())
    assert found.error is not None
    assert (found.error["kind"], found.trace) == ("missing_name", {})


def test_a_trace_that_the_program_made_up_is_bounded_data_all_the_same(docker_client: docker.DockerClient) -> None:
    found = run(docker_client, FORGING, ("__len__", "Counter", "size"))
    assert found.outcome == "passed"
    assert found.trace == {0: ("str", "list")}
