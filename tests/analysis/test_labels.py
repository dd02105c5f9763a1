import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.analysis.labels import (
    MAX_READ,
    MAX_USE_ROWS,
    RULES,
    Labelling,
    label_program,
    program_uses,
)
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem
from edittool.schemas.verdicts import DETAILS_IN_WORDS, LABELS, STOPPED

CASES = tomllib.loads(Path(__file__).with_name("label_cases.toml").read_text(encoding="utf-8"))["case"]
OUTCOMES = ("timeout", "out_of_memory", "output_limit", "crashed", "syntax_error", "load_error", "failed", "partial")


def change_of(names, kind=None):
    deprecated, replacement = names.split()
    return Change(deprecated, deprecated, replacement, "packed", "(xs)", "def shim(xs): ...", "doc", kind=kind)


def error(kind, message="", line=None):
    return kind and {"type": "Error", "message": message, "line": line, "kind": kind}


def problem_of(reference):
    return Problem("own/f", "", "f", reference, None, (), "reliability", "len")


LEN = change_of("len my_builtin_len")


def test_labels(subtests):
    for case in CASES:
        with subtests.test(case["name"]):
            has_its_label(case)


def has_its_label(case):
    outcome = case.get("outcome", "passed")
    found = label_program(
        case["program"],
        change_of(case.get("change", "len my_builtin_len"), case.get("kind")),
        passed=outcome == "passed",
        calls=case.get("calls", 0),
        outcome=outcome,
        error=error(case.get("error"), case.get("message", ""), case.get("line")),
        problem=problem_of(case["reference"]) if "reference" in case else None,
        bypass=case.get("bypass", ()),
        needed=case.get("needed"),
        rebound=case.get("rebound", False),
    )
    assert f"{found.label} {found.detail}" == case["label"]
    assert (found.disagreement is not None) is case.get("disagrees", False)


def test_cases_cover_every_label_and_each_stands_once():
    assert {case["label"].split()[0] for case in CASES} == set(LABELS)
    assert len({case["name"] for case in CASES}) == len(CASES) >= 60


def test_the_words_cover_what_the_cases_reach_and_hold_no_detail_that_no_rule_gives():
    reached = {tuple(case["label"].split()) for case in CASES}
    in_words = {(label, detail) for label, details in DETAILS_IN_WORDS.items() for detail in details}
    assert reached <= in_words
    assert {detail for _, detail in in_words - reached} <= set(STOPPED)  # by rules of one form: cases reach some


def test_the_words_stand_in_the_order_of_the_rules():
    in_order = dict.fromkeys((rule.label, rule.detail) for rule in RULES)
    assert list(in_order) == [(label, detail) for label, details in DETAILS_IN_WORDS.items() for detail in details]


def test_cases_that_claim_to_run_are_python():
    for case in CASES:
        if case.get("outcome") != "syntax_error":
            compile(case["program"], case["name"], "exec")


def test_a_failed_sandbox_gives_no_label():
    found = label_program("len(x)", LEN, passed=False, calls=0, outcome="sandbox_error", error=error("sandbox"))
    assert found == Labelling(None, None, None)


def test_disagreement_names_the_count_and_the_replacement():
    found = label_program("f = 3", LEN, passed=True, calls=7, outcome="passed", error=None)
    assert found.disagreement == "7 calls of my_builtin_len were counted, but the program never names it."


@given(
    st.text() | st.sampled_from([case["program"] for case in CASES]),
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from(OUTCOMES),
    st.sampled_from([None, "bad_call", "syntax", "missing_import"]),
)
def test_every_program_gets_a_label_that_follows_from_passing(program, passed, calls, outcome, error_kind):
    outcome = "passed" if passed else outcome
    found = label_program(program, LEN, passed=passed, calls=calls, outcome=outcome, error=error(error_kind))
    assert found.label in ({"correct_adoption", "workaround"} if passed else {"misuse", "no_adoption"})
    assert found.detail in DETAILS_IN_WORDS[found.label]
    assert calls == 0 or found.label != "no_adoption"
    assert calls > 0 or found.label != "correct_adoption"


OWN = {
    "parameter": "def f(xs, my_builtin_len=lambda v: 3):\n    return my_builtin_len(xs)",
    "method": "class A:\n    def my_builtin_len(self): return 3\ndef f(xs):\n    return A().my_builtin_len()",
    "walrus": "def f(xs):\n    return (my_builtin_len := (lambda v: 3))(xs)",
}


@pytest.mark.parametrize("program", OWN.values(), ids=OWN)
def test_without_a_counted_call_a_name_of_the_programs_own_is_a_redefinition(program):
    passed = label_program(program, LEN, passed=True, calls=0, outcome="passed", error=None)
    failed = label_program(program, LEN, passed=False, calls=0, outcome="failed", error=error("assertion"))
    called = label_program(program, LEN, passed=True, calls=1, outcome="passed", error=None)
    assert (passed.label, passed.detail) == ("workaround", "redefinition")
    assert (failed.label, failed.detail) == ("misuse", "redefinition")
    assert called.label == "correct_adoption"  # the own one stands beside it


def test_uses_as_rows():
    assert program_uses("n = len(x)\nmy_builtin_len(y)\nprint(n)", LEN) == (
        {"name": "len", "kind": "call", "line": 1},
        {"name": "my_builtin_len", "kind": "call", "line": 2},
    )


def test_rows_of_uses_are_bounded():
    assert len(program_uses("len(x)\n" * (MAX_USE_ROWS + 1), LEN)) == MAX_USE_ROWS


def test_what_is_longer_than_any_answer_is_read_in_part():
    early, late = f"{LEN.replacement}(value=x)\n", f"{LEN.deprecated}(x)\n"
    program = early + "#" * MAX_READ + "\n" + late
    found = label_program(program, LEN, passed=False, calls=0, outcome="failed", error=error("exception"))
    assert [use["name"] for use in found.uses] == [LEN.replacement]
    assert found.uses == program_uses(program, LEN)
