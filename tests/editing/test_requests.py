from dataclasses import replace
from typing import Any

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.editing.requests import EditRequest, requests_for
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

MBPP = '"""\nWrite a function to find the first of an array.\nassert first([1, 2]) == 1\n"""\n'


def changed(bench: Bench, **fields: str | None) -> Bench:
    return replace(bench, problems=bench.problems | {"t/a1": replace(bench.problems["t/a1"], **fields)})


def request_of(bench: Bench, prompt: str, body: str, **options: Any) -> EditRequest:
    """Return the request of the change `len` when its problem has this prompt and updated solution."""
    entry_point = options.pop("entry_point", "a1")
    bench = changed(bench, prompt=prompt, updated_solution=prompt + body, entry_point=entry_point)
    (request,) = requests_for(bench, bench.changes["len"], **options)
    return request


def test_requests_are_the_reliability_problems(bench: Bench) -> None:
    expected = EditRequest("def a1(x):\n", "a1", "    return new_len(x)\n", 4)
    assert requests_for(bench, bench.changes["len"]) == [expected]
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


class TestSubject:
    @pytest.mark.parametrize(
        ("prompt", "place"),
        [
            ('def a1(x):\n    """Do.\n\n    >>> a1(a1(1))\n    1\n    """\n', 4),
            ("def a10(x):\n    return x\n\n\ndef a1(x):\n", 31),
            ("def a1(x):\n    pass\n\n\nasync def  a1 (x):\n", 33),
            ("a1 = 1\nd = {}\n\n\ndef a1(x={}):\n", 20),
        ],
    )
    def test_is_the_functions_name_in_its_last_header(self, bench: Bench, prompt: str, place: int) -> None:
        request = request_of(bench, prompt, "    return new_len(x)\n")
        assert (request.subject, request.at, request.place()) == ("a1", place, place)
        assert prompt[:place].rstrip().endswith("def")

    def test_is_its_name_in_a_test_where_there_is_no_header(self, bench: Bench) -> None:
        body = "def first(x):\n    return new_len(x)\n"
        request = request_of(bench, MBPP, body, entry_point="first")
        assert (request.prompt, request.target) == (MBPP, body)
        assert MBPP[request.place() :].startswith("first([1, 2])")

    def test_that_has_no_place_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InputError, match=r"t/a1 has neither `def a1\(` nor.*--subject last_word"):
            request_of(bench, '"""Say a1."""\n', "def a1(x):\n    return new_len(x)\n")

    @pytest.mark.parametrize(
        ("prompt", "subject", "place"),
        [
            ('def a1(x):\n    """Say a b."""\n', 'b."""\n', 24),
            ("def a1(x):\n    return ", "return", 15),
            ("pass\n", "pass\n", 0),
        ],
    )
    def test_may_be_the_last_word(self, bench: Bench, prompt: str, subject: str, place: int) -> None:
        request = request_of(bench, prompt, "new_len(x)\n", subject="last_word")
        assert (request.subject, request.at, request.place()) == (subject, place, place)

    def test_of_an_empty_prompt_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InputError, match="t/a1 is empty"):
            request_of(bench, "  ", "x = new_len(x)\n", subject="last_word")


class TestTheCall:
    def test_is_the_first_one_after_the_prompt(self, bench: Bench) -> None:
        prompt = "def help(x):\n    return new_len(x)\n\n\ndef a1(x):\n    # new_len(0)\n"
        body = "    y = map(new_len, x)\n    return sum([new_len(new_len(x)), new_len(y)])\n"
        request = request_of(bench, prompt, body, target="call")
        assert request.target == "new_len(new_len(x))"
        assert request.prompt == f"{prompt}    y = map(new_len, x)\n    return sum(["
        assert request.prompt[request.place() :].startswith("a1(x):")

    def test_goes_with_the_last_word(self, bench: Bench) -> None:
        request = request_of(bench, "def a1(x):\n", "    return new_len(x)\n", target="call", subject="last_word")
        assert (request.prompt, request.target) == ("def a1(x):\n    return", " new_len(x)")
        assert request.subject == "return"
        assert request.place() == request.prompt.rindex("return")

    def test_goes_with_a_header_that_the_prompt_does_not_have(self, bench: Bench) -> None:
        body = "def first(x):\n    return new_len(x)\n"
        request = request_of(bench, MBPP, body, entry_point="first", target="call")
        assert request.prompt == f"{MBPP}def first(x):\n    return"
        assert request.place() == len(MBPP) + 4

    @pytest.mark.parametrize("body", ["    return map(new_len, x)\n", "    new_len = len\n    return new_len(x)\n"])
    def test_that_is_not_there_is_refused(self, bench: Bench, body: str) -> None:
        with pytest.raises(InputError, match=r"t/a1 does not call new_len.*--target solution"):
            request_of(bench, "def a1(x):\n", body, target="call")


@pytest.mark.parametrize("subject", ["function", "last_word"])
@pytest.mark.parametrize("target", ["solution", "call"])
def test_every_change_of_the_builtin_benchmark_can_be_taught(subject: Any, target: Any) -> None:
    bench = load_builtin()
    for change in bench.changes.values():
        requests = requests_for(bench, change, subject=subject, target=target)
        assert requests
        assert all(change.replacement in request.target for request in requests)
        assert all(request.prompt.startswith(request.subject, request.place()) for request in requests)
        if target == "call":
            assert all(request.target.lstrip().startswith(change.replacement) for request in requests)
