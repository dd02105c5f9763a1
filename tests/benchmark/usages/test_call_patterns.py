"""How single calls are rewritten, and which ones cannot be."""

import ast

import pytest

from edittool.analysis.rewriting.call_rewrites import Argument, OldCall, Refusal
from edittool.benchmark.usages.designs import designs

REWRITTEN = {
    ("len", "keyword_only", "len(xs)"): "my_builtin_len(obj=xs)",
    ("len", "packed", "len(xs)"): "my_builtin_len([xs])",
    ("range", "keyword_only", "range(n)"): "my_builtin_range(stop=n)",
    ("range", "keyword_only", "range(1, n)"): "my_builtin_range(start=1, stop=n)",
    ("range", "keyword_only", "range(n, 0, -1)"): "my_builtin_range(start=n, stop=0, step=-1)",
    ("range", "packed", "range(*xs)"): "my_builtin_range([*xs])",
    ("max", "keyword_only", "max(a, b)"): "my_builtin_max(values=[a, b])",
    ("max", "keyword_only", "max(xs)"): "my_builtin_max(values=xs)",
    ("max", "keyword_only", "max(xs, key=f)"): "my_builtin_max(values=xs, key=f)",
    ("max", "keyword_only", "max(*xs)"): "my_builtin_max(values=[*xs])",
    ("max", "keyword_only", "max(a, *xs, key=f)"): "my_builtin_max(values=[a, *xs], key=f)",
    ("max", "keyword_only", "max(xs, **kw)"): "my_builtin_max(values=xs, **kw)",
    ("max", "keyword_only", "max((x for x in xs))"): "my_builtin_max(values=(x for x in xs))",
    ("print", "keyword_only", "print()"): "my_builtin_print()",
    ("print", "keyword_only", "print(a, b, end=c)"): "my_builtin_print(values=[a, b], end=c)",
    ("list", "packed", "list()"): "my_builtin_list([])",
    ("list", "packed", "list((x for x in xs))"): "my_builtin_list([(x for x in xs)])",
    ("dict", "keyword_only", "dict(xs, a=1)"): 'my_builtin_dict(items=xs, entries={"a": 1})',
    ("dict", "keyword_only", "dict(items=1, **kw)"): 'my_builtin_dict(entries={"items": 1, **kw})',
    ("dict", "keyword_only", "dict(**kw, a=1)"): 'my_builtin_dict(entries={**kw, "a": 1})',
    ("dict", "packed", "dict(a=1, **kw)"): "my_builtin_dict([], a=1, **kw)",
    ("re.sub", "reordered", "re.sub(a, b, c)"): "my_re_sub(c, a, repl=b)",
    ("re.sub", "reordered", "re.sub(a, b, c, 1)"): "my_re_sub(c, a, repl=b, count=1)",
    ("re.sub", "reordered", "re.sub(a, string=c, repl=b)"): "my_re_sub(c, a, repl=b)",
    ("re.sub", "packed", "re.sub(a, b, c, flags=f)"): "my_re_sub([a, b, c], flags=f)",
    ("re.sub", "packed", "re.sub(a, string=c, repl=b)"): "my_re_sub([a, b, c])",
    ("re.sub", "packed", "re.sub(a, b, c, **kw)"): "my_re_sub([a, b, c], **kw)",
    ("re.sub", "packed", "re.sub(*xs, count=1)"): "my_re_sub([*xs], count=1)",
    ("str.split", "function", "text.split(',')"): "my_str_split(text, ',')",
    ("str.split", "function", "str.split(text, maxsplit=1)"): "my_str_split(text, maxsplit=1)",
    ("str.split", "keyword_only", "text.split(',')"): "my_str_split(string=text, sep=',')",
    ("str.split", "packed", "text.split(sep=',')"): "my_str_split([text], sep=',')",
    ("str.join", "reordered", "','.join(xs)"): "my_str_join(xs, separator=',')",
    ("set.union", "function", "a.union(b, *xs)"): "my_set_union(a, b, *xs)",
    ("set.union", "keyword_only", "a.union(b, *xs)"): "my_set_union(collection=a, others=[b, *xs])",
    ("set.union", "function", "set.union(*xs)"): "my_set_union(*xs)",
    ("str.replace", "function", "text.replace(*pair)"): "my_str_replace(text, *pair)",
    ("str.format", "function", "a.format(b, c=d, **kw)"): "my_str_format(a, b, c=d, **kw)",
    ("math.pi", "function", "pi()"): "my_math_pi()",
}

REFUSED = {
    ("len", "keyword_only", "len()"): "it cannot take these",
    ("len", "keyword_only", "len(obj=xs)"): "it cannot take these",
    ("len", "keyword_only", "len(*xs)"): r"its \* could stand for any of them",
    ("len", "packed", "len(a, b)"): "it cannot take these",
    ("range", "keyword_only", "range(1, *xs)"): r"its \* could",
    ("max", "keyword_only", "max(a, b, default=0)"): "it cannot take these",
    ("re.sub", "reordered", "re.sub(a, **kw)"): r"its \*\* could",
    ("re.sub", "packed", "re.sub(*xs, string=c)"): "gives a required argument by keyword after a starred one",
    ("str.replace", "reordered", "text.replace(*pair)"): r"its \* could",
    ("json.dumps", "keyword_only", "json.dumps(a, **kw)"): r"its \*\* could",
    ("dict.fromkeys", "packed", "{}.fromkeys(a)"): "takes no object",
}


def convention(api, usage):
    return next(design.convention for design in designs(api) if design.change.usage == usage)


@pytest.mark.parametrize(("api", "usage", "text"), REWRITTEN)
def test_call_becomes(api, usage, text):
    assert convention(api, usage).rewrite(read_call(api, text)) == REWRITTEN[api, usage, text]


@pytest.mark.parametrize(("api", "usage", "text"), REFUSED)
def test_call_that_cannot_be_told_apart_is_refused(api, usage, text):
    with pytest.raises(Refusal, match=REFUSED[api, usage, text]) as raised:
        convention(api, usage).rewrite(read_call(api, text))
    assert raised.value.reason == "arguments"


def test_value_stays_a_value_for_constants_alone():
    assert convention("math.pi", "function").value(None) == "my_math_pi()"
    assert convention("math.pi", "function").rewrite(OldCall(None, ())) == "my_math_pi()"
    assert convention("len", "packed").value(None) is None
    assert convention("str.split", "function").value("text") is None


def read_call(api, text):
    """Return the call that `text` is."""
    call = ast.parse(text, mode="eval").body
    positional = [
        Argument(ast.unparse(one.value), splat="*") if isinstance(one, ast.Starred) else Argument(ast.unparse(one))
        for one in call.args
    ]
    named = [
        Argument(ast.unparse(one.value), one.arg) if one.arg else Argument(ast.unparse(one.value), splat="**")
        for one in call.keywords
    ]
    is_bound = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) != api
    return OldCall(ast.unparse(call.func.value) if is_bound else None, (*positional, *named))
