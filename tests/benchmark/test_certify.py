"""Certification in the real sandbox: a benchmark with one fault of each kind, and each is found."""

from dataclasses import replace

import pytest

from edittool.benchmark.certify import CONDITIONS, HASH_SEEDS, Certificate, Check, certify, keep_certified
from edittool.benchmark.trials import open_trials
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError
from edittool.schemas.problems import Problem, Test

from .sorted_change import SORTED

# Nobody can tell this usage from a mere rename: every old call is accepted, and right.
MAX = Change(
    "max",
    "max",
    "my_builtin_max",
    "packed",
    "my_builtin_max(values)",
    "def my_builtin_max(values):\n    return max(values)\n",
    "Take the largest.",
    kind="builtin_function",
)
# An old call is accepted, and wrong.
DIVMOD = Change(
    "divmod",
    "divmod",
    "my_builtin_divmod",
    "reordered",
    "my_builtin_divmod(divisor, number)",
    "def my_builtin_divmod(divisor, number):\n    return divmod(number, divisor)\n",
    "Divide.",
    kind="builtin_function",
)
PROMPT = "def f(xs):\n"
# The first of this set is "c" under the hash seeds 0 and 2, and "a" under 1.
BY_CHANCE = "    if next(iter({'a', 'b', 'c'})) == 'a':\n        return []\n"


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
        "accepted, and wrong",
        "    return [divmod(xs[0] * 5, 5)[0]]\n",
        "    return [my_builtin_divmod(5, xs[0] * 5)[0]]\n",
        change="divmod",
    ),
    problem(
        "leans on another change", "    return sorted([max(xs)])\n", "    return my_builtin_sorted(values=[max(xs)])\n"
    ),
    problem("changed specificity", "    return sorted(xs)\n", change=None),
    problem(
        "hangs when it is removed",
        "    while True:\n        try:\n            return sorted(xs)\n        except NameError:\n            pass\n",
        "    return my_builtin_sorted(values=xs)\n",
    ),
    problem(
        "name taken",
        "    my_builtin_sorted = sorted\n    return my_builtin_sorted(xs)\n",
        "    return my_builtin_sorted(values=xs)\n",
    ),
    problem(
        "passes by chance",
        f"{BY_CHANCE}    return sorted(xs)\n",
        f"{BY_CHANCE}    return my_builtin_sorted(values=xs)\n",
    ),
    replace(GOOD, task_id="broken helpers", helpers="1 / 0"),
]
CHANGES = {change.change_id: change for change in (SORTED, MAX, DIVMOD)}
BENCH = Bench("faulty", {p.task_id: p for p in PROBLEMS}, CHANGES)
LIMITS = Limits(cpu_seconds=0.2, wall_seconds=2)


class Stages:
    """What the stages announced, and how far each got."""

    def __init__(self):
        self.steps, self.done = {}, {}

    def __call__(self, stage, steps, /):
        self.steps[stage], self.done[stage] = steps, 0

        def step():
            self.done[stage] += 1

        return step


@pytest.fixture(scope="module")
def trials(docker_client):
    with open_trials(SandboxOptions(limits=LIMITS, attempts=1)) as opened:
        yield opened


@pytest.fixture(scope="module")
def certificate(trials):
    return certify(BENCH, trials)


def certify_one(trials, one, changes=(SORTED,), hash_seeds=(0,), **how):
    """Return what certification says of each condition of a benchmark of one problem."""
    bench = Bench("one", {one.task_id: one}, {change.change_id: change for change in changes})
    return {check.condition: check for check in certify(bench, trials, hash_seeds, **how).checks}


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
        ("accepted, and wrong", []),
        ("leans on another change", ["all_changes_pass"]),
        ("changed specificity", ["all_changes_pass"]),
        ("hangs when it is removed", ["removal_fails"]),
        ("name taken", []),
        ("passes by chance", ["reference_passes", "updated_passes", "all_changes_pass"]),
    ],
)
def test_each_fault_is_found(certificate, task_id, violated):
    assert states(certificate, task_id, "violated") == violated


def test_what_is_missing_is_unchecked_and_says_why(certificate):
    assert states(certificate, "no rewrite", "unchecked") == ["updated_passes", "all_changes_pass"]
    reasons = {check.seen for check in certificate.with_state("unchecked") if check.task_id == "no rewrite"}
    assert reasons == {"the problem has no updated_solution"}


def test_a_rename_that_cannot_be_made_is_unchecked_and_says_why(certificate):
    reasons = {
        check.task_id: check.seen for check in certificate.with_state("unchecked") if "rename" in check.condition
    }
    assert reasons == {
        "unused API": "the solution does not name sorted",
        "name taken": "the API cannot be renamed safely: the program binds my_builtin_sorted",
    }


def test_what_the_sandbox_could_not_judge_is_unknown(certificate):
    assert states(certificate, "broken helpers", "unknown") == list(CONDITIONS)
    assert not certificate.holds


def test_a_check_says_what_was_seen(certificate):
    seen = {(check.task_id, check.condition): check.seen for check in certificate.checks}
    assert seen["good", "removal_fails"].endswith("NameError: name 'sorted' is not defined")
    assert seen["good", "updated_passes"] == "passed, correct_adoption (clean)"
    assert seen["workaround", "updated_passes"].startswith("passed, workaround (")
    assert "timeout" in seen["hangs when it is removed", "removal_fails"]


def test_checks_stand_in_the_order_of_problems_and_conditions(certificate):
    places = [(list(BENCH.problems).index(c.task_id), CONDITIONS.index(c.condition)) for c in certificate.checks]
    assert places == sorted(places)


def test_the_stages_come_to_their_end(trials):
    """One change is all changes here, so that two conditions ask the same."""
    stages = Stages()
    certify_one(trials, GOOD, progress=stages)
    assert stages.done == {"tracing the references": 1, "certifying under hash seed 0": 5} == stages.steps


def test_what_holds_under_one_hash_seed_only_does_not_hold(trials, certificate):
    [chance] = [problem for problem in PROBLEMS if problem.task_id == "passes by chance"]
    under = {seed: certify_one(trials, chance, hash_seeds=(seed,)) for seed in HASH_SEEDS}
    assert [under[seed]["reference_passes"].state for seed in HASH_SEEDS] == ["holds", "violated", "holds"]
    seen = [c.seen for c in certificate.checks if (c.task_id, c.condition) == ("passes by chance", "reference_passes")]
    assert seen[0].startswith("failed, ")
    assert seen[0].endswith("(hash seed 1)")


def test_where_it_is_strict_a_rename_has_to_be_refused(trials):
    [wrong] = [problem for problem in PROBLEMS if problem.task_id == "accepted, and wrong"]
    lenient, strict = (certify_one(trials, wrong, (DIVMOD,), strict=strict) for strict in (False, True))
    assert lenient["rename_fails"].state == "holds"
    assert strict["rename_fails"].state == "violated"
    assert strict["rename_fails"].seen.startswith("failed, misuse (wrong_result)")
    assert {condition: check for condition, check in strict.items() if condition != "rename_fails"} == {
        condition: check for condition, check in lenient.items() if condition != "rename_fails"
    }


def test_a_refused_rename_is_strict_enough(trials):
    checks = certify_one(trials, GOOD, strict=True)
    assert checks["rename_fails"].state == "holds"
    assert checks["rename_fails"].seen.startswith("failed, misuse (wrong_arguments), TypeError")


def test_a_pure_rename_is_not_asked_to_fail_when_renamed(trials):
    renamed = replace(
        SORTED,
        usage="renamed",
        signature="my_builtin_sorted(values)",
        shim="def my_builtin_sorted(values):\n    return sorted(values)\n",
    )
    one = replace(GOOD, updated_solution=f"{PROMPT}    return my_builtin_sorted(xs)\n")
    checks = certify_one(trials, one, (renamed,), strict=True)
    assert [(name, check.state) for name, check in checks.items()] == [(name, "holds") for name in CONDITIONS[:-1]]


def test_the_fully_rewritten_solution_is_the_one_for_all_changes(trials):
    updated = "    return my_builtin_sorted(values=[max(xs)])\n"
    one = problem("both", "    return sorted([max(xs)])\n", updated)
    full = replace(one, fully_updated_solution=f"{PROMPT}{updated.replace('max', 'my_builtin_max')}")
    assert certify_one(trials, one, (SORTED, MAX))["all_changes_pass"].state == "violated"
    checks = certify_one(trials, full, (SORTED, MAX))
    assert [check.state for check in checks.values()] == ["holds"] * 5


def test_without_changes_only_the_reference_is_run(trials):
    checks = certify_one(trials, problem("plain", "    return xs[::-1] if xs[0] > 2 else [1, 2]\n", change=None), ())
    assert [(name, check.state) for name, check in checks.items()] == [("reference_passes", "holds")]


def test_a_change_that_no_problem_shows_is_refused_with_what_each_lacks(certificate):
    with pytest.raises(InputError) as caught:
        keep_certified(BENCH, certificate)
    told = "no problem of the change 'max' can be certified:\n  invisible change, rename_fails: passed, "
    assert told in str(caught.value)
    assert "write `usage: renamed` in the change 'max'" in str(caught.value)
    lone = replace(BENCH, changes={"len": replace(MAX, change_id="len", deprecated="len")})
    with pytest.raises(InputError, match=r"the change 'len' has no problem\. Write one with `change_id: len`"):
        keep_certified(lone, certificate)


def test_certified_problems_are_kept_and_the_others_listed_with_what_fails_first(certificate):
    shown = {name: change for name, change in BENCH.changes.items() if name != "max"}
    kept, rejections = keep_certified(replace(BENCH, changes=shown), certificate)
    assert [problem.task_id for problem in kept] == [
        "good",
        "good specificity",
        "no rewrite",
        "accepted, and wrong",
        "name taken",
    ]
    assert [(rejection.task_id, rejection.reason) for rejection in rejections] == [
        ("wrong reference", "reference_passes"),
        ("unused API", "removal_fails"),
        ("workaround", "updated_passes"),
        ("invisible change", "rename_fails"),
        ("leans on another change", "all_changes_pass"),
        ("changed specificity", "all_changes_pass"),
        ("hangs when it is removed", "removal_fails"),
        ("passes by chance", "reference_passes"),
        ("broken helpers", "reference_passes"),
    ]
    assert all(rejection.detail and rejection.change_id is None for rejection in rejections)


def test_a_benchmark_of_which_nothing_is_left_is_refused():
    made = Certificate("b", (Check("good", "removal_fails", "violated", "passed, workaround"),), (0,))
    with pytest.raises(InputError, match=r"no problem can be certified\. good, removal_fails: passed, workaround"):
        keep_certified(Bench("b", {"good": GOOD}, {"sorted": SORTED}), made)


def test_what_is_unchecked_is_kept():
    made = Certificate("b", (Check("good", "rename_fails", "unchecked", "why"),), (0,))
    assert keep_certified(Bench("b", {"good": GOOD}, {"sorted": SORTED}), made) == ([GOOD], [])


def test_json():
    checks = (Check("t", "reference_passes", "holds", "passed"), Check("t", "rename_fails", "unchecked", "why"))
    made = Certificate("b", checks, (0, 1))
    assert made.holds
    assert made.to_json()["holds"] is True
    assert made.to_json()["counts"]["rename_fails"] == {"holds": 0, "violated": 0, "unknown": 0, "unchecked": 1}
    assert made.to_json()["checks"][0] == {
        "task_id": "t",
        "condition": "reference_passes",
        "state": "holds",
        "seen": "passed",
    }
