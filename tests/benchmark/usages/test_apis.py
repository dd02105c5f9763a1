"""What can be changed: names are found as Python has them, and every refusal says why and what to do."""

import pytest

from edittool.benchmark.usages.apis import UNCHANGEABLE, Api, UnchangeableApiError, UnknownApiError, find_api, value_of
from edittool.schemas.errors import InputError

FOUND = {
    "len": Api("len", "builtin_function", None, receiver=False),
    "builtins.len": Api("len", "builtin_function", None, receiver=False),
    "range": Api("range", "builtin_type", None, receiver=False),
    "str.split": Api("str.split", "builtin_method", None, receiver=True),
    "bool.bit_length": Api("int.bit_length", "builtin_method", None, receiver=True),
    "dict.fromkeys": Api("dict.fromkeys", "builtin_method", None, receiver=False),
    "str.maketrans": Api("str.maketrans", "builtin_method", None, receiver=False),
    "math.sqrt": Api("math.sqrt", "module_function", "math", receiver=False),
    "posixpath.join": Api("os.path.join", "module_function", "os.path", receiver=False),
    "random.random": Api("random.random", "module_function", "random", receiver=False),
    "math.pi": Api("math.pi", "module_constant", "math", receiver=False),
    "collections.Counter": Api("collections.Counter", "module_class", "collections", receiver=False),
    "collections.Counter.most_common": Api("collections.Counter.most_common", "class_method", "collections", True),
    "collections.Counter.items": Api("dict.items", "builtin_method", None, receiver=True),
    "random.Random.random": Api("random.Random.random", "class_method", "random", receiver=True),
    "re.Pattern.sub": Api("re.Pattern.sub", "class_method", "re", receiver=True),
    "itertools.chain.from_iterable": Api("itertools.chain.from_iterable", "class_method", "itertools", receiver=False),
}

REFUSED = {
    "ValueError": "exception",
    "json.JSONDecodeError": "exception",
    "typing.List": "typing",
    "collections.abc.Iterable": "typing",
    "super": "frame",
    "eval": "frame",
    "__import__": "frame",
    "sys.modules": "frame",
    "True": "interpreter",
    "exit": "interpreter",
    "antigravity.webbrowser": "interpreter",
    "os.path": "module",
    "math": "module",
    "math.__name__": "special_method",
    "list.__add__": "special_method",
    "collections._sys": "private",
    "_hashlib.HASH.hexdigest": "private",
    "datetime.date.year": "attribute",
    "urllib.parse.ParseResult.path": "attribute",
}

UNKNOWN = {
    "lenn": "did you mean len",
    "maths.sqrt": "did you mean math",
    "math.sqr": "did you mean math.sqrt",
    "str.spilt": "did you mean str.split",
    "collections.Counter.most_comon": "did you mean collections.Counter.most_common",
    "len.x": "neither a module nor a class",
    "os.environ.get": "'os.environ' is neither a module nor a class",
    "pytest.raises": "neither a builtin nor a module of the standard library",
    "zzzz": "check the spelling",
    "a-b": "write it like len, math.sqrt or str.split",
    "math.": "write it like",
}


@pytest.mark.parametrize("name", FOUND)
def test_api_is_found_under_its_canonical_name(name):
    assert find_api(name) == FOUND[name]


@pytest.mark.parametrize("name", REFUSED)
def test_what_nothing_can_stand_in_for_is_refused(name):
    with pytest.raises(UnchangeableApiError) as raised:
        find_api(name)
    assert raised.value.reason == REFUSED[name]
    assert UNCHANGEABLE[REFUSED[name]] in str(raised.value)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_does_not_exist_is_told_with_what_is_close(name):
    with pytest.raises(UnknownApiError) as raised:
        find_api(name)
    assert UNKNOWN[name] in str(raised.value)
    assert repr(name) in str(raised.value)


def test_other_packages_are_imported_only_where_they_are_asked_for():
    assert find_api("pytest.raises", third_party=True).kind == "module_function"
    with pytest.raises(UnknownApiError, match="the module 'no_such_package' cannot be imported here"):
        find_api("no_such_package.f", third_party=True)


def test_object_of_an_api_is_the_real_one():
    import os

    assert value_of(find_api("os.path.join")) is os.path.join
    assert value_of(find_api("str.split")) is str.split


def test_refusals_are_errors_for_the_user():
    assert issubclass(UnknownApiError, InputError)
    assert issubclass(UnchangeableApiError, InputError)
