from importlib.resources import files

import pytest

from edittool.analysis.tree.patterns import matches
from edittool.analysis.tree.syntax import parse, text_of

QUERIES = [entry.name.removesuffix(".scm") for entry in files("edittool.analysis.tree").joinpath("queries").iterdir()]


def told(query, program, *way):
    node = parse(program)
    for index in way:
        node = node.named_children[index]
    return [(kind, {part: text_of(found) for part, found in parts.items()}) for kind, parts in matches(query, node)]


def test_a_link_says_what_it_is_applied_to_and_how():
    assert told("chains", "a.b(c)", 0, 0) == [("call", {"inner": "a.b", "what": "(c)"})]
    assert told("chains", "a.b[c, d]", 0, 0) == [("item", {"inner": "a.b"})]
    assert told("chains", "a.b", 0, 0) == [("attribute", {"inner": "a", "what": "b"})]


def test_each_name_of_an_import_is_told():
    assert told("imports", "import a.b, c as d", 0) == [
        ("module", {"path": "a.b", "first": "a"}),
        ("module", {"path": "c", "alias": "d"}),
    ]
    assert told("imports", "from a.b import c as d, e", 0) == [
        ("source", {"module": "a.b"}),
        ("member", {"module": "a.b", "path": "c", "alias": "d"}),
        ("member", {"module": "a.b", "path": "e"}),
    ]
    assert ("star", {"module": "a"}) in told("imports", "from a import *", 0)


def test_an_annotation_without_a_value_binds_nothing():
    assert told("bindings", "x: int", 0, 0) == []
    assert told("bindings", "x: int = 3", 0, 0) == [("assignment", {"target": "x", "value": "3"})]


def test_parameters_are_taken_apart():
    assert told("parameters", "def f(a: int = 3): pass", 0, 1, 0) == [
        ("typed default", {"name": "a", "annotation": "int", "default": "3"})
    ]


@pytest.mark.parametrize("query", QUERIES)
def test_only_the_node_itself_is_compared(query):
    assert told(query, "import a\nx = a.b(c)\nfor x in y: z += 1\ndef f(a=1): pass") == []


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.timeout(20)
def test_deep_nodes_take_no_longer_for_what_is_in_them(query):
    node = parse("a" + ".b()" * 20_000).named_children[0].named_children[0]
    for _ in range(2_000):
        matches(query, node)
