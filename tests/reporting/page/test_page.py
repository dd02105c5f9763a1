"""The page: nothing in it is markup but its own, nothing runs but its own, and equal input gives equal bytes."""

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from edittool.reporting.page.bodies import Bodies
from edittool.reporting.page.packing import unpack
from edittool.reporting.page.page import SCRIPTS, page_parts, write_page
from edittool.reporting.read.verdict_frame import observe
from edittool.schemas.errors import EnvironmentFault

from .pages import ATTACK, HOSTILE_MODEL, HOSTILE_TASK

DATA = "application/octet-stream"


class Outline(HTMLParser):
    """What a browser sees: elements, their attributes, and the text of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.blocks, self.open = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.open = (tag, dict(attrs), [])

    def handle_data(self, data):
        if self.open:
            self.open[2].append(data)

    def handle_endtag(self, tag):
        if self.open and tag == self.open[0]:
            self.blocks.append((tag, self.open[1], "".join(self.open[2])))
            self.open = None


@pytest.fixture(scope="module")
def text(made):
    return made.path.read_text("ascii")


@pytest.fixture(scope="module")
def outline(text):
    return Outline(text)


def policy(outline):
    (content,) = [
        attributes["content"]
        for tag, attributes in outline.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    return {name: values for name, *values in (rule.split() for rule in content.split(";"))}


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def data(outline, name):
    (block,) = [text for _tag, attributes, text in outline.blocks if attributes.get("id") == name]
    return unpack(block)


def test_the_policy_allows_these_scripts_and_styles_and_no_others(outline):
    plotly = data(outline, "data-plotly").decode()
    scripts = [text for tag, attributes, text in outline.blocks if tag == "script" and "type" not in attributes]
    styles = [text for tag, _attributes, text in outline.blocks if tag == "style"]
    assert policy(outline)["script-src"] == [digest(script) for script in (*scripts, plotly)]
    assert policy(outline)["style-src"] == [digest(style) for style in (*styles, "")]


def test_the_policy_forbids_everything_else(outline):
    rules = policy(outline)
    none = ("default-src", "connect-src", "base-uri", "form-action")
    assert [rules[name] for name in none] == [["'none'"]] * len(none)
    assert not any("unsafe" in value for values in rules.values() for value in values)


def test_no_element_comes_from_a_file(outline):
    tags = Counter(tag for tag, _attributes in outline.elements)
    assert not tags.keys() & {"img", "iframe", "b", "link", "object", "embed", "base", "form"}
    own = [attributes for tag, attributes in outline.elements if tag == "script" and attributes.get("type") != DATA]
    assert own == [{}]


def test_no_attribute_runs_or_loads_anything(outline):
    names = {name for _tag, attributes in outline.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "srcset", "action")]
    assert all(attributes["href"].startswith("#") for tag, attributes in outline.elements if tag == "a")


def test_links_within_the_page_lead_somewhere(outline):
    ids = [attributes["id"] for _tag, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for tag, attributes in outline.elements if tag == "a"} <= set(ids)


def test_hostile_names_are_shown_as_they_are(text):
    assert ATTACK not in text
    assert "&lt;b&gt;=cmd()&lt;/b&gt;" in text
    assert "\x00" not in text
    assert HOSTILE_MODEL not in text


def test_data_blocks_hold_nothing_but_base64(outline):
    blocks = [text for _tag, attributes, text in outline.blocks if attributes.get("type") == DATA]
    assert len(blocks) >= 6
    assert all(re.fullmatch(r"[A-Za-z0-9+/]+=*", block) for block in blocks)


def test_every_problem_and_body_is_in_the_page(outline, made):
    def shards(name):
        return [json.loads(unpack(text)) for _tag, attributes, text in outline.blocks if name in attributes]

    problems = [problem["task"] for shard in shards("data-problems") for problem in shard]
    bodies = [body["facts"]["sample_id"] for shard in shards("data-bodies") for body in shard]
    assert problems == list(made.observations.bench.problems)
    assert HOSTILE_TASK in problems
    assert bodies == [verdict.sample_id for verdict in made.verdicts]


def test_every_table_and_chart_is_in_the_page(outline, made):
    ids = {attributes.get("id") for _tag, attributes in outline.elements}
    assert {f"table-{table.name}" for table in made.report.tables} <= ids
    assert json.loads(data(outline, "data-figures")).keys() == {chart.name for chart in made.report.charts}


def test_equal_input_gives_equal_bytes(made, text):
    again = Bodies()
    observations = observe(made.observations.bench, made.verdicts, again.add)
    assert "".join(page_parts(made.report, observations, again)) == text


def test_scripts_and_style_are_plain_and_cannot_end_their_element():
    folder = files("edittool.reporting.page")
    for name in ("page.css", *(f"scripts/{script}" for script in SCRIPTS)):
        source = folder.joinpath(name).read_text("ascii")
        for forbidden in ("</s", "<!--", "innerHTML", "insertAdjacentHTML", "eval(", "\r"):
            assert forbidden not in source, f"{forbidden!r} in {name}"


def test_a_folder_that_cannot_be_written_is_said(made, tmp_path):
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_page(tmp_path / "missing" / "report.html", made.report, made.observations, Bodies())
