"""Calling conventions: how the calls of a removed API become calls of its replacement.

A convention sees one call at a time, its parts already rewritten; `rewrite` finds the calls and puts the new text in.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from ...schemas.changes import ApiKind

Reason = Literal[
    "aliased",
    "arguments",
    "class_scope",
    "does_not_parse",
    "evaluation_order",
    "f_string",
    "name_taken",
    "pattern",
    "receiver_value",
    "stored",
    "type_use",
    "unknown_receiver",
    "use_left",
    "value_use",
]

REASONS: dict[Reason, str] = {
    "aliased": "the API is given another name (f = len)",
    "arguments": "the convention cannot express the arguments of a call",
    "class_scope": "a class body uses a method as a value, and what is written for it could not see the class's names",
    "does_not_parse": "the program is not Python 3.11, before or after rewriting",
    "evaluation_order": "an argument with side effects would be evaluated in another order",
    "f_string": "what would stand inside an f-string cannot stand there",
    "name_taken": "the program binds the name of the replacement",
    "pattern": "the API stands in a pattern of a match statement",
    "receiver_value": "the object of a method used as a value is more than a name and would be evaluated later",
    "stored": "the API is assigned to or deleted",
    "type_use": "the API is used as a type (isinstance, a base class, a comparison), and there is no literal of it",
    "unknown_receiver": "an attribute may or may not be the API, because the type of its object is not known",
    "use_left": "the API is still used after rewriting",
    "value_use": "the API is used as a value where the number of its arguments is not known",
}


class Refusal(Exception):  # noqa: N818
    """A program, or a call in it, that cannot be rewritten."""

    def __init__(self, reason: Reason, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: source text that can stand as an argument, positional or after `name=`."""

    text: str
    keyword: str | None = None
    splat: Literal["", "*", "**"] = ""


@dataclass(frozen=True, slots=True)
class OldCall:
    """A call of the removed API.

    `receiver` is the text of a bound method's object, which can stand before a dot and as an argument. It is None for
    functions, classes and methods called on the class: there the object is the first argument.
    """

    receiver: str | None
    arguments: tuple[Argument, ...]


class Convention(Protocol):
    """How one API is replaced."""

    @property
    def api(self) -> str:
        """The canonical name of the removed API."""

    @property
    def replacement(self) -> str:
        """The name that stands in for it."""

    @property
    def kind(self) -> ApiKind:
        """What the API is. A module_constant is not called: each load of it becomes a call without arguments."""

    def rewrite(self, call: OldCall) -> str:
        """Return the source of the new call: a name, attribute or call, so that it can stand wherever the old one did.

        Raises Refusal, most often "arguments". It may be asked more than once, with other texts for the same arguments.
        """

    def value(self, receiver: str | None) -> str | None:
        """Return what stands for the API used as a value, or None where a lambda around `rewrite` has to be made."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """The mere rename: the new name stands where the old one stood, and nothing else differs."""

    api: str
    replacement: str
    kind: ApiKind = "other"

    def rewrite(self, call: OldCall) -> str:
        """Return the call with the new name."""
        parts = (f"{a.keyword}={a.text}" if a.keyword else a.splat + a.text for a in call.arguments)
        return f"{self.value(call.receiver)}({', '.join(parts)})"

    def value(self, receiver: str | None) -> str:
        """Return the new name, or the attribute of that name."""
        return self.replacement if receiver is None else f"{receiver}.{self.replacement}"
