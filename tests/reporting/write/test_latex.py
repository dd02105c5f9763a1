r"""The LaTeX of tables is held against a grammar of its own: what it allows is all that a table may use.

It knows no macro but those named here, no active character below 128, nothing that cannot be seen, and counts the
cells of every row.
"""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.printable import INVISIBLE
from edittool.reporting.table.table import Column, Estimate
from edittool.reporting.write.latex import COLUMN_WIDTH, MAX_LINES, escape, table_as_latex

from ..reports import FULL, METHOD, MODEL, STEP, hostile_table, table

TEXT_MACROS = {
    "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textless": "<", "textgreater": ">",
    "textbar": "|",
}  # fmt: skip
MATH = {"-", "+", "<"}
TOKEN = re.compile(
    r"\\char(?P<code>34|96)\{\}|\\(?P<word>[A-Za-z]+)\{\}|\\(?P<sign>[{}$&#_%])|\$(?P<math>[^$]*)\$|(?P<plain>.)",
    re.DOTALL,
)
HIDDEN = {chr(code) for first, last in INVISIBLE for code in range(first, last + 1)}


def check_text(text):
    """Fail where `text` is more than text, or hides some of it; return what it sets."""
    depth, out, matches = 0, "", list(TOKEN.finditer(text))
    assert "".join(match[0] for match in matches) == text
    for match in matches:
        if match["code"]:
            out += chr(int(match["code"]))
        elif match["word"]:
            assert match["word"] in TEXT_MACROS, match[0]
            out += TEXT_MACROS[match["word"]]
        elif match["sign"]:
            out += match["sign"]
        elif match["math"] is not None:
            assert match["math"] in MATH, match[0]
            out += match["math"]
        else:
            plain = match["plain"]
            assert plain not in '\\$&#_%^~"`<>|', match[0]
            assert plain.isprintable()
            assert plain not in HIDDEN
            depth += {"{": 1, "}": -1}.get(plain, 0)
            assert depth >= 0
            out += plain.strip("{}")
    assert depth == 0, text
    return out


NESTED = re.compile(r"\\begin\{tabular\}\[[bt]\]\{@\{\}[lr]@\{\}\}(.*?)\\end\{tabular\}")


def check_row(line, columns):
    r"""Fail unless `line` is a row of `columns` cells; a cell may hold lines of its own, between `\\`."""
    assert line.endswith(r" \\"), line
    body = NESTED.sub(lambda match: "".join(map(checked, re.split(r" \\\\ ", match[1]))), line[: -len(r" \\")])
    cells = re.split(r"(?<!\\)&", body)
    assert len(cells) == columns, line
    for cell in cells:
        checked(cell.strip())


def checked(cell):
    assert not cell.startswith(("[", "*")), cell  # an argument of the end of the row before
    check_text(cell)
    return ""


def check_document(text):
    r"""Fail unless `text` is floats with a caption and tabulars of whole rows; return the number of floats."""
    text.encode("utf-8")
    comment, *lines = text.removesuffix("\n").split("\n")
    assert comment == r"% Needs \usepackage{booktabs}."
    floats, environment, columns = 0, None, None
    for line in lines:
        if match := re.fullmatch(r"\\begin\{(table\*?)\}\[tbp\]", line):
            assert environment is None
            environment, floats = match[1], floats + 1
        elif match := re.fullmatch(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", line):
            assert environment
            assert columns is None
            columns = len(match[1])
        elif line == r"\end{tabular}":
            assert columns
            columns = None
        elif line == rf"\end{{{environment}}}":
            environment = None
        elif match := re.fullmatch(r"\\caption\{(.*)\}", line):
            check_text(match[1])
        elif columns:
            assert line in (r"\toprule", r"\midrule", r"\bottomrule") or check_row(line, columns) is None
        else:
            assert line in ("", r"\centering\small\setlength{\tabcolsep}{4pt}", r"\par\medskip") or re.fullmatch(
                r"\\label\{tab:[a-z0-9_-]+\}", line
            ), line
    assert environment is columns is None
    return floats


class TestEscape:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("\\input{x}", r"\textbackslash{}input\{x\}"),
            ("50 % of a_b & c#1 $x^2$", r"50 \% of a\_b \& c\#1 \$x\textasciicircum{}2\$"),
            ("a--b", "a-{}-b"),
            ("[4pt] [x]", "{[}4pt] [x]"),
            ("*", "{*}"),
            ("café Ångström ≥ 5 · 2…", "café Ångström ≥ 5 · 2…"),
            ("cafe\u0301", "café"),
            ("\u4e2d\u6587 \U0001f600", "\u4e2d\u6587 \U0001f600"),
            ("\x1b\u202e", r"\textbackslash{}x1b\textbackslash{}u202e"),
            ("a\ufe0fb\u3164c", r"a\textbackslash{}ufe0fb\textbackslash{}u3164c"),
            ("\ud800", r"\textbackslash{}ud800"),
            ("a\nb", r"a\textbackslash{}nb"),
        ],
    )
    def test_sets_a_text_as_it_is(self, text, shown):
        assert escape(text) == shown

    @given(st.text(st.characters()) | st.text(st.sampled_from("\\{}$&#_%~^\"`'-,?![]*<>|é\u4e2d a")))
    def test_any_text_is_text_and_nothing_else(self, text):
        assert not escape(text).startswith(("[", "*"))
        check_text(escape(text))

    @given(st.text(st.sampled_from("ab\\{}$&#_%~^<>|\"`'-,?![]*() é\u4e2d≥")))
    def test_every_printable_sign_is_set(self, text):
        assert check_text(escape(text)) == text.strip()

    @given(st.text(st.characters(exclude_categories=["C", "Z", "M"], exclude_characters="\u115f\u1160\u3164\uffa0")))
    def test_letters_of_all_scripts_are_set(self, text):
        assert check_text(escape(text)) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    "bad",
    [
        *(r"\input{x}", "\\", r"\'{e}", r"\char92{}", r"\ldots{}", "$x$", "x^2", "a_b", "\u202e", "\ufe0f", "\x1b"),
        *"${}%#&~<>|",
    ],
)
def test_the_grammar_is_strict(bad):
    with pytest.raises(AssertionError):
        check_text(bad)


def test_a_table_is_one_float_with_rules_caption_and_label():
    text = table_as_latex(table())
    assert check_document(text) == 1
    assert r"\caption{Pass rates. Model tiny. A note.}" in text
    assert r"\label{tab:rates}" in text
    assert r"ft & 1 & 100.0 [100.0, 100.0] & $-$4.5 [$-$9.0, 0.0] & $<$0.001 \\" in text
    assert r" & 2 & - & $+$4.5 & 0.012 \\" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


def test_hostile_names_break_nothing():
    assert check_document(table_as_latex(hostile_table())) == 1


@given(st.lists(st.tuples(st.text(st.characters()), st.text(st.characters())), max_size=4), st.text(st.characters()))
def test_any_names_break_nothing(rows, title):
    check_document(table_as_latex(table((MODEL, METHOD), tuple(rows), title=title, notes=(title,))))


def test_text_in_a_column_of_numbers_is_escaped_too():
    text = table_as_latex(table((METHOD, STEP), (("a", "\\input{x}"), ("b", 2))))
    assert check_document(text) == 1
    assert r"\textbackslash{}input\{x\}" in text


def test_a_narrow_table_takes_one_column_of_the_page_and_a_wide_one_both():
    several = tuple(Column(f"full_{i}", f"full {i}", "percent", "X.", interval=True) for i in range(9))
    rows = tuple((method, *[Estimate(1.0, 0.5, 1.0)] * 9) for method in ("ft", "rome"))
    wide, narrow = table_as_latex(table((METHOD, *several), rows)), table_as_latex(table((METHOD, FULL), ()))
    assert check_document(wide) == check_document(narrow) == 1
    assert r"\begin{table*}" in wide
    assert wide.count(r"\begin{tabular}") == 3
    assert r"\begin{table}" in narrow
    assert COLUMN_WIDTH < 100


def test_a_long_table_goes_on_in_further_floats_that_name_its_rows():
    rows = tuple((method, step, Estimate(0.5)) for method in ("ft", "rome") for step in range(30))
    text = table_as_latex(table((METHOD, STEP, FULL), rows))
    assert check_document(text) == 2
    assert "Part 2 of 2." in text
    assert text.count(r"\label") == 1
    assert rf"rome & {MAX_LINES - 30} &" in text


def test_rows_of_several_lines_take_their_room_on_the_page():
    rows = tuple((f"{row:02}" + "x" * 70, row) for row in range(30))
    assert check_document(table_as_latex(table((METHOD, STEP), rows))) == 2


def test_a_table_without_rows_says_so():
    assert "Nothing to show." in table_as_latex(table(rows=()))
