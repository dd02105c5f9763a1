"""The rewriting of old calls for a replacement that is used in another way: by keyword, in another order, in a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature

from ...analysis.rewriting.call_rewrites import Argument, OldCall, Refusal
from ...schemas.changes import ApiKind
from .signatures import POSITIONAL, ApiSignature


@dataclass(frozen=True, slots=True)
class ConstantCall:
    """A constant that has become a function without parameters."""

    api: str
    replacement: str
    kind: ApiKind

    def rewrite(self, call: OldCall) -> str:
        """Return the call that gives the constant."""
        return f"{self.replacement}()"

    def value(self, receiver: str | None) -> str:
        """Return the call that gives the constant."""
        return self.rewrite(OldCall(receiver, ()))


@dataclass(frozen=True, slots=True)
class Remapped:
    """A function whose parameters are called like the API's, but stand elsewhere; a method's object is among them."""

    api: str
    replacement: str
    kind: ApiKind
    signature: ApiSignature
    is_method: bool
    declared: Signature

    def rewrite(self, call: OldCall) -> str:
        """Return the new call. Raises Refusal."""
        arguments = _arguments(call, self)
        if self._keeps_order() and any(argument.splat == "*" for argument in arguments):
            return f"{self.replacement}({', '.join(map(_as_written, arguments))})"
        bound = _bind(self.signature, arguments, self.api)
        written: list[str] = []
        gap = False
        for parameter in self.declared.parameters.values():
            given = bound.pop(parameter.name, None)
            if given is None:
                gap = gap or parameter.kind in POSITIONAL
            elif parameter.kind is Parameter.VAR_POSITIONAL and gap:
                raise Refusal("arguments", f"a call of {self.api} has no place for an argument that others follow")
            elif parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
                written += map(_as_written, given.arguments)
            elif parameter.kind in POSITIONAL and not gap:
                written.append(given.expression())
            else:
                written.append(f"{parameter.name}={given.expression()}")
        written += (_as_written(argument) for given in bound.values() for argument in given.arguments)
        return f"{self.replacement}({', '.join(written)})"

    def value(self, receiver: str | None) -> None:
        """Return None: a lambda has to call it."""

    def _keeps_order(self) -> bool:
        """Say whether what was given by position still is, in the same places."""
        placed = (*POSITIONAL, Parameter.VAR_POSITIONAL)
        old, new = (
            [one.name for one in signature.parameters.values() if one.kind in placed]
            for signature in (self.signature.full, self.declared)
        )
        return old == new


@dataclass(frozen=True, slots=True)
class Packed:
    """A function that takes in one list what the API takes by position, and keywords as the API does."""

    api: str
    replacement: str
    kind: ApiKind
    signature: ApiSignature
    is_method: bool

    def rewrite(self, call: OldCall) -> str:
        """Return the new call. Raises Refusal."""
        arguments = _arguments(call, self)
        if any(argument.splat == "*" for argument in arguments):
            packed = [argument for argument in arguments if not argument.keyword and argument.splat != "**"]
            if self._names_required(arguments):
                raise Refusal(
                    "arguments", f"a call of {self.api} gives a required argument by keyword after a starred one"
                )
        else:
            packed = self._packed(_bind(self.signature, arguments, self.api))
        others = [argument for argument in arguments if argument not in packed]
        items = ", ".join(argument.splat + argument.text for argument in packed)
        return f"{self.replacement}({', '.join([f'[{items}]', *map(_as_written, others)])})"

    def value(self, receiver: str | None) -> None:
        """Return None: a lambda has to call it."""

    def _names_required(self, arguments: Sequence[Argument]) -> bool:
        parameters = self.signature.whole.parameters
        named = [parameters.get(argument.keyword) for argument in arguments if argument.keyword]
        return any(parameter and parameter.default is Parameter.empty for parameter in named)

    def _packed(self, bound: "Bound") -> list[Argument]:
        """Return what is given by position, and what is required however it is given."""
        return [
            argument
            for name, given in bound.items()
            if given.kind in POSITIONAL
            for argument in given.arguments
            if not argument.keyword or self.signature.whole.parameters[name].default is Parameter.empty
        ]


@dataclass(frozen=True, slots=True)
class Given:
    """What a call gives to one parameter; `kind` is that of the parameter in the old API."""

    kind: object
    arguments: tuple[Argument, ...]

    def expression(self) -> str:
        """Return one expression for it: a list for a starred parameter, a mapping for a doubly starred one."""
        if self.kind is Parameter.VAR_POSITIONAL:
            return f"[{', '.join(argument.splat + argument.text for argument in self.arguments)}]"
        if self.kind is Parameter.VAR_KEYWORD:
            entries = (f'"{one.keyword}": {one.text}' if one.keyword else f"**{one.text}" for one in self.arguments)
            return f"{{{', '.join(entries)}}}"
        return self.arguments[0].text


Bound = dict[str, Given]  # by parameter; "**" for mappings that can only hold keywords of optional parameters


def _arguments(call: OldCall, convention: Remapped | Packed) -> tuple[Argument, ...]:
    """Return the arguments of the call, a method's object first."""
    if call.receiver is None:
        return call.arguments
    if not convention.is_method:
        raise Refusal("arguments", f"{convention.api}, which takes no object, is called on one")
    return (Argument(call.receiver), *call.arguments)


def _bind(signature: ApiSignature, arguments: Sequence[Argument], api: str) -> Bound:
    """Return what each parameter is given, by the first way to call the API that fits."""
    for call in signature.calls:
        bound = _bind_one(call, arguments)
        if bound is not None:
            return bound
    splats = " ".join(argument.splat for argument in arguments if argument.splat)
    shown = f"its {splats} could stand for any of them" if splats else "it cannot take these"
    raise Refusal("arguments", f"the arguments of a call of {api} cannot be told apart: {shown}")


def _bind_one(call: Signature, arguments: Sequence[Argument]) -> Bound | None:
    assigned = _assign(call, [argument for argument in arguments if argument.splat != "**"])
    if assigned is None:
        return None
    bound = {name: Given(call.parameters[name].kind, given) for name, given in assigned.items()}
    if any(given.kind in POSITIONAL and given.arguments[0].splat for given in bound.values()):
        return None  # how many parameters it fills is not known
    has_mappings = any(argument.splat == "**" for argument in arguments)
    return _with_mappings(call, bound, arguments) if has_mappings else bound


def _assign(signature: Signature, arguments: Sequence[Argument]) -> dict[str, tuple[Argument, ...]] | None:
    """Return the arguments by the name of their parameter, or None where they do not fit.

    A starred argument counts as one.
    """
    # Signature.bind knows only since Python 3.13 that a keyword may be called like a positional-only parameter.
    shielded = [
        one.replace(name=f"_{one.name}") if one.kind is Parameter.POSITIONAL_ONLY else one
        for one in signature.parameters.values()
    ]
    positional = [argument for argument in arguments if not argument.keyword]
    keywords = {argument.keyword: argument for argument in arguments if argument.keyword}
    try:
        found = Signature(shielded).bind(*positional, **keywords).arguments
    except TypeError:
        return None
    assigned: dict[str, tuple[Argument, ...]] = {}
    for original, shield in zip(signature.parameters.values(), shielded, strict=True):
        if shield.name not in found:
            continue
        given = found[shield.name]
        if original.kind is Parameter.VAR_KEYWORD:
            given = tuple(given.values())
        assigned[original.name] = given if isinstance(given, tuple) else (given,)
    return assigned


def _with_mappings(call: Signature, bound: Bound, arguments: Sequence[Argument]) -> Bound | None:
    """Return `bound` with what is given as `**mapping`, or None where that may be for parameters of several kinds."""
    mappings = tuple(argument for argument in arguments if argument.splat == "**")
    rest = next((one.name for one in call.parameters.values() if one.kind is Parameter.VAR_KEYWORD), None)
    if rest is None:
        return bound | {"**": Given(None, mappings)}
    named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    if any(one.kind in named and one.name not in bound for one in call.parameters.values()):
        return None
    known = bound[rest].arguments if rest in bound else ()
    in_order = tuple(argument for argument in arguments if argument in known or argument in mappings)
    return bound | {rest: Given(Parameter.VAR_KEYWORD, in_order)}


def _as_written(argument: Argument) -> str:
    return f"{argument.keyword}={argument.text}" if argument.keyword else argument.splat + argument.text
