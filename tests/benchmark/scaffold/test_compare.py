"""Proposals from two versions of made-up packages."""

import pytest

from edittool.benchmark.scaffold.compare import compare

from .sources import read


@pytest.mark.parametrize(
    ("old", "new", "sort", "path", "replacements"),
    [
        ("def isvalid(x): pass", "def is_valid(x): pass", "gone", "lib.isvalid", ("lib.is_valid",)),
        (
            "class V:\n def isvalid(self): pass",
            "class W:\n def is_valid(self): pass\nV = W",
            "gone",
            "lib.V.isvalid",
            ("lib.W.is_valid",),
        ),
        (
            "def f():\n warn('Use `g` instead of `f`.', DeprecationWarning)\ndef g(): pass",
            "def g(): pass",
            "gone",
            "lib.f",
            ("lib.g",),
        ),
        (
            "def f(): pass",
            "@deprecated('use lib.A.g')\ndef f(): pass\nclass A:\n def g(self): pass",
            "deprecated",
            "lib.f",
            ("lib.A.g",),
        ),
        ("", "@deprecated('Use :func:`max`.')\ndef f(): pass", "deprecated", "lib.f", ("max",)),
    ],
)
def test_names_gone_and_deprecated(old, new, sort, path, replacements):
    (found,) = compare(read(old), read(new)).proposals
    assert (found.sort, found.deprecated, found.replacements) == (sort, path, replacements)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("a, b", "a", "b is gone"),
        ("a, b", "a, c", "b is called c"),
        ("a, b", "b, a", "another order: b, a"),
        ("a, b=1", "a, *, b=1", "b is given by name alone"),
        ("a", "a, b", "b is needed"),
        ("a, b=1", "a, c=1, b=1", "b stands further back"),
        ("a, b=1", "a, b", "b has no default any more"),
        ("*a", "", "*a is gone"),
        ("a", "a, b=1", None),
        ("a: int", "a: 'str' = 2", None),
        ("a, /", "b, /", None),
        ("*args, **kwargs", "a", None),
        ("a, b=1", "*args, **kwargs", None),
    ],
)
def test_signatures(old, new, why):
    found = compare(read(f"def f({old}): pass"), read(f"def f({new}): pass")).proposals
    assert [each.why for each in found] == ([] if why is None else [f"called in another way: {why}"])


def test_signatures_hold_no_annotations_and_short_values_only():
    (found,) = compare(read("def f(a: int, b='x'): pass"), read("def f(*, a: int, b=[1, 2]): pass")).proposals
    assert (found.old_signature, found.signature) == ("f(a, b='x')", "f(*, a, b=...)")


def test_a_path_that_moved_is_the_replacement_and_nothing_to_propose_is_told():
    old, new = read(a="def f(x): pass\ndef lost(): pass\n"), read(b="def f(x): pass\n")
    found = compare(old, new)
    assert [(each.deprecated, each.replacements) for each in found.proposals] == [("lib.a.f", ("lib.b.f",))]
    assert found.without == ("lib.a.lost",)


def test_the_most_certain_stands_first():
    old = read("def isvalid(a): pass\ndef f(a): pass\ndef gone():\n warn('use f', DeprecationWarning)\n")
    new = read("def is_valid(a): pass\ndef f(b): pass\n")
    assert [each.deprecated for each in compare(old, new).proposals] == ["lib.gone", "lib.isvalid", "lib.f"]
