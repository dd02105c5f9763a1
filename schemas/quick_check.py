"""A schema made into nested functions: says in microseconds that a row is valid, where jsonschema takes a thousand.

It errs on one side only. True means valid; False means that jsonschema has to look, and to say what is wrong. A keyword
that is not known here is left to jsonschema as well.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator

Check = Callable[[Any], bool]

_ANNOTATIONS = {"$schema", "$id", "title", "description"}
_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


def compile_check(schema: Mapping[str, Any]) -> Check:
    """Return a function that is True only for values valid under `schema`."""
    checks = [_compile(keyword, value, schema) for keyword, value in schema.items() if keyword not in _ANNOTATIONS]
    return checks[0] if len(checks) == 1 else _every(checks)


def _every(checks: Sequence[Check]) -> Check:
    def check_every(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - `all` over a generator takes twice as long
            if not check(value):
                return False
        return True

    return check_every


def _compile(keyword: str, limit: Any, schema: Mapping[str, Any]) -> Check:
    match keyword:
        case "type":
            names = [limit] if isinstance(limit, str) else limit
            types = {each for name in names for each in _TYPES[name]}
            return lambda value: type(value) in types  # exact: a bool is no integer
        case "enum" | "const":
            known = [limit] if keyword == "const" else limit
            return lambda value: any(type(value) is type(each) and value == each for each in known)
        case "required":
            names = frozenset(limit)
            return lambda value: type(value) is not dict or value.keys() >= names
        case "properties":
            return _properties({name: compile_check(field) for name, field in limit.items()})
        case "additionalProperties":
            return _other_properties(frozenset(schema.get("properties", ())), limit)
        case "items":
            item = compile_check(limit)
            return lambda value: type(value) is not list or all(map(item, value))
        case "minimum":
            return lambda value: type(value) not in (int, float) or value >= limit
        case "maximum":
            return lambda value: type(value) not in (int, float) or value <= limit
        case "minLength":
            return lambda value: type(value) is not str or len(value) >= limit
        case "minItems":
            return lambda value: type(value) is not list or len(value) >= limit
        case "pattern":
            search = re.compile(limit).search
            return lambda value: type(value) is not str or search(value) is not None
        case "not" if _is_exact(limit):
            inner = compile_check(limit)
            return lambda value: not inner(value)
        case "oneOf" if all(map(_is_exact, limit)):
            branches = [compile_check(branch) for branch in limit]
            return lambda value: sum(branch(value) for branch in branches) == 1
        case _:
            is_valid = Draft202012Validator({keyword: limit}).is_valid
            return lambda value: bool(is_valid(value))


def _is_exact(schema: Mapping[str, Any]) -> bool:
    """Tell whether the check of `schema` is False only for values that are not valid: it can be turned around then."""
    return all(keyword == "required" or (keyword == "not" and _is_exact(limit)) for keyword, limit in schema.items())


def _properties(checks: Mapping[str, Check]) -> Check:
    def check(value: Any) -> bool:
        if type(value) is not dict:
            return True
        for name, field in value.items():  # noqa: SIM110 - as in `_every`
            if name in checks and not checks[name](field):
                return False
        return True

    return check


def _other_properties(known: frozenset[str], limit: bool | Mapping[str, Any]) -> Check:
    other: Check = (lambda _: limit is True) if isinstance(limit, bool) else compile_check(limit)

    def check(value: Any) -> bool:
        return type(value) is not dict or all(other(field) for name, field in value.items() if name not in known)

    return check
