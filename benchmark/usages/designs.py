"""Designs of usage changes: each has the replacement's signature, its shim, and the rewriting of old calls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature

from ...analysis.rewriting.call_rewrites import Convention
from ...schemas.changes import Change, Usage
from .apis import Api, UnchangeableApiError, find_api
from .call_patterns import ConstantCall, Packed, Remapped
from .shims import LIST, InexpressibleError, calling_shim, constant_shim, items_text, packed_shim
from .signatures import ABSENT, POSITIONAL, ApiSignature, Default, signature_of

_STARRED = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Design:
    """A usage change that can be made for an API, with the convention that turns old calls into new ones."""

    change: Change
    convention: Convention


_Maker = Callable[[Api, ApiSignature], Design | None]


def designs(api: str) -> tuple[Design, ...]:
    """Return every usage change that can be made for `api`, best first; a mere rename is never among them.

    Raises UnknownApiError, or UnchangeableApiError.
    """
    found = find_api(api)
    signature = signature_of(found)
    if found.kind == "module_constant":
        return (_constant(found, signature),)
    makers: tuple[_Maker, ...] = (
        (_function, _reordered, _keyword_only) if found.receiver else (_keyword_only, _reordered)
    )
    made = (_attempt(maker, found, signature) for maker in (*makers, _packed))
    complete = tuple(design for design in made if design)
    if not complete:
        raise UnchangeableApiError(found.name, "no_signature")
    return complete


def replacement_name(api: str) -> str:
    """Return the bare name of what stands in for `api`: my_builtin_len, my_str_split, my_os_path_join."""
    return "my_" + (api.replace(".", "_") if "." in api else f"builtin_{api}")


def _attempt(maker: _Maker, api: Api, signature: ApiSignature) -> Design | None:
    try:
        return maker(api, signature)
    except InexpressibleError:
        return None


def _constant(api: Api, signature: ApiSignature) -> Design:
    name = replacement_name(api.name)
    how = f"{signature.doc}; it is called as a function"
    change = _change(api, "function", Signature(), constant_shim(api, name), how)
    return Design(change, ConstantCall(api.name, name, api.kind))


def _function(api: Api, signature: ApiSignature) -> Design | None:
    """A method becomes a function of its object and its arguments."""
    parameters = list(signature.full.parameters.values())
    if all(one.kind is not Parameter.VAR_KEYWORD for one in parameters):
        parameters = [
            one.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) if one.kind in POSITIONAL else one for one in parameters
        ]
    how = f"it is called as a function, {parameters[0].name} first"
    return _remapped(api, signature, "function", parameters, how)


def _reordered(api: Api, signature: ApiSignature) -> Design | None:
    """The last required parameter comes first, and the one before it can be given by keyword alone."""
    parameters = list(signature.whole.parameters.values())
    required = [one for one in parameters if one.kind in POSITIONAL and one.default is Parameter.empty]
    if len(signature.calls) > 1 or len(required) < 2:
        return None
    *leading, last = [required[-1], *required[:-1]]
    named = [_by_keyword(one) for one in (last, *(one for one in parameters if one not in required))]
    leading = [one.replace(kind=Parameter.POSITIONAL_OR_KEYWORD) for one in leading]
    order = f"{leading[0].name} is given by position" if len(leading) == 1 else f"the order is {_listing(leading)}"
    how = f"{order}; by keyword: {_listing(named)}"
    return _remapped(api, signature, "reordered", [*leading, *named], how)


def _keyword_only(api: Api, signature: ApiSignature) -> Design | None:
    parameters = list(signature.whole.parameters.values())
    if not parameters:
        return None
    how = f"{parameters[0].name} is" if len(parameters) == 1 else "every argument is"
    starred = [
        f", {one.name} as one {'list' if one.kind is Parameter.VAR_POSITIONAL else 'mapping'}"
        for call in signature.calls
        for one in call.parameters.values()
        if one.kind in _STARRED
    ]
    how = f"{how} given by keyword{' and'.join(starred)}"
    return _remapped(api, signature, "keyword_only", [_by_keyword(one) for one in parameters], how)


def _packed(api: Api, signature: ApiSignature) -> Design | None:
    """One list takes what was given by position; not where any number could be, which would show no change."""
    if any(one.kind is Parameter.VAR_POSITIONAL for call in signature.calls for one in call.parameters.values()):
        return None
    positional = [[one for one in call.parameters.values() if one.kind in POSITIONAL] for call in signature.calls]
    most = max(positional, key=len)
    fewest = min(sum(one.default is Parameter.empty for one in group) for group in positional)
    counts = range(fewest, len(most) + 1)
    declared = _packed_signature(signature.full)
    items = items_text(one for one in signature.whole.parameters.values() if one.name in {each.name for each in most})
    shim = packed_shim(api, replacement_name(api.name), declared, counts, items)
    change = _change(api, "packed", declared, shim, f"{signature.doc}; {_packed_how(declared, items, len(most))}")
    return Design(change, Packed(api.name, change.replacement, api.kind, signature, api.receiver))


def _packed_signature(full: Signature) -> Signature:
    """Return one list, and by keyword what the API takes by keyword."""
    others = [one for one in full.parameters.values() if one.kind not in POSITIONAL]
    if any(one.kind is Parameter.VAR_KEYWORD for one in others):
        return Signature([Parameter(LIST, Parameter.POSITIONAL_ONLY), *others])  # a keyword may be called like the list
    if any(one.default == ABSENT for one in others) or any(map(_is_flexible, full.parameters.values())):
        others = [Parameter("options", Parameter.VAR_KEYWORD)]
    return Signature([Parameter(LIST, Parameter.POSITIONAL_OR_KEYWORD), *others])


def _packed_how(declared: Signature, items: str, count: int) -> str:
    if not count:
        return "it is given an empty list"
    if len(declared.parameters) > 1:
        return f"what can be given by position is given in one list, {items}"
    return f"the argument{'s are' if count > 1 else ' is'} given in one list, {items}"


def _is_flexible(parameter: Parameter) -> bool:
    return parameter.kind is Parameter.POSITIONAL_OR_KEYWORD and parameter.default is not Parameter.empty


def _by_keyword(parameter: Parameter) -> Parameter:
    """Return the parameter as one that is given by keyword; `*values` as one list, `**entries` as one mapping."""
    default = parameter.default
    if parameter.kind in _STARRED:
        default = Default("()" if parameter.kind is Parameter.VAR_POSITIONAL else "{}")
    return Parameter(parameter.name, Parameter.KEYWORD_ONLY, default=default)


def _listing(parameters: Sequence[Parameter]) -> str:
    *others, last = [one.name for one in parameters]
    return f"{', '.join(others)} and {last}" if others else last


def _remapped(api: Api, signature: ApiSignature, usage: Usage, parameters: list[Parameter], how: str) -> Design:
    name, declared = replacement_name(api.name), Signature(parameters)
    shim = calling_shim(api, name, declared, signature.full)
    change = _change(api, usage, declared, shim, f"{signature.doc}; {how}")
    return Design(change, Remapped(api.name, name, api.kind, signature, api.receiver, declared))


def _change(api: Api, usage: Usage, declared: Signature, shim: str, doc: str) -> Change:
    name = replacement_name(api.name)
    return Change(api.name, api.name, name, usage, f"{name}{declared}", shim, f"{doc}.", kind=api.kind)
