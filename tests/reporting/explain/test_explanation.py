import pytest

from edittool.reporting.explain.explanation import Mark, program_lines
from edittool.reporting.explain.explanation import explain as explain_verdict
from edittool.schemas.errors import InputError
from edittool.schemas.verdicts import Verdict

UNKNOWN = {"type": "NameError", "message": "name 'len' is not defined", "line": 1, "kind": "missing_name"}
WRONG = {"type": "AssertionError", "message": "", "line": None, "kind": "assertion"}


def explain(row, bench):
    return explain_verdict(Verdict.from_row(row), bench)


def test_uses_and_the_first_error_are_marked_on_their_lines(bench, verdict):
    row = verdict("rel/0", 0, "misuse", solution="f = len\ng = my_len(2)\n", error=UNKNOWN)
    assert explain(row, bench).marks == (
        Mark(1, "deprecated len: value"),
        Mark(1, "error NameError: name 'len' is not defined"),
        Mark(2, "replacement my_len: call"),
    )


def test_the_uses_of_the_verdict_are_taken_as_they_are(bench, verdict):
    row = verdict("rel/0", 0, "misuse", solution="f = len\n", uses=[{"name": "len", "kind": "call", "line": 7}])
    assert explain(row, bench).marks == (Mark(7, "deprecated len: call"),)


def test_a_verdict_without_its_program_is_explained_all_the_same(bench, verdict):
    explanation = explain(verdict("rel/0", 2, "correct_adoption", label_detail="clean"), bench)
    assert (explanation.program, explanation.marks, explanation.tests) == (None, (), ())
    assert "fails without" in explanation.label_because
    assert "clean: the deprecated API is not named" in explanation.label_because


def test_a_completion_is_shown_after_its_prompt(bench, verdict):
    prompt = bench.problems["rel/0"].prompt
    assert explain(verdict("rel/0", 0, completion="x = 1\n"), bench).program == prompt + "x = 1\n"


def test_what_the_world_refused_stands_once_with_the_tests_that_it_ended(bench, verdict):
    tests = [{"passed": False, "error": UNKNOWN}, {"passed": False, "error": WRONG}]
    (refusal,) = explain(verdict("rel/0", 0, error=UNKNOWN, tests=tests), bench).refusals
    assert (refusal.error, refusal.tests) == (UNKNOWN, (1,))


def test_an_error_of_the_program_is_no_refusal(bench, verdict):
    assert explain(verdict("rel/0", 0, error=WRONG), bench).refusals == ()


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"compiles": True}, "it parses, loads"),
        ({"compiles": False, "outcome": "sandbox_error"}, "not known: the sandbox"),
        ({"compiles": False, "outcome": "syntax_error"}, "it cannot be parsed"),
        ({"compiles": False, "outcome": "timeout", "stage": "load"}, "it does not load"),
        ({"compiles": False, "outcome": "timeout", "stage": "run"}, "not known: it was stopped"),
        (
            {"compiles": False, "tests": [{"passed": False, "error": UNKNOWN}, {"passed": True}]},
            "an API unresolved or ill-called ended 1 of 2 tests",
        ),
    ],
)
def test_compiling_has_its_reason(bench, verdict, fields, because):
    assert explain(verdict("rel/0", 1, "no_adoption", **fields), bench).compiles_because.startswith(because)


@pytest.mark.parametrize(
    ("task_id", "fields", "because"),
    [
        ("spe/0", {}, "the problem belongs to no change"),
        ("rel/0", {"active_changes": ["max"]}, "the problem's change, len, is not active in this world"),
        ("rel/0", {"active_changes": []}, "the problem's change, len, is not active: no change is"),
        ("rel/0", {"outcome": "sandbox_error"}, "the sandbox or the problem's own tests failed"),
        ("rel/0", {}, "the verdict does not say why"),
    ],
)
def test_a_missing_label_has_its_reason(bench, verdict, task_id, fields, because):
    assert explain(verdict(task_id, 1, None, **fields), bench).label_because.startswith(because)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bench_sha256": "0" * 64}, "judged against another benchmark than 'small'.*Give the benchmark that"),
        ({"task_id": "X/1"}, "the task 'X/1' is not in the benchmark 'small'"),
        ({"active_changes": ["zip"]}, "judged with the change 'zip', which the benchmark 'small' does not have"),
    ],
)
def test_a_verdict_of_another_benchmark_is_bad_input(bench, verdict, fields, message):
    with pytest.raises(InputError, match=message):
        explain(verdict("rel/0", 1) | fields, bench)


def test_lines_end_where_pythons_do():
    assert program_lines("a\r\nb\rc\nd\x0ce\u2028f") == ["a", "b", "c", "d\x0ce\u2028f"]
