"""Signatures of APIs: from the hand-checked table signatures.toml, and for all others from inspect."""

import ast
import builtins
import inspect
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path

from .apis import Api, UnchangeableApiError, value_of

POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
TABLE = Path(__file__).with_name("signatures.toml")

_RECEIVERS = {
    "bytearray": "data",
    "bytes": "data",
    "complex": "number",
    "dict": "mapping",
    "float": "number",
    "frozenset": "collection",
    "int": "number",
    "list": "sequence",
    "set": "collection",
    "str": "string",
    "tuple": "sequence",
}


@dataclass(frozen=True, slots=True)
class Default:
    """The default of a parameter, as the text of an expression."""

    text: str

    def __repr__(self) -> str:
        return self.text


ABSENT = Default("...")  # the parameter can be left out, and no value says the same


@dataclass(frozen=True, slots=True)
class ApiSignature:
    """The ways to call an API, tried in order; `whole` declares the parameters of them all, `doc` says what it does.

    Parameters of one name are one parameter. A method's first parameter is its object. A constant has no ways.
    """

    calls: tuple[Signature, ...]
    whole: Signature
    doc: str

    @property
    def full(self) -> Signature:
        """The way to call that has every parameter, each by itself."""
        names = set(self.whole.parameters)
        return next(call for call in self.calls if set(call.parameters) == names)


def signature_of(api: Api) -> ApiSignature:
    """Return how `api` is called.

    Raises UnchangeableApiError where neither the table nor Python knows, or what is known cannot be written down.
    """
    row = table().get(api.name)
    if row is None and api.kind == "module_constant":
        row = (f"Return the value of {api.name}",)
    if row is None:
        row = (_inspected(api), f"Do what {api.name} does")
    *texts, doc = row
    declared = [
        _positional_receiver(parse_signature(text)) if api.receiver else parse_signature(text) for text in texts
    ]
    if not declared:
        return ApiSignature((), Signature(), doc)
    return ApiSignature(tuple(declared[:-1] or declared), declared[-1], doc)


@cache
def table() -> dict[str, tuple[str, ...]]:
    """Return the rows of signatures.toml, by API."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {api: tuple(row) for api, row in rows.items()}


def parse_signature(text: str) -> Signature:
    """Read parameters written as in a definition: "(iterable, /, *, key=None, default=...)"."""
    function = ast.parse(f"def f{text}: ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    return Signature(list(_parameters(function.args)))


def _parameters(arguments: ast.arguments) -> Iterator[Parameter]:
    positional = [*arguments.posonlyargs, *arguments.args]
    required: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    for one, default in zip(positional, [*required, *arguments.defaults], strict=True):
        kind = Parameter.POSITIONAL_ONLY if one in arguments.posonlyargs else Parameter.POSITIONAL_OR_KEYWORD
        yield Parameter(one.arg, kind, default=_default(default))
    if arguments.vararg:
        yield Parameter(arguments.vararg.arg, Parameter.VAR_POSITIONAL)
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield Parameter(one.arg, Parameter.KEYWORD_ONLY, default=_default(default))
    if arguments.kwarg:
        yield Parameter(arguments.kwarg.arg, Parameter.VAR_KEYWORD)


def _default(node: ast.expr | None) -> object:
    return Parameter.empty if node is None else Default(ast.unparse(node))


def _positional_receiver(signature: Signature) -> Signature:
    receiver, *others = signature.parameters.values()
    return Signature([receiver.replace(kind=Parameter.POSITIONAL_ONLY), *others])


def _inspected(api: Api) -> str:
    """Return the signature that Python tells, in the form of the table."""
    try:
        parameters = list(inspect.signature(value_of(api)).parameters.values())
    except (ValueError, TypeError):
        raise UnchangeableApiError(api.name, "no_signature") from None
    if api.receiver:
        parameters[:1] = [Parameter(_receiver(api, parameters[1:]), Parameter.POSITIONAL_ONLY)]
    plain = (parameter.replace(annotation=Parameter.empty, default=_written(parameter)) for parameter in parameters)
    return str(Signature(list(_safe(plain))))


def _receiver(api: Api, others: Sequence[Parameter]) -> str:
    owner = api.name.split(".")[-2]
    name = _RECEIVERS.get(owner, owner.lower())
    taken = {*dir(builtins), *(other.name for other in others), *(f"{other.name}_" for other in others)}
    while name in taken:
        name += "_"
    return name


def _written(parameter: Parameter) -> object:
    """Return the default as text, where its text gives the same value again."""
    if parameter.default is Parameter.empty:
        return Parameter.empty
    try:
        same = ast.literal_eval(repr(parameter.default)) == parameter.default
    except (ValueError, SyntaxError):
        same = False
    return Default(repr(parameter.default)) if same else ABSENT


def _safe(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    """Yield the parameters; positional-only ones under names that a shim does not need for itself."""
    for parameter in parameters:
        clash = parameter.kind is Parameter.POSITIONAL_ONLY and hasattr(builtins, parameter.name)
        yield parameter.replace(name=f"{parameter.name}_") if clash else parameter
