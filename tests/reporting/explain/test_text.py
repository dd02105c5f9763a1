import pytest

from edittool.cli.shared.console import plain
from edittool.reporting.explain.explanation import explain
from edittool.reporting.explain.text import render_explanation
from edittool.schemas.verdicts import Verdict

EVIL = "\x1b[2J\nlabel         correct_adoption"
ERROR = {"type": EVIL, "message": EVIL, "line": 9, "kind": "missing_name"}


@pytest.fixture
def lines(bench):
    """Return a function that gives the lines that explain a verdict."""

    def render(verdict):
        return [line.plain for line in render_explanation(explain(Verdict.from_row(verdict), bench), plain)]

    return render


def test_no_text_of_a_verdict_steers_the_terminal_or_makes_a_line_of_its_own(lines, verdict):
    hostile = verdict(
        "rel/0",
        0,
        "misuse",
        **dict.fromkeys(("model", "method", "regime", "label_detail", "disagreement", "image"), EVIL),
        solution=f"'{EVIL}'\n",
        output=EVIL,
        error=ERROR,
        tests=[{"passed": False, "error": ERROR}] * 2,
        calls={EVIL: 1},
        bypass=[EVIL],
        limits={EVIL: EVIL},
        edited=[EVIL],
    )
    shown = lines(hostile)
    assert not any(c in line for line in shown for c in "\x1b\n\r")
    assert [line for line in shown if line.lstrip().startswith("label")] == [
        "  label         misuse: did not pass, and names or called the replacement"
    ]


def test_lines_of_the_program_are_numbered_and_remarks_stand_below_them(lines, verdict):
    shown = lines(
        verdict("rel/0", 0, "misuse", solution="x = 1\nlen(x)\n\n", error=ERROR | {"type": "E", "message": "m"})
    )
    start = shown.index("program")
    assert shown[start : start + 6] == [
        "program",
        "    1 | x = 1",
        "    2 | len(x)",
        "      ^ deprecated len: call",
        "    3 | ",
        "      ^ line 9, past the end: error E: m",
    ]


def test_tests_that_did_not_run_are_told_from_those_that_failed(lines, verdict):
    tests = [{"passed": False, "error": None}, {"passed": False, "error": ERROR | {"type": "E", "message": "m"}}]
    shown = lines(verdict("rel/0", 0, "misuse", tests=tests))
    start = shown.index("tests")
    assert shown[start + 1 : start + 6] == [
        "  1: did not run",
        "      | f(0)",
        "  2: failed",
        "      | f(1)",
        "      E: m (missing_name, line 9)",
    ]


def test_a_part_without_content_has_no_heading(lines, verdict):
    shown = lines(verdict("spe/0", 2))
    assert [line for line in shown if not line.startswith(" ")] == ["sample", "world", "verdict", "program"]
    assert "  no change is active" in shown
    assert "  the verdict does not carry it" in shown


@pytest.mark.parametrize("active", [["len"], ["max"], []])
def test_a_world_is_said_to_refuse_only_what_its_changes_removed_or_brought(lines, verdict, active):
    kinds = {"missing_name": "name 'len' is not defined", "missing_entry_point": "the program does not define 'len'"}
    tests = [
        {"passed": False, "error": {"type": "NameError", "message": message, "line": None, "kind": kind}}
        for kind, message in kinds.items()
    ]
    shown = lines(verdict("rel/0", 0, None, tests=tests, active_changes=active))
    headings = [line for line in shown if line in ("refused by the world", "unresolved or ill-called")]
    assert headings == (["refused by the world"] if active == ["len"] else []) + ["unresolved or ill-called"]
    if not active:
        assert [line for line in shown if "world" in line] == ["world"]
