"""An API change: a deprecated API that is gone, and the replacement that stands in for it.

It has one of three forms. *Synthetic*: a replacement of a bare name, which a shim defines. *Real*: the library has the
replacement. *In place*: the name stays, and how it is called changes, by a shim or by what the library has by now.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Usage = Literal["renamed", "reordered", "keyword_only", "packed", "function"]
ApiKind = Literal[
    "builtin_function",
    "builtin_type",
    "module_function",
    "module_class",
    "module_constant",
    "builtin_method",
    "class_method",
    "other",
]


Form = Literal["synthetic", "real", "in_place"]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code that uses the deprecated API, and the same with the replacement."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row of BENCH/changes.jsonl; the fields are described in change.schema.json."""

    change_id: str
    deprecated: str
    replacement: str
    usage: Usage
    signature: str
    shim: str
    doc: str
    order: int | None = None
    kind: ApiKind | None = None
    examples: tuple[Example, ...] = ()
    adopt: tuple[str, ...] = ()
    old_signature: str = ""

    @property
    def form(self) -> Form:
        """Return which form of a change it is."""
        if self.replacement == self.deprecated:
            return "in_place"
        return "synthetic" if self.shim else "real"

    @property
    def adopted(self) -> tuple[str, ...]:
        """Return the names of all whose use counts as adoption, the replacement's first."""
        return (self.replacement, *self.adopt)

    @property
    def old_parameters(self) -> str:
        """Return the parameters of the old signature, without annotations and values; "" where there is none.

        Raises SyntaxError where it is no signature.
        """
        return bare_parameters(self.old_signature) if self.old_signature else ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        names = ("change_id", "deprecated", "replacement", "usage", "signature", "doc")
        order = row.get("order")
        values = {name: row[name] for name in names}
        values |= {"shim": row.get("shim", ""), "adopt": tuple(row.get("adopt", ()))}
        values |= {"old_signature": row.get("old_signature", "")}
        order = None if order is None else int(order)  # JSON knows 1.0 for an integer
        examples = tuple(Example(**example) for example in row.get("examples", ()))
        return cls(**values, order=order, kind=row.get("kind"), examples=examples)

    def to_row(self) -> dict[str, Any]:
        """Return the JSON object of this change."""
        row: dict[str, Any] = {
            "change_id": self.change_id,
            "deprecated": self.deprecated,
            "replacement": self.replacement,
            "usage": self.usage,
            "signature": self.signature,
            "doc": self.doc,
        }
        examples = [{"before": example.before, "after": example.after} for example in self.examples]
        optional = {
            "shim": self.shim or None,
            "adopt": list(self.adopt) or None,
            "old_signature": self.old_signature or None,
            "order": self.order,
            "kind": self.kind,
            "examples": examples or None,
        }
        return row | {name: value for name, value in optional.items() if value is not None}


def bare_parameters(signature: str) -> str:
    """Return the parameters of `signature` ("sum(a, axis=None)"), with no annotation, and None for every value.

    Raises SyntaxError where it is no signature.
    """
    inside = signature[signature.index("(") :] if "(" in signature else ""
    (function,) = ast.parse(f"def f{inside}:\n    pass").body  # a line of its own: no comment can hide it
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    nothing = ast.Constant(None)
    arguments.defaults = [nothing for _ in arguments.defaults]
    arguments.kw_defaults = [None if value is None else nothing for value in arguments.kw_defaults]
    return ast.unparse(arguments)
