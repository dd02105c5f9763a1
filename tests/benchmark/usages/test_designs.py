"""Usage changes: the rewritten call does what the old one did, and the shim refuses the old convention."""

import ast
import builtins
import keyword
import random
from functools import cache
from inspect import Parameter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.analysis.rewriting.call_rewrites import Argument, OldCall
from edittool.benchmark.usages.apis import UnchangeableApiError, find_api
from edittool.benchmark.usages.designs import designs, replacement_name
from edittool.benchmark.usages.signatures import ABSENT, POSITIONAL, signature_of, table
from edittool.judging.sandbox.job import told
from edittool.sandbox_images.python.untrusted.world import World

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
    return World([told(change)]).builtins[change.replacement]


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


def check_by_examples(check, api, count):
    """Put `count` examples of data for `api` to `check`."""

    @settings(max_examples=count, deadline=None)
    @given(data=st.data())
    def holds(data):
        check(api, data)

    holds()


def test_rewritten_call_does_what_the_old_one_did(subtests):
    for api in sorted(set(EXAMPLES) - UNSTEADY):
        with subtests.test(api):
            check_by_examples(does_what_the_old_call_did, api, 20)


def does_what_the_old_call_did(api, data):
    names = Names()
    call = data.draw(old_calls(api, names))
    if find_api(api).receiver and data.draw(st.booleans()):
        call = bound(call)
    expected = names.run(old_text(api, call))
    for usage, design in usages(api).items():
        new = design.convention.rewrite(call)
        assert names.run(new, **{design.change.replacement: shim_of(api, usage)}) == expected, new


def test_old_call_under_the_new_name_is_refused_exactly_as_the_signature_says(subtests):
    for api in sorted(EXAMPLES):
        with subtests.test(api):
            check_by_examples(is_refused_as_the_signature_says, api, 10)


def is_refused_as_the_signature_says(api, data):
    call = data.draw(old_calls(api, str))
    for usage, design in usages(api).items():
        text = old_text(design.change.replacement, call)
        scope = {**SCOPE, design.change.replacement: shim_of(api, usage)}
        assert was_refused(text, scope) == has_to_be_refused(text, design.change), text


def was_refused(text, scope):
    try:
        eval(text, scope)
    except Exception as error:
        return getattr(error, "edittool_refused", False)
    return False


def has_to_be_refused(text, change):
    """Say whether the call does not fit the signature that the change shows, or gives no list of a right length."""
    scope = dict(SCOPE)
    exec(f"def {change.signature}: return locals()", scope)
    try:
        given = eval(text, scope)
    except TypeError:
        return True
    return change.usage == "packed" and not is_right_list(given["arguments"], change.deprecated)


def is_right_list(value, api):
    """Say whether `value` is a list of what `api` can be given by position."""
    placed = [[one for one in call.parameters.values() if one.kind in POSITIONAL] for call in ways_to_call(api)]
    required = [[one for one in group if one.default is Parameter.empty] for group in placed]
    return isinstance(value, list) and min(map(len, required)) <= len(value) <= max(map(len, placed))


def ways_to_call(api):
    return signature_of(find_api(api)).calls


LISTS = {
    "list": ("[]", "[[1]]", "[1, 2]", "[*'ab']", "'ab'", "(1,)", "{1}", "(x for x in 'a')"),
    "range": ("5", "[5]", "[1, 5]", "[1, 9, 2]", "[1, 9, 2, 4]", "[]"),
    "re.sub": ("['a', 'b']", "['a', 'b', 'c']", "['a', 'b', 'c', 1]", "['a', 'b', 'c', 1, 0, 0]"),
    "random.random": ("[]", "[1]", "()"),
}
WRONG_LISTS = {
    "list": ("[1, 2]", "[*'ab']", "'ab'", "(1,)", "{1}", "(x for x in 'a')"),
    "range": ("5", "[1, 9, 2, 4]", "[]"),
    "re.sub": ("['a', 'b']", "['a', 'b', 'c', 1, 0, 0]"),
    "random.random": ("[1]", "()"),
}


@pytest.mark.parametrize("api", LISTS)
def test_packed_shim_takes_lists_of_the_right_length_alone(api):
    name = replacement_name(api)
    scope = {**SCOPE, name: shim_of(api, "packed")}
    assert tuple(text for text in LISTS[api] if was_refused(f"{name}({text})", scope)) == WRONG_LISTS[api]


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


def test_change_is_complete_and_no_name_in_its_shim_means_something_else(subtests):
    for api in sorted(table()):
        with subtests.test(api):
            is_complete_and_unambiguous(api)


def is_complete_and_unambiguous(api):
    for design in designs_of(api):
        change = design.change
        assert (change.change_id, change.deprecated, change.kind) == (api, api, find_api(api).kind)
        assert change.replacement == design.convention.replacement == replacement_name(api)
        assert change.signature.startswith(f"{change.replacement}(")
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
