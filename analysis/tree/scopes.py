"""Scopes and bindings: what each part of a program calls by which name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tree_sitter import Node

MAX_CLIMB = 100  # CPython refuses deeper nesting of blocks; a lookup that climbs further goes to the module

# given: a parameter, a loop variable, a with or except target, a pattern: the value comes from elsewhere.
# updated: an augmented assignment, which keeps the type.
How = Literal["assigned", "defined", "imported", "renamed", "given", "updated"]


@dataclass(slots=True)
class Binding:
    """One place that binds a name. `effective` is the byte from which the name has this value.

    The value is that of the expression `value`, read in the scope `seen_from` (or, with `element`, what iterating over
    it gives), or the API `path`, or of the type that `annotation` says, or unknown.
    """

    how: How
    node: Node
    effective: int
    value: Node | None
    seen_from: "Scope"
    path: str | None
    annotation: Node | None = None
    element: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class, function (lambdas too) or comprehension, and what it binds."""

    kind: Literal["module", "class", "function", "comprehension"]
    parent: "Scope | None" = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, Literal["global", "nonlocal"]] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)  # modules of `from module import *`; kept at the module scope
    module: "Scope" = field(init=False)

    def __post_init__(self) -> None:
        self.module = self.parent.module if self.parent else self

    def enclosing(self) -> "Iterator[Scope]":
        """Yield this scope and those whose names it sees, innermost first, the module last."""
        scope: Scope | None = self
        for _ in range(MAX_CLIMB):
            if scope is None or scope is self.module:
                break
            if scope is self or scope.kind != "class":
                yield scope
            scope = scope.parent
        yield self.module

    def binder_of(self, name: str) -> "Scope | None":
        """Return the scope that binds `name` as it is read here; None for a name of Python's own."""
        for scope in self.enclosing():
            declared = scope.elsewhere.get(name) if scope.kind != "module" else None
            if declared == "global":
                return self.module if name in self.module.bindings else None
            if declared is None and name in scope.bindings:
                return scope
        return None

    def owner_of(self, name: str) -> "Scope":
        """Return the scope in which a binding of `name`, made here, takes place (`global`, `nonlocal`)."""
        declared = self.elsewhere.get(name)
        if declared is None:
            return self
        if declared == "global":
            return self.module
        outer = (scope for scope in self.enclosing() if scope.kind == "function" and scope is not self)
        return next((scope for scope in outer if name in scope.bindings), self)
