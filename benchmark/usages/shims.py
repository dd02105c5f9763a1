"""The source of shims: functions that stand in for an API, called in another way and standing on the real one."""

import json
from collections.abc import Iterable, Sequence
from inspect import Parameter, Signature

from .apis import Api
from .signatures import ABSENT, Default

MISSING = Default("_MISSING")  # how ABSENT is written in a shim
LIST = "arguments"  # the name of the one list that a packed shim takes
OPTIONS = "given"  # the name of a variable that no parameter may hide


class InexpressibleError(Exception):
    """No shim can be written: parameters that hide the API's name, or that cannot be left out one by one."""


def constant_shim(api: Api, replacement: str) -> str:
    """Return a function without parameters that gives the constant."""
    return _module(api, f"def {replacement}():\n    return {api.name}\n")


def calling_shim(api: Api, replacement: str, declared: Signature, full: Signature) -> str:
    """Return a function of the parameters `declared` that calls the API as `full` says.

    What is a `*` or `**` parameter in `full` may be one list or mapping in `declared`. Raises InexpressibleError.
    """
    if {api.name.partition(".")[0], OPTIONS} & set(declared.parameters):
        raise InexpressibleError(api.name)
    written = [one.replace(default=MISSING) if one.default == ABSENT else one for one in declared.parameters.values()]
    absent = [one for one in full.parameters.values() if one.default == ABSENT]
    lines = [f"def {replacement}{Signature(written)}:"]
    lines += [f"    {line}" for line in _calls(api.name, list(full.parameters.values()), absent)]
    sentinel = f"{MISSING} = object()\n\n\n" if absent else ""
    return _module(api, sentinel + "\n".join(lines) + "\n")


def _calls(name: str, parameters: Sequence[Parameter], absent: Sequence[Parameter]) -> list[str]:
    if not absent:
        return [f"return {name}({_arguments(parameters)})"]
    starred = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    if len(absent) == 1 and (not starred or absent[0].kind is Parameter.KEYWORD_ONLY):
        [left_out] = absent
        return [
            f"if {left_out.name} is {MISSING}:",
            f"    return {name}({_arguments(_without(parameters, left_out))})",
            f"return {name}({_arguments(parameters)})",
        ]
    if starred or any(one.kind is Parameter.POSITIONAL_ONLY for one in absent):
        raise InexpressibleError(name)
    given = [one for one in parameters if one not in absent]
    options = ", ".join(f'"{one.name}": {one.name}' for one in absent)
    arguments = ", ".join(filter(None, [_arguments(given), f"**{OPTIONS}"]))
    return [
        f"{OPTIONS} = {{{options}}}",
        f"{OPTIONS} = {{name: value for name, value in {OPTIONS}.items() if value is not {MISSING}}}",
        f"return {name}({arguments})",
    ]


def _without(parameters: Sequence[Parameter], left_out: Parameter) -> list[Parameter]:
    """Return the parameters but `left_out`, and but those that only come after it by position."""
    place = parameters.index(left_out)
    chained = Parameter.POSITIONAL_ONLY if left_out.kind is Parameter.POSITIONAL_ONLY else None
    return [*parameters[:place], *(one for one in parameters[place + 1 :] if one.kind is not chained)]


def _arguments(parameters: Sequence[Parameter]) -> str:
    """Return the arguments of a call that hands on `parameters`; optional ones by keyword where that can be."""
    starred = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    return ", ".join(_argument(one, starred) for one in parameters)


def _argument(parameter: Parameter, before_star: bool) -> str:
    name = parameter.name
    match parameter.kind:
        case Parameter.VAR_POSITIONAL:
            return f"*{name}"
        case Parameter.VAR_KEYWORD:
            return f"**{name}"
        case Parameter.KEYWORD_ONLY:
            return f"{name}={name}"
        case Parameter.POSITIONAL_OR_KEYWORD if parameter.default is not Parameter.empty and not before_star:
            return f"{name}={name}"
    return name


def packed_shim(api: Api, replacement: str, declared: Signature, counts: range, items: str) -> str:
    """Return a function whose first parameter is one list of as many items as `counts` holds.

    `items` shows a person what is in the list. The other parameters of `declared` are handed on by keyword.
    """
    first, *others = declared.parameters.values()
    handed = ", ".join([f"*{first.name}", *(_argument(one, False) for one in others)])
    low, high = counts[0], counts[-1]
    if low == high:
        wrong = f"len({LIST}) != {low}"
    else:
        wrong = f"not {low} <= len({LIST}) <= {high}" if low else f"len({LIST}) > {high}"
    return _module(
        api,
        f"def {replacement}{declared}:\n"
        f"    if not isinstance({LIST}, list) or {wrong}:\n"
        f"        raise TypeError({json.dumps(f'{replacement}() takes one list: {items}')})\n"
        f"    return {api.name}({handed})\n",
    )


def _module(api: Api, body: str) -> str:
    return f"import {api.module}\n\n{'' if body.startswith(str(MISSING)) else chr(10)}{body}" if api.module else body


def items_text(parameters: Iterable[Parameter]) -> str:
    """Return how a list of the values of `parameters` is shown: [pattern, repl, string, count=0]."""
    return f"[{', '.join(str(one.replace(kind=Parameter.POSITIONAL_OR_KEYWORD)) for one in parameters)}]"
