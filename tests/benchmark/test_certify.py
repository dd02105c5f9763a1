"""Certification in the real sandbox: a benchmark with one fault of each kind, and each is found."""

from dataclasses import replace

import pytest

from edittool.benchmark.certify import CONDITIONS, Certificate, Check, certify, plan
from edittool.judging.jobs import Limits
from edittool.judging.options import SandboxOptions
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

SORTED = Change(
    "sorted",
    "sorted",
    "my_builtin_sorted",
    "keyword_only",
    "my_builtin_sorted(*, values)",
    "def my_builtin_sorted(*, values):\n    return sorted(values)\n",
    "Sort.",
)
# Nobody can tell this usage from a mere rename: every old call is accepted, and right.
MAX = Change(
    "max",
    "max",
    "my_builtin_max",
    "packed",
    "my_builtin_max(values)",
    "def my_builtin_max(values):\n    return max(values)\n",
    "Take the largest.",
)
PROMPT = "def f(xs):\n"


def problem(name, body, updated=None, change="sorted", **fields):
    return Problem(
        task_id=name,
        prompt=PROMPT,
        entry_point="f",
        solution=PROMPT + body,
        tests=(Test("", "assert candidate([2, 1])[-1] == 2"), Test("", "assert candidate([3])[-1] == 3")),
        subset="specificity" if change is None else "reliability",
        change_id=change,
        updated_solution=updated and PROMPT + updated,
        **fields,
    )


GOOD = problem("good", "    return sorted(xs)\n", "    return my_builtin_sorted(values=xs)\n")
PROBLEMS = [
    GOOD,
    problem("good specificity", "    xs.sort()\n    return xs\n", change=None),
    problem("wrong reference", "    return sorted(xs)[::-1]\n", "    return my_builtin_sorted(values=xs)\n"),
    problem("unused API", "    xs.sort()\n    return xs\n", "    return my_builtin_sorted(values=xs)\n"),
    problem("workaround", "    return sorted(xs)\n", "    xs.sort()\n    return xs\n"),
    problem("no rewrite", "    return sorted(xs)\n"),
    problem("invisible change", "    return [max(xs)]\n", "    return [my_builtin_max(xs)]\n", change="max"),
    problem(
        "leans on another change", "    return sorted([max(xs)])\n", "    return my_builtin_sorted(values=[max(xs)])\n"
    ),
    problem("changed specificity", "    return sorted(xs)\n", change=None),
    problem(
        "hangs when it is removed",
        "    while True:\n        try:\n            return sorted(xs)\n        except NameError:\n            pass\n",
        "    return my_builtin_sorted(values=xs)\n",
    ),
    replace(GOOD, task_id="broken helpers", helpers="1 / 0"),
]
BENCH = Bench("faulty", {p.task_id: p for p in PROBLEMS}, {"sorted": SORTED, "max": MAX})


@pytest.fixture(scope="module")
def certificate(docker_client):
    seen = []
    made = certify(BENCH, SandboxOptions(limits=Limits(cpu_seconds=0.5, wall_seconds=5), attempts=1), seen.append)
    assert len(seen) == len(plan(BENCH)[0])
    return made


def states(certificate, task_id, state):
    return [check.condition for check in certificate.checks if (check.task_id, check.state) == (task_id, state)]


def test_a_good_problem_holds(certificate):
    assert states(certificate, "good", "holds") == list(CONDITIONS)
    assert states(certificate, "good specificity", "holds") == ["reference_passes", "all_changes_pass"]


@pytest.mark.parametrize(
    ("task_id", "violated"),
    [
        ("wrong reference", ["reference_passes"]),
        ("unused API", ["removal_fails"]),
        ("workaround", ["updated_passes"]),
        ("invisible change", ["rename_fails"]),
        ("leans on another change", ["all_changes_pass"]),
        ("changed specificity", ["all_changes_pass"]),
        ("hangs when it is removed", ["removal_fails"]),
    ],
)
def test_each_fault_is_found(certificate, task_id, violated):
    assert states(certificate, task_id, "violated") == violated


def test_what_is_missing_is_unchecked_and_says_why(certificate):
    assert states(certificate, "no rewrite", "unchecked") == ["updated_passes", "all_changes_pass"]
    reasons = {check.seen for check in certificate.with_state("unchecked") if check.task_id == "no rewrite"}
    assert reasons == {"the problem has no updated_solution"}


def test_what_the_sandbox_could_not_judge_is_unknown(certificate):
    assert states(certificate, "broken helpers", "unknown") == list(CONDITIONS)
    assert not certificate.holds


def test_a_check_says_what_was_seen(certificate):
    seen = {(check.task_id, check.condition): check.seen for check in certificate.checks}
    assert seen["good", "removal_fails"].endswith("NameError: name 'sorted' is not defined")
    assert seen["good", "updated_passes"] == "passed, correct_adoption"
    assert seen["workaround", "updated_passes"] == "passed, workaround"
    assert "timeout" in seen["hangs when it is removed", "removal_fails"]


def test_checks_stand_in_the_order_of_problems_and_conditions(certificate):
    places = [(list(BENCH.problems).index(c.task_id), CONDITIONS.index(c.condition)) for c in certificate.checks]
    assert places == sorted(places)


def test_a_pure_rename_is_not_asked_to_fail_when_renamed():
    renamed = replace(SORTED, usage="renamed")
    jobs, unchecked = plan(Bench("b", {"good": GOOD}, {"sorted": renamed}))
    assert [job.tag for job in jobs] == [name for name in CONDITIONS if name != "rename_fails"]
    assert unchecked == []


def test_a_rename_that_is_not_safe_is_unchecked():
    odd = problem("odd", "    from builtins import sorted\n    return sorted(xs)\n", "    return xs\n")
    _, unchecked = plan(Bench("b", {"odd": odd}, {"sorted": SORTED}))
    assert [check.condition for check in unchecked] == ["rename_fails"]


def test_without_changes_only_the_reference_is_run():
    jobs, unchecked = plan(Bench("b", {"plain": problem("plain", "    return xs\n", change=None)}, {}))
    assert [(job.tag, job.changes) for job in jobs] == [("reference_passes", ())]
    assert unchecked == []


def test_json():
    checks = (Check("t", "reference_passes", "holds", "passed"), Check("t", "rename_fails", "unchecked", "why"))
    made = Certificate("b", checks)
    assert made.holds
    assert made.to_json()["holds"] is True
    assert made.to_json()["counts"]["rename_fails"] == {"holds": 0, "violated": 0, "unknown": 0, "unchecked": 1}
    assert made.to_json()["checks"][0] == {
        "task_id": "t",
        "condition": "reference_passes",
        "state": "holds",
        "seen": "passed",
    }
