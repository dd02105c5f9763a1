from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from edittool.reporting.printable import visible
from edittool.reporting.table.layout import MAX_TEXT
from edittool.reporting.write.markdown import escape, report_as_markdown

from ..reports import HOSTILE, METHOD, MODEL, chart, hostile_chart, hostile_table, report, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def inlines(text):
    return [token for token in PARSER.parse(text) if token.type == "inline"]


def texts(token):
    """Return what a reader sees of `token`, and fail where it is more than text and code."""
    assert {child.type for child in token.children} <= {"text", "code_inline"}, token.content
    return "".join(child.content for child in token.children)


def spaced(text):
    return " ".join(visible(text).split(" ")).split()


class TestEscape:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_hostile_text_is_shown_as_it_is(self, text):
        shown = [texts(token) for token in inlines(f"- {escape(text)}")]
        assert " ".join(shown).split() == spaced(text)

    @given(st.text(st.sampled_from("ab1.)-+=#*_`~<>[]()|\\!$&;: @/w\n\t") | st.characters()))
    def test_any_text_is_one_paragraph_that_shows_it(self, text):
        tokens = PARSER.parse(escape(text))
        assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
        assert [word for token in tokens if token.children for word in texts(token).split()] == spaced(text)

    @given(st.text(st.sampled_from("ab|\\`@. :/w") | st.characters()), st.text(st.characters()))
    def test_any_text_stays_in_its_cell(self, first, second):
        made = f"| x | y |\n| --- | --- |\n| {escape(first)} | {escape(second)} |"
        cells = [texts(token) for token in inlines(made)[2:]]
        assert [cell.split() for cell in cells] == [spaced(first), spaced(second)]

    @pytest.mark.parametrize(
        "text", ["see https://x.org/a_b|c", "www.x.org", "WWW.x.org", "me@x.org", "mailto:me@x.org"]
    )
    def test_addresses_are_code_which_no_renderer_makes_a_link_of(self, text):
        (token,) = inlines(escape(text))
        assert all("x.org" not in child.content for child in token.children if child.type == "text")

    def test_plain_names_are_left_alone(self):
        assert escape("codellama/CodeLlama-7b pass@1 (os.path.join)") == "codellama/CodeLlama-7b pass@1 (os.path.join)"


def test_the_report_has_its_tables_and_links_to_its_files():
    text = report_as_markdown(report())
    assert "## RQ1: how robust are models after one edit?" in text
    assert "| ft | 1 | 100.0 [100.0, 100.0] | -4.5 [-9.0, 0.0] | &lt;0.001 |" in text
    assert "![They fall.](figures/the_bars.svg)" in text
    assert "[tables/rates.csv](tables/rates.csv)" in text
    assert "model tiny" in text
    assert "- One note." in text


def test_a_hostile_report_has_no_more_structure_than_another():
    shape = [
        [token.type for token in PARSER.parse(report_as_markdown(made)) if token.type != "text"]
        for made in (
            report((hostile_table(),), (hostile_chart("bars"),), name=HOSTILE[12], notes=HOSTILE[:-1]),
            report((plain_table(),), (chart("bars"),), notes=("x",) * (len(HOSTILE) - 1)),
        )
    ]
    assert shape[0] == shape[1]
    links = [
        child.attrs
        for token in inlines(report_as_markdown(report((hostile_table(),), ())))
        for child in token.children
        if child.type in ("link_open", "image")
    ]
    assert links == [{"href": "tables/hostile.csv"}]


def plain_table():
    made = hostile_table()
    rows = tuple({**row, "model": "m", "method": f"method{i}"} for i, row in enumerate(made.rows))
    return replace(made, title="Pass rates", rows=rows, notes=("x",) * (len(HOSTILE) - 1))


def test_long_names_are_cut():
    (long,) = [text for text in HOSTILE if len(text) > 200]
    text = report_as_markdown(report((table((MODEL, METHOD), ((long, "a"), ("b", "c"))),)))
    assert f"| {long[: MAX_TEXT - 1]}… | a |" in text
