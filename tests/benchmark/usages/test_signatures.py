"""The table of signatures says how the real APIs are called: what it allows they accept, and nothing more."""

import contextlib
import itertools
from inspect import Parameter

import pytest

from edittool.benchmark.usages.apis import UnchangeableApiError, find_api, value_of
from edittool.benchmark.usages.signatures import ABSENT, POSITIONAL, signature_of, table

from .signature_examples import EXAMPLES, SCOPE, UNSTEADY, example_values, outcome

NOT_CALLED = {"input", "open", "sys.exit"}  # they read what is typed, leave a file open, end the tests
RELATED = {"str.maketrans"}  # its first argument is of another type where others follow
NARROWER = {"type", "copy.deepcopy", "object", "slice"}  # the table leaves out ways to call them that no one needs
SEVERAL_WAYS = {api for api, row in table().items() if len(row) > 2}  # which have no defaults in common
CALLABLE = sorted(api for api, row in table().items() if len(row) > 1)


def calls_of(api):
    """Yield (arguments, keywords), as texts, for the ways to call `api`: all by position, all by keyword, few."""
    signature, values = signature_of(find_api(api)), example_values(api)
    for call in signature.calls:
        known = [one for one in call.parameters.values() if one.name in values]
        required = [one for one in known if one.default is Parameter.empty or api in RELATED]
        for chosen, by_keyword in itertools.product((known, required), (False, True)):
            yield texts(chosen, values, by_keyword)


def texts(parameters, values, by_keyword):
    arguments, keywords = [], {}
    for parameter in parameters:
        given = values[parameter.name]
        if parameter.kind is Parameter.VAR_KEYWORD:
            keywords |= given
        elif parameter.kind is Parameter.VAR_POSITIONAL:
            arguments += given if isinstance(given, tuple) else (given, given)
        elif parameter.kind is Parameter.KEYWORD_ONLY or (by_keyword and parameter.kind not in POSITIONAL[:1]):
            keywords[parameter.name] = given
        else:
            arguments.append(given)
    return arguments, keywords


def evaluate(api, arguments, keywords):
    """Call the real API with arguments made anew. Raises what it raises."""
    given = [eval(text, dict(SCOPE)) for text in arguments]
    return value_of(find_api(api))(*given, **{name: eval(text, dict(SCOPE)) for name, text in keywords.items()})


def test_every_row_has_an_example():
    assert {*EXAMPLES, *NOT_CALLED} == set(CALLABLE)


def test_real_api_accepts_what_the_table_allows(subtests):
    for api in sorted(EXAMPLES):
        with subtests.test(api):
            tried = list(calls_of(api))
            for arguments, keywords in tried:
                with contextlib.suppress(LookupError, StopIteration, AttributeError):  # a default that was left out
                    evaluate(api, arguments, keywords)
            assert tried


def test_real_api_refuses_one_argument_too_many(subtests):
    for api in sorted(set(EXAMPLES) - NARROWER):
        with subtests.test(api):
            refuses_one_more(api)


def refuses_one_more(api):
    for call in signature_of(find_api(api)).calls:
        if any(one.kind is Parameter.VAR_POSITIONAL for one in call.parameters.values()):
            continue
        values = example_values(api)
        longest = max(signature_of(find_api(api)).calls, key=lambda call: len(call.parameters))
        positional = [values[one.name] for one in longest.parameters.values() if one.kind in POSITIONAL]
        with pytest.raises(TypeError):
            evaluate(api, [*positional, "None"], {})


def test_defaults_are_those_of_the_real_api(subtests):
    for api in sorted(set(EXAMPLES) - UNSTEADY - RELATED - SEVERAL_WAYS):
        with subtests.test(api):
            has_the_defaults_of_the_table(api)


def has_the_defaults_of_the_table(api):
    signature, values = signature_of(find_api(api)), example_values(api)
    [call] = signature.calls
    required = [one for one in call.parameters.values() if one.default is Parameter.empty and one.name in values]
    written = [one for one in call.parameters.values() if one.default not in (Parameter.empty, ABSENT)]
    all_values = values | {one.name: one.default.text for one in written}
    both = [one for one in call.parameters.values() if one in required or one in written]
    few, many = texts(required, values, by_keyword=False), texts(both, all_values, by_keyword=False)
    assert outcome(lambda: evaluate(api, *few)) == outcome(lambda: evaluate(api, *many))


def test_every_row_names_a_changeable_api_by_its_canonical_name():
    for api in table():
        assert find_api(api).name == api


def test_each_row_says_what_the_api_does_in_one_line(subtests):
    for api in sorted(table()):
        with subtests.test(api):
            doc = table()[api][-1]
            assert doc[0].isupper()
            assert "\n" not in doc
            assert not doc.endswith(".")


def test_api_that_is_not_in_the_table_is_read_from_python():
    signature = signature_of(find_api("textwrap.shorten"))
    assert str(signature.whole) == "(text, width, **kwargs)"
    assert signature.doc == "Do what textwrap.shorten does"


def test_object_of_a_method_outside_the_table_gets_a_name():
    assert str(signature_of(find_api("int.as_integer_ratio")).whole) == "(number, /)"


def test_default_that_cannot_be_written_is_left_open():
    signature = signature_of(find_api("queue.Queue.put"))
    assert str(signature.whole) == "(queue, /, item, block=True, timeout=None)"
    assert signature_of(find_api("csv.DictWriter")).whole.parameters["dialect"].default.text == "'excel'"
    assert signature_of(find_api("statistics.NormalDist.from_samples")).calls
    assert signature_of(find_api("dataclasses.field")).whole.parameters["default"].default == ABSENT


def test_api_whose_signature_nobody_knows_is_unchangeable():
    with pytest.raises(UnchangeableApiError, match="what arguments it takes is not known") as raised:
        signature_of(find_api("struct.pack"))
    assert raised.value.reason == "no_signature"


def test_constant_has_no_way_to_be_called():
    assert signature_of(find_api("math.pi")).calls == ()
    assert signature_of(find_api("math.tau")).doc == "Return the ratio of a circle's circumference to its radius"
    assert signature_of(find_api("string.octdigits")).doc == "Return the value of string.octdigits"
