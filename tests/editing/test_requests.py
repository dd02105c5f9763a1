from dataclasses import replace
from typing import Any

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.editing.requests import KINDS, EditRequest, request_of, requests_for, tally
from edittool.editing.statements import statements_of
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

from .conftest import problem

MBPP = '"""\nWrite a function to find the first of an array.\nassert first([1, 2]) == 1\n"""\n'


def changed(bench: Bench, **fields: str | None) -> Bench:
    return replace(bench, problems=bench.problems | {"t/a1": replace(bench.problems["t/a1"], **fields)})


def request_for(bench: Bench, prompt: str, body: str, **options: Any) -> EditRequest:
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
        request = request_for(bench, prompt, "    return new_len(x)\n")
        assert (request.subject, request.at, request.place()) == ("a1", place, place)
        assert prompt[:place].rstrip().endswith("def")

    def test_is_its_name_in_a_test_where_there_is_no_header(self, bench: Bench) -> None:
        body = "def first(x):\n    return new_len(x)\n"
        request = request_for(bench, MBPP, body, entry_point="first")
        assert (request.prompt, request.target) == (MBPP, body)
        assert MBPP[request.place() :].startswith("first([1, 2])")

    def test_that_has_no_place_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InputError, match=r"t/a1 has neither `def a1\(` nor.*--subject last_word"):
            request_for(bench, '"""Say a1."""\n', "def a1(x):\n    return new_len(x)\n")

    @pytest.mark.parametrize(
        ("prompt", "subject", "place"),
        [
            ('def a1(x):\n    """Say a b."""\n', 'b."""\n', 24),
            ("def a1(x):\n    return ", "return", 15),
            ("pass\n", "pass\n", 0),
        ],
    )
    def test_may_be_the_last_word(self, bench: Bench, prompt: str, subject: str, place: int) -> None:
        request = request_for(bench, prompt, "new_len(x)\n", subject="last_word")
        assert (request.subject, request.at, request.place()) == (subject, place, place)

    def test_of_an_empty_prompt_is_refused(self, bench: Bench) -> None:
        with pytest.raises(InputError, match="t/a1 is empty"):
            request_for(bench, "  ", "x = new_len(x)\n", subject="last_word")


class TestTheCall:
    def test_is_the_first_one_after_the_prompt(self, bench: Bench) -> None:
        prompt = "def help(x):\n    return new_len(x)\n\n\ndef a1(x):\n    # new_len(0)\n"
        body = "    y = map(new_len, x)\n    return sum([new_len(new_len(x)), new_len(y)])\n"
        request = request_for(bench, prompt, body, requests="call")
        assert request.target == "new_len(new_len(x))"
        assert request.prompt == f"{prompt}    y = map(new_len, x)\n    return sum(["
        assert request.prompt[request.place() :].startswith("a1(x):")

    def test_goes_with_the_last_word(self, bench: Bench) -> None:
        request = request_for(bench, "def a1(x):\n", "    return new_len(x)\n", requests="call", subject="last_word")
        assert (request.prompt, request.target) == ("def a1(x):\n    return", " new_len(x)")
        assert request.subject == "return"
        assert request.place() == request.prompt.rindex("return")

    def test_goes_with_a_header_that_the_prompt_does_not_have(self, bench: Bench) -> None:
        body = "def first(x):\n    return new_len(x)\n"
        request = request_for(bench, MBPP, body, entry_point="first", requests="call")
        assert request.prompt == f"{MBPP}def first(x):\n    return"
        assert request.place() == len(MBPP) + 4

    @pytest.mark.parametrize("body", ["    return map(new_len, x)\n", "    new_len = len\n    return new_len(x)\n"])
    def test_that_is_not_there_is_refused(self, bench: Bench, body: str) -> None:
        with pytest.raises(InputError, match=r"t/a1 does not call new_len.*--requests solution or all"):
            request_for(bench, "def a1(x):\n", body, requests="call")


class TestTheApiAsSubject:
    @pytest.mark.parametrize(
        ("prompt", "name", "place"),
        [
            ('def a1(x):\n    """Do what len does."""\n', "len", 26),
            ('def a1(x):\n    """Like len (but not len)."""\n', "len", 23),  # a space behind it: a token ends there
            ("y = len(x)\n\n\ndef a1(x):\n    z = len(y)\n", "len", 32),
            ("# not my_len, x.len, lens or length\n# use new_len now\ndef a1(x):\n", "new_len", 42),
        ],
    )
    def test_is_its_name_in_the_prompt(self, bench: Bench, prompt: str, name: str, place: int) -> None:
        request = request_for(bench, prompt, "    return new_len(x)\n", subject="api")
        assert (request.subject, request.place(), request.keyed_on) == (name, place, "api")

    @pytest.mark.parametrize(
        ("api", "kind", "line", "name"),
        [
            ("math.sqrt", "module_function", "x = math.sqrt (y)", "math.sqrt"),
            ("math.sqrt", "module_function", "x = sqrt (y)", "sqrt"),
            ("math.sqrt", "module_function", "x = np.sqrt (y)", None),
            ("os.path.join", "module_function", "x = path.join (y)", "path.join"),
            ("str.split", "builtin_method", "x = y.split ()", "split"),
            ("str.split", "builtin_method", "Use str.split here", "str.split"),
            ("str.split", "builtin_method", "x = y.rsplit ()", None),
            ("math.pi", "module_constant", "x = math.pi * 2", "math.pi"),
        ],
    )
    def test_may_stand_there_without_its_owner(self, bench: Bench, api: str, kind: Any, line: str, name: Any) -> None:
        one = replace(bench.changes["len"], deprecated=api, kind=kind)
        prompt = f"# {line}\ndef a1(x):\n"
        problem = replace(bench.problems["t/a1"], prompt=prompt, updated_solution=f"{prompt}    return new_len(x)\n")
        request = request_of(problem, one, "solution", "api")
        assert (request.subject, request.keyed_on) == ((name, "api") if name else ("a1", "function"))

    def test_is_told_from_the_function_where_no_prompt_names_it(self, bench: Bench) -> None:
        requests = requests_for(bench, bench.changes["len"], requests="all", subject="api")
        assert tally(requests) == {
            "requests": 6,
            "kinds": {"solution": 1, "call": 1, "statement": 4},
            "keyed_on": {"api": 4, "function": 2},
        }

    def test_may_be_the_last_word_too(self, bench: Bench) -> None:
        """Two statements end with the API's name."""
        requests = requests_for(bench, bench.changes["len"], requests="statement", subject="last_word")
        assert [(one.subject, one.keyed_on) for one in requests] == [
            ("len", "api"),
            ("return", "last_word"),
            ("len", "api"),
            ("return", "last_word"),
        ]
        by_name = requests_for(bench, bench.changes["len"], requests="statement", subject="api")
        assert [one.keyed_on for one in by_name] == ["api"] * 4
        assert by_name[::2] == requests[::2]


class TestAll:
    def test_are_solutions_calls_and_statements_in_this_order(self) -> None:
        bench = load_builtin()
        for change in bench.changes.values():
            parts = [requests_for(bench, change, requests=kind) for kind in KINDS]
            assert requests_for(bench, change, requests="all") == [one for part in parts for one in part]
            assert [one.kind for one in requests_for(bench, change, requests="all")] == [
                kind for kind, part in zip(KINDS, parts, strict=True) for _ in part
            ]

    def test_leave_out_a_call_that_is_not_there(self, bench: Bench) -> None:
        prompt = "def a1(x):\n"
        without = changed(bench, updated_solution=f"{prompt}    return map(new_len, x)\n")
        assert tally(requests_for(without, bench.changes["len"], requests="all"))["kinds"] == {
            "solution": 1,
            "statement": 4,
        }

    def test_teach_a_change_without_problems_by_nothing_of_others(self, bench: Bench) -> None:
        requests = requests_for(bench, bench.changes["min"], requests="all")
        assert [one.kind for one in requests] == ["statement"] * 4


class TestAtMost:
    @pytest.fixture
    def many(self, bench: Bench) -> Bench:
        """Three reliability problems of `len`."""
        more = [problem(name, "reliability", "len") for name in ("a3", "a4")]
        return replace(bench, problems=bench.problems | {one.task_id: one for one in more})

    @pytest.mark.parametrize(
        ("limit", "chosen"),
        [
            (1, ["solution a1"]),
            (2, ["solution a1", "call a4"]),
            (3, ["solution a1", "call a4", "statement"]),
            (5, ["solution a1", "solution a3", "call a3", "call a4", "statement"]),
            (
                99,
                [f"solution {n}" for n in ("a1", "a3", "a4")]
                + [f"call {n}" for n in ("a1", "a3", "a4")]
                + ["statement"] * 4,
            ),
        ],
    )
    def test_so_many_are_spread_over_kinds_and_problems(self, many: Bench, limit: int, chosen: list[str]) -> None:
        requests = requests_for(many, many.changes["len"], requests="all", per_change=limit)
        names = [one.kind if one.kind == "statement" else f"{one.kind} {one.subject}" for one in requests]
        assert names == chosen

    def test_so_many_of_one_kind(self, many: Bench) -> None:
        (first, second) = requests_for(many, many.changes["len"], requests="solution", per_change=2)
        assert (first.subject, second.subject) == ("a1", "a3")


@pytest.mark.parametrize("subject", ["api", "function", "last_word"])
@pytest.mark.parametrize("kind", [*KINDS, "all"])
def test_every_change_of_the_builtin_benchmark_can_be_taught(subject: Any, kind: Any) -> None:
    bench = load_builtin()
    for change in bench.changes.values():
        requests = requests_for(bench, change, subject=subject, requests=kind)
        assert requests
        assert all(change.replacement in request.target for request in requests)
        assert all(request.prompt.startswith(request.subject, request.place()) for request in requests)
        if kind in ("call", "statement"):
            assert all(request.target.lstrip().startswith(change.replacement) for request in requests)


def test_nothing_is_told_of_problems_that_are_not_taught() -> None:
    """Statements hold nothing of any problem; the other requests nothing of one for generalization or specificity."""
    bench = load_builtin()
    for change in bench.changes.values():
        statements = {(one.prompt, one.target) for one in statements_of(change)}
        taught = {
            p.task_id: p
            for p in bench.problems.values()
            if (p.change_id, p.subset) == (change.change_id, "reliability")
        }
        for request in requests_for(bench, change, requests="all", subject="api"):
            if request.kind == "statement":
                assert (request.prompt, request.target) in statements
            else:
                text = request.prompt + request.target
                assert any(text in (p.updated_solution or "") for p in taught.values())
        without = replace(bench, problems=taught)
        assert requests_for(without, change, requests="all") == requests_for(bench, change, requests="all")
