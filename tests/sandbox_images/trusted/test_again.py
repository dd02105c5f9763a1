"""The runs after the first: which follow, and which one ends them."""

from typing import Any

import pytest

from edittool.sandbox_images.python.trusted.again import run_again

JOB = {"own": "my_sorted", "cpu_seconds": 3.0, "total_cpu_seconds": 30.0}
UNHINDERED = {"limit": None, "measured": True}


def result(
    passed: bool = True, stage: str = "run", bypass: tuple[str, ...] = (), end: str | None = None
) -> dict[str, Any]:
    return {
        "stage": stage,
        "fault": None,
        "tests": [{"passed": passed}],
        "bypass": list(bypass),
        "seen": [],
        "end": end,
        "cpu_ms": 10.0,
        "clock": UNHINDERED,
    }


def first(calls: int, on_load: int = 0, **facts: Any) -> dict[str, Any]:
    return result(**facts) | {"calls": {"my_sorted": calls}, "calls_on_load": {"my_sorted": on_load}}


PASSES, FAILS, DOES_NOT_LOAD = result(), result(False), result(False, "load")

# The first run, what the others come to in turn, and which they are; then the ways around the removal.
RUNS = [
    (first(1, passed=False), [], [], None),
    (first(0), [PASSES], ["watched"], []),
    (first(0), [result(bypass=("gc",))], ["watched"], ["gc"]),
    (first(1, bypass=("gc",)), [PASSES], ["watched"], ["gc"]),
    (first(0), [FAILS, PASSES], ["watched", "watched_as_it_is"], []),
    (first(0), [FAILS, FAILS], ["watched", "watched_as_it_is"], ["unwatchable"]),
    (first(0), [result(False, end="timeout")], ["watched"], []),
    (first(0), [result(False, bypass=("removed_call",))], ["watched"], ["removed_call"]),
    (first(1), [PASSES, FAILS], ["watched", "nothing tests"], []),
    (first(1), [PASSES, PASSES, FAILS], ["watched", "nothing tests", "wrong_value tests"], []),
    (first(1), [PASSES, PASSES, PASSES], ["watched", "nothing tests", "wrong_value tests"], []),
    (first(1, 1), [PASSES, FAILS], ["watched", "nothing load"], []),
    (first(1, 1), [PASSES, DOES_NOT_LOAD, FAILS], ["watched", "nothing load", "wrong_value load"], []),
    (first(1, 1), [PASSES, DOES_NOT_LOAD, DOES_NOT_LOAD], ["watched", "nothing load", "wrong_value load"], []),
    (
        first(2, 1),
        [PASSES, PASSES, PASSES, PASSES, FAILS],
        ["watched", "nothing tests", "wrong_value tests", "nothing load", "wrong_value load"],
        [],
    ),
]


@pytest.mark.parametrize("number", range(len(RUNS)))
def test_which_runs_follow(number: int) -> None:
    begun, others, names, bypass = RUNS[number]
    asked: list[dict[str, Any]] = []

    def run(changed: dict[str, Any]) -> dict[str, Any]:
        asked.append(changed)
        return others[len(asked) - 1]

    found = run_again(JOB, begun, run)
    assert [f"{one['run']} {one['phase']}".strip() for one in found["again"]] == names
    assert [one["run"] for one in asked] == [name.split()[0] for name in names]
    assert found.get("bypass") == bypass
    assert [one["passed"] for one in found["again"]] == [one is PASSES or one["tests"][0]["passed"] for one in others]


def test_a_counterfactual_run_gets_little_more_time_than_the_first_took() -> None:
    seconds = []

    def run(changed: dict[str, Any]) -> dict[str, Any]:
        seconds.append((changed["cpu_seconds"], changed["total_cpu_seconds"]))
        return PASSES

    run_again(JOB, first(1), run)
    run_again(JOB, first(1) | {"cpu_ms": 500.0}, run)
    run_again(JOB, first(1) | {"cpu_ms": 2000.0}, run)
    assert seconds == [(3, 3), (1, 1), (1, 1), (3, 10), (2, 2), (2, 2), (3, 30), (3, 8), (3, 8)]


@pytest.mark.parametrize("clock", [{"limit": "starved", "measured": True}, {"limit": "cpu", "measured": False}])
def test_a_run_that_may_have_been_given_no_cpu_leaves_its_clock(clock: dict[str, Any]) -> None:
    others = [PASSES, FAILS | {"clock": clock}]
    found = run_again(JOB, first(1), lambda changed: others.pop(0))
    assert found["clock"] == clock


@pytest.mark.parametrize("clock", [UNHINDERED, {"limit": "cpu", "measured": True}])
def test_a_limit_that_the_program_reached_is_none_of_the_machines(clock: dict[str, Any]) -> None:
    others = [PASSES, FAILS | {"clock": clock}]
    assert run_again(JOB, first(1), lambda changed: others.pop(0))["clock"] == UNHINDERED
