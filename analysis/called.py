"""How a program called the replacement of a change: right, ill, or not at all. Whether it passes is another matter.

Rules in order, the first that holds decides: `schemas.verdicts` has them in sentences, docs/judging.md their reasons.
Counted calls come before what is read in the text: a call that never ran says nothing of how it would have been taken.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..schemas.changes import Change
from ..schemas.verdicts import STOPPED, Called, Outcome
from .rewriting.effects import CHANGING
from .tree.chains import Site
from .tree.names import Walk
from .tree.syntax import parse
from .uses.resolution import Resolver
from .work.result import CHANGERS, part_of_result

MAX_READ: Final = 100_000  # characters, as for the label
_QUOTED = re.compile(r"'([^'\n]{1,200})'")


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one replacement: `returned` to the program, `failed` (taken, and raised in it), and `refused`."""

    returned: int = 0
    failed: int = 0
    refused: int = 0


def how_called(
    program: str,
    change: Change,
    calls: Calls,
    *,
    outcome: Outcome,
    errors: Iterable[Mapping[str, Any]] = (),
    named: bool,
    needed: bool | None = None,
    entry_point: str = "",
) -> Called | None:
    """Return how `program` called the replacement of `change`; None where that is not known.

    `errors` are those of the verdict and of its tests ({"message", "kind"}). `named`: the program's text refers to the
    replacement. `needed`: it fails where the replacement's value is taken from it; None where nobody tried.
    """
    if outcome == "sandbox_error":
        return None
    passed = outcome == "passed"
    sought = change.form == "synthetic" and _is_sought_as_attribute(change.replacement, errors)
    if calls.refused or (calls.failed and not passed) or sought:
        return "ill_called"
    if calls.returned:
        used = _is_value_used(program[:MAX_READ], change, entry_point) if needed is None else needed
        return "right" if used else "ill_called"
    if calls.failed:  # always caught: it passes without any value of the replacement's
        return "ill_called"
    # The counts of the part that was stopped never came.
    return None if named and outcome in STOPPED else "not_called"


def _is_sought_as_attribute(name: str, errors: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether an error is that some value has no attribute `name`: `text.my_str_split(',')`."""
    found = (error.get("message") or "" for error in errors if error.get("kind") == "missing_attribute")
    return any(name in _QUOTED.findall(message) for message in found)


def _is_value_used(program: str, change: Change, entry_point: str) -> bool:
    """Say whether what the replacement gives may reach the result of `entry_point`, as far as the text shows.

    A replacement that works by what it changes gives its value to nobody. One that no expression refers to (`eval` of a
    text put together) is called all the same, and nothing shows that its value is thrown away.
    """
    root = parse(program)
    walk = Walk(root)
    resolver = Resolver(walk, assumed={name.partition(".")[0] for name in change.adopted})
    places = {
        site.node.id: thrown for site in walk.sites if (thrown := _is_thrown_away(site, resolver, change)) is not None
    }
    if not places:
        return True
    if change.deprecated.rpartition(".")[2] in CHANGERS | CHANGING and any(places.values()):
        return True
    needed = {site.node.id for site in part_of_result(walk, root, entry_point).sites}
    return any(node in needed and not thrown for node, thrown in places.items())


def _is_thrown_away(site: Site, resolver: Resolver, change: Change) -> bool | None:
    """Say whether `site` is a statement that calls the replacement and nothing else; None where it does not name it."""
    stops = [
        stop
        for stop in resolver.follow(site)
        if any(origin.kind == "api" and origin.path in change.adopted for origin in stop.origins)
    ]
    if not stops:
        return None
    parent = site.node.parent
    alone = parent is not None and parent.type == "expression_statement"
    return alone and any(stop.call is not None and stop.call.id == site.node.id for stop in stops)
