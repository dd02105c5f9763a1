"""An API change: a deprecated API that is gone, and the replacement that stands in for it."""

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

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        names = ("change_id", "deprecated", "replacement", "usage", "signature", "shim", "doc")
        order = row.get("order")
        values = {name: row[name] for name in names}
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
            "shim": self.shim,
            "doc": self.doc,
        }
        examples = [{"before": example.before, "after": example.after} for example in self.examples]
        optional = {"order": self.order, "kind": self.kind, "examples": examples or None}
        return row | {name: value for name, value in optional.items() if value is not None}
