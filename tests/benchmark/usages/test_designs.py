"""Usage changes: the rewritten call does what the old one did, and the shim refuses the old convention as foretold."""

import ast
import builtins
import keyword
import random
from functools import cache
from inspect import Parameter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.analysis.conventions import Argument, OldCall
from edittool.benchmark.usages.apis import UnchangeableApiError, find_api
from edittool.benchmark.usages.designs import designs, replacement_name
from edittool.benchmark.usages.signatures import ABSENT, POSITIONAL, signature_of, table
from edittool.sandbox_images.python.world import World

from .signature_examples import EXAMPLES, SCOPE, UNSTEADY, example_values, outcome


@cache
def designs_of(api):
    return designs(api)


def usages(api):
    return {design.change.usage: design for design in designs_of(api)}


@cache
def shim_of(design_api, usage):
    """Return the replacement as a candidate gets it."""
    change = usages(design_api)[usage].change
    return World([change.to_row()]).builtins[change.replacement]


# Old calls


@st.composite
def old_calls(draw, api, texts):
    """Draw a valid call of `api` with the example's values; `texts` says under which text each stands."""
    signature, values = signature_of(find_api(api)), example_values(api)
    arguments, open_places, by_keyword = [], True, False
    for parameter in draw(st.sampled_from(signature.calls)).parameters.values():
        kind = parameter.kind
        if kind is Parameter.VAR_POSITIONAL:
            arguments += draw(starred(values, parameter.name, texts)) if open_places and not by_keyword else []
        elif kind is Parameter.VAR_KEYWORD:
            chosen = values.get(parameter.name, {}).items() if draw(st.booleans()) else ()
            arguments += [Argument(texts(text), name) for name, text in chosen]
        elif parameter.default is not Parameter.empty and draw(st.booleans()):
            open_places = open_places and kind not in POSITIONAL
        elif kind is Parameter.KEYWORD_ONLY or (kind is POSITIONAL[1] and (by_keyword or not open_places)):
            arguments.append(Argument(texts(values[parameter.name]), parameter.name))
        elif open_places and not by_keyword:
            by_keyword = kind is POSITIONAL[1] and draw(st.booleans())
            arguments.append(Argument(texts(values[parameter.name]), parameter.name if by_keyword else None))
    return OldCall(None, tuple(arguments))


@st.composite
def starred(draw, values, name, texts):
    known = values.get(name, ())
    known = known if isinstance(known, tuple) else (known, known)
    if draw(st.booleans()):
        return [Argument(texts(f"[{', '.join(known)}]"), splat="*")]
    return [Argument(texts(text)) for text in known]


def bound(call):
    """Return the call of a method on its object, where its first argument is plainly the object."""
    first, *others = call.arguments
    return OldCall(first.text, tuple(others))


def old_text(api, call):
    written = ", ".join(f"{one.keyword}={one.text}" if one.keyword else one.splat + one.text for one in call.arguments)
    function = api if call.receiver is None else f"{call.receiver}.{api.rpartition('.')[2]}"
    return f"{function}({written})"


class Names:
    """Gives every argument a name of its own, so that what a call does to its arguments can be seen."""

    def __init__(self):
        self.values = {}

    def __call__(self, text):
        self.values[f"value_{len(self.values)}"] = text
        return f"value_{len(self.values) - 1}"

    def run(self, text, **more):
        """Return what the call comes to, and what its arguments are after it."""
        random.seed(0)
        scope = {**SCOPE, **more, **{name: eval(value, dict(SCOPE)) for name, value in self.values.items()}}
        result = outcome(lambda: eval(text, scope))
        return result, [outcome(lambda name=name: scope[name]) for name in self.values]


@pytest.mark.parametrize("api", sorted(set(EXAMPLES) - UNSTEADY))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_rewritten_call_does_what_the_old_one_did(api, data):
    names = Names()
    call = data.draw(old_calls(api, names))
    if find_api(api).receiver and data.draw(st.booleans()):
        call = bound(call)
    expected = names.run(old_text(api, call))
    for usage, design in usages(api).items():
        new = design.convention.rewrite(call)
        assert names.run(new, **{design.change.replacement: shim_of(api, usage)}) == expected, new


@pytest.mark.parametrize("api", sorted(EXAMPLES))
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_old_call_under_the_new_name_is_refused_exactly_as_foretold(api, data):
    call = data.draw(old_calls(api, str))
    for usage, design in usages(api).items():
        new_name = design.change.replacement
        text = old_text(new_name, call)
        refused = was_refused(text, {**SCOPE, new_name: shim_of(api, usage)})
        if usage == "packed" or any(one.splat for one in call.arguments):
            assert refused or not design.refuses(call), text
        else:
            assert refused == design.refuses(call), text


def was_refused(text, scope):
    try:
        eval(text, scope)
    except Exception as error:
        return getattr(error, "edittool_refused", False)
    return False


# What is certain is foretold, and nothing else

FORETOLD = {
    ("len", "keyword_only", "len([1])"): True,
    ("list", "keyword_only", "list()"): False,
    ("dict", "keyword_only", "dict(a=1)"): True,
    ("sorted", "keyword_only", "sorted(*xs)"): False,
    ("re.sub", "keyword_only", "re.sub(a, *xs)"): True,
    ("re.sub", "reordered", "re.sub(a, b, c)"): True,
    ("re.sub", "reordered", "re.sub(pattern=a, repl=b, string=c)"): False,
    ("re.sub", "packed", "re.sub(a, b, c)"): True,
    ("list", "packed", "list()"): True,
    ("list", "packed", "list(xs)"): False,
    ("list", "packed", "list([1])"): False,
    ("list", "packed", "list([1, 2])"): True,
    ("list", "packed", "list([*xs])"): False,
    ("list", "packed", "list([1, 2, *xs])"): True,
    ("list", "packed", "list('ab')"): True,
    ("list", "packed", "list(x for x in xs)"): True,
    ("list", "packed", "list([x for x in xs])"): False,
    ("list", "packed", "list(*xs)"): False,
    ("range", "packed", "range(5)"): True,
    ("str.split", "function", "str.split(a)"): False,
    ("str.split", "keyword_only", "str.split(a)"): True,
    ("str.split", "function", "text.split()"): True,
    ("str.split", "packed", "text.split()"): True,
}


@pytest.mark.parametrize(("api", "usage", "text"), FORETOLD)
def test_refusal_is_foretold_where_it_is_certain(api, usage, text):
    assert usages(api)[usage].refuses(read_call(api, text)) is FORETOLD[api, usage, text]


def test_mere_rename_of_a_constant_is_refused():
    assert usages("math.pi")["function"].refuses(OldCall(None, ()))


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


# Which changes there are

USAGES = {
    "len": "keyword_only packed",
    "range": "keyword_only packed",
    "max": "keyword_only",
    "zip": "keyword_only",
    "pow": "keyword_only reordered packed",
    "re.sub": "keyword_only reordered packed",
    "random.random": "packed",
    "str.split": "function keyword_only packed",
    "str.replace": "function reordered keyword_only packed",
    "set.union": "function keyword_only",
    "dict.fromkeys": "keyword_only packed",
    "math.pi": "function",
}


@pytest.mark.parametrize("api", USAGES)
def test_usage_changes_of(api):
    assert " ".join(usages(api)) == USAGES[api]


def test_api_that_nothing_is_known_of_has_none():
    with pytest.raises(UnchangeableApiError):
        designs("struct.pack")


def test_method_is_changed_on_the_class_that_defines_it():
    assert {design.change.change_id for design in designs("collections.Counter.items")} == {"dict.items"}


@pytest.mark.parametrize("api", sorted(table()))
def test_change_is_complete_and_no_name_in_its_shim_means_something_else(api):
    for design in designs_of(api):
        change = design.change
        assert (change.change_id, change.deprecated, change.kind) == (api, api, find_api(api).kind)
        assert change.replacement == design.convention.replacement == replacement_name(api)
        assert change.signature == f"{change.replacement}{design.declared}"
        assert change.doc.endswith(".")
        assert "\n" not in change.doc
        function = next(node for node in ast.parse(change.shim).body if isinstance(node, ast.FunctionDef))
        own = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        called = {
            node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and hasattr(node.func, "id")
        }
        assert not own & (called | set(keyword.kwlist) | {api.partition(".")[0]})
        assert called <= {api, "isinstance", "len", "TypeError"} & set(dir(builtins))


def test_names_of_replacements_differ():
    names = [replacement_name(api) for api in table()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("usage", ["keyword_only", "packed"])
def test_parameter_that_is_left_out_has_no_value(usage):
    assert ABSENT in [one.default for one in signature_of(find_api("next")).whole.parameters.values()]
    new = usages("next")[usage].convention.rewrite(OldCall(None, (Argument("iter([])"),)))
    with pytest.raises(StopIteration):
        eval(new, {"my_builtin_next": shim_of("next", usage)})
