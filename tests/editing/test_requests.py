from dataclasses import replace

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.editing.requests import EditRequest, requests_for
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError


def changed(bench: Bench, **fields: str | None) -> Bench:
    return replace(bench, problems=bench.problems | {"t/a1": replace(bench.problems["t/a1"], **fields)})


def test_requests_are_the_reliability_problems(bench: Bench) -> None:
    assert requests_for(bench, bench.changes["len"]) == [EditRequest("def a1(x):\n", "a1", "    return new_len(x)\n")]
    assert requests_for(bench, bench.changes["min"]) == []


def test_a_rewritten_import_still_leads_to_the_target(bench: Bench) -> None:
    prompt = "from math import sqrt\ndef a1(x):\n"
    changed_bench = changed(bench, prompt=prompt, updated_solution="def a1(x):\n    return my_sqrt(x)\n")
    (request,) = requests_for(changed_bench, bench.changes["len"])
    assert (request.prompt, request.target) == (prompt, "    return my_sqrt(x)\n")


@pytest.mark.parametrize("updated", [None, "def other(x):\n    return x\n", "def a1(x):\n"])
def test_no_target(bench: Bench, updated: str | None) -> None:
    with pytest.raises(InputError, match="t/a1"):
        requests_for(changed(bench, updated_solution=updated), bench.changes["len"])


def test_every_change_of_the_builtin_benchmark_can_be_taught() -> None:
    bench = load_builtin()
    for change in bench.changes.values():
        requests = requests_for(bench, change)
        assert requests
        assert all(change.replacement in request.target for request in requests)
