"""The calls that a program makes of an API by the API's own name."""

from typing import NamedTuple

from tree_sitter import Node

from ..tree.names import Walk
from ..tree.syntax import parse, source_of, text_of
from .resolution import Resolver


class Call(NamedTuple):
    """A call as text, and the program's text before it; line ends are `\\n`."""

    before: str
    text: str


def first_call(program: str, name: str, start: int = 0) -> Call | None:
    """Return the first call of the API with the bare name `name` in `program`, from character `start` on.

    A call under another name (`f = len; f(x)`) does not count, nor one of a function of the program's own, nor a mere
    mention (`map(len, xs)`).
    """
    walk, source = Walk(parse(program)), source_of(program)
    first_byte = len(source_of(program[:start]))
    calls = [call for call in _calls(walk, name) if call.start_byte >= first_byte]
    if not calls:
        return None
    call = min(calls, key=lambda call: call.start_byte)
    return Call(source[: call.start_byte].decode(), source[call.start_byte : call.end_byte].decode())


def _calls(walk: Walk, name: str) -> list[Node]:
    resolver = Resolver(walk, assumed={name})
    stops = [stop for site in walk.sites for stop in resolver.follow(site)]
    return [
        stop.call
        for stop in stops
        if stop.call and text_of(stop.node) == name and {origin.path for origin in stop.origins} == {name}
    ]
