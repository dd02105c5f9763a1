"""Every API that a program refers to, with its place in the tree.

`instrument` makes the program that tells, when it runs, which classes the attributes of its values belong to.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tree_sitter import Node

from ..tree.chains import Site, Step, chain_of
from ..tree.names import Walk
from ..tree.scopes import Binding
from ..tree.syntax import is_python, parse, source_of, text_of
from .resolution import GETTERS, Origin, Receivers, Resolver, Stop, attribute_of, names_in_getter
from .standard_library import constant_type, is_class, standing

TRACE = "__edittool_trace__"

Role = Literal["call", "value", "import"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A place that certainly refers to one API.

    `node` is the expression that is the API (`len`, `math.sqrt`, `xs.append`, `getattr(math, "sqrt")`), or the child of
    a from-import that names it. `call` is the call whose function it is. `receiver` is the object of a bound method:
    `xs` in `xs.append`.
    """

    api: str
    role: Role
    node: Node
    call: Node | None = None
    receiver: Node | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attribute load that may be a method of Python's, the class of its object being unknown or one of several.

    `node` is the attribute, or the call of getattr, attrgetter or methodcaller that names it. `candidates` are the
    classes that may define it, all of them; none where nothing is known. `ran`: the receivers told of it.
    """

    attribute: str
    node: Node
    candidates: frozenset[str]
    ran: bool


@dataclass(frozen=True, slots=True)
class References:
    """What `read_references` found, in source order. The offsets of nodes count in `source`.

    `bound`: every name that the program binds, in whatever scope. What stands before `start` is left out of `found` and
    `doubts`.
    """

    root: Node
    source: bytes
    found: tuple[Reference, ...]
    doubts: tuple[Doubt, ...]
    bound: frozenset[str]
    start: int = 0

    def after(self, start: int) -> "References":
        """Return these references without those before the byte `start`: a part of the program that has to stay."""
        found = tuple(reference for reference in self.found if reference.node.start_byte >= start)
        doubts = tuple(doubt for doubt in self.doubts if doubt.node.start_byte >= start)
        return replace(self, found=found, doubts=doubts, start=start)


@dataclass(frozen=True, slots=True)
class Instrumented:
    """A program whose attribute loads are traced: number n loads `attributes[n]`, start byte of the name and name."""

    program: str
    attributes: tuple[tuple[int, str], ...]


def read_references(program: str, receivers: Receivers | None = None) -> References:
    """Return what `program` refers to of Python's builtins, its standard library and the other modules it imports.

    Annotations, comments and strings are no references, modules neither, nor the names that the program gives an API
    by assignment (`f = len` refers to `len`, `f(x)` does not).

    `receivers` tells what was seen at run time: from the start byte of an attribute's name to the dotted paths of the
    classes that define it for its values ("str", "collections.Counter", "candidate.Point"), "module" for a module, "?"
    where no class defines it. What is seen there goes before what reading infers.
    """
    root = parse(program)
    return _Reader(root, Walk(root), receivers or {}).read(source_of(program))


class _Reader:
    def __init__(self, root: Node, walk: Walk, receivers: Receivers):
        self.root, self.walk, self.receivers = root, walk, receivers
        self.resolver = Resolver(walk, receivers=receivers)
        self.roots = {module.partition(".")[0] for module in walk.imported}
        self.found: list[Reference] = []
        self.doubts: list[Doubt] = []

    def read(self, source: bytes) -> References:
        bindings = [binding for scope in self.walk.scopes for names in scope.bindings.values() for binding in names]
        for binding in bindings:
            self._read_import(binding)
        for site in self.walk.sites:
            self._read_site(site)
        self.found.sort(key=_place)
        self.doubts.sort(key=_place)
        bound = {name for scope in self.walk.scopes for name in (*scope.bindings, *scope.elsewhere)}
        return References(self.root, source, tuple(self.found), tuple(self.doubts), frozenset(bound))

    def _read_import(self, binding: Binding) -> None:
        parent = binding.node.parent if binding.path is not None else None
        statement = parent.parent if parent and parent.type == "aliased_import" else parent
        if parent is None or statement is None or statement.type != "import_from_statement":
            return
        origin = next(iter(self.resolver.origins_of_binding(binding)))
        if self._is_api(origin.path):
            node = parent if parent.type == "aliased_import" else binding.node
            self.found.append(Reference(origin.path, "import", node))

    def _read_site(self, site: Site) -> None:
        stops = self.resolver.follow(site)
        if site.stored:
            stops.pop()
        for stop, after in zip(stops, [*stops[1:], None], strict=True):
            if stop.kind == "name":
                self._read_name(stop)
            elif stop.kind == "attribute" and not stop.stores:
                self._read_attribute(stop, after)
            self._read_getter(stop)

    def _read_name(self, stop: Stop) -> None:
        origins = [origin for origin in stop.origins if origin.kind == "api"]
        if len(origins) == len(stop.origins) == 1 and self._is_api(origins[0].path) and _keeps_name(stop):
            self._refer(origins[0].path, stop)

    def _read_attribute(self, stop: Stop, after: Stop | None) -> None:
        if any(self._is_unknown(owner) for owner in stop.owners):
            self._doubt(stop)
            return
        origins = {attribute_of(owner, stop.attribute) for owner in stop.owners}
        found = {origin.path for origin in origins if origin.kind == "api" and self._is_api(origin.path)}
        own = any(owner.kind == "own" for owner in stop.owners)
        bound = {not _holds_members(owner) for owner in stop.owners}
        if found and (own or len(found) + len(bound) > 2):
            self._doubt(stop)
            return
        for path in found:
            passes_on = after is not None and after.kind == "attribute" and not is_class(path)
            if not (passes_on and standing(path) == "unseen"):  # that is a submodule, perhaps
                self._refer(path, stop, stop.owner if True in bound else None)

    def _read_getter(self, stop: Stop) -> None:
        """`operator.attrgetter("a")` and `operator.methodcaller("a")` load an attribute of what they will be given."""
        if stop.call and any(origin.path in GETTERS for origin in stop.origins):
            for name in names_in_getter(stop.call):
                self.doubts.append(Doubt(name, stop.call, frozenset(), ran=False))

    def _refer(self, path: str, stop: Stop, receiver: Node | None = None) -> None:
        self.found.append(Reference(path, "call" if stop.call else "value", stop.whole, stop.call, receiver))

    def _doubt(self, stop: Stop) -> None:
        if stop.attribute.startswith("__"):  # `x.__class__` is no method that a change could remove
            return
        candidates = frozenset(filter(None, (self._definer(owner, stop.attribute) for owner in stop.owners)))
        unknown = any(self._is_unknown(owner) for owner in stop.owners)
        ran = stop.node.start_byte in self.receivers
        self.doubts.append(Doubt(stop.attribute, stop.whole, frozenset() if unknown else candidates, ran))

    def _definer(self, owner: Origin, attribute: str) -> str | None:
        """Return the class that defines the attribute of `owner`, if one does."""
        if owner.kind == "own":
            return owner.path if owner.path != "?" else None
        path = attribute_of(owner, attribute).path
        return path.rpartition(".")[0] if self._is_api(path) else None

    def _is_unknown(self, owner: Origin) -> bool:
        odd = owner.kind == "api" and standing(owner.path) == "value" and constant_type(owner.path) is None
        return odd or owner.kind in ("unknown", "namespace")  # odd: sys.stdin, whose class differs from place to place

    def _is_api(self, path: str) -> bool:
        """Say whether `path` is an API: it exists, where that can be looked up, and it is no module."""
        stands = standing(path)
        return stands in ("class", "value") or (stands == "unseen" and self._is_imported(path))

    def _is_imported(self, path: str) -> bool:
        root = path.partition(".")[0]
        return root in self.roots | sys.stdlib_module_names and path not in self.walk.imported


def _holds_members(owner: Origin) -> bool:
    """Say whether an attribute of `owner` is its own member, rather than bound to it: a module's or a class's."""
    return owner.kind == "api" and standing(owner.path) != "value"


def _keeps_name(stop: Stop) -> bool:
    """Say whether a name is the API's own or an import's, rather than one that the program assigned it to."""
    bindings = stop.bound_in.bindings[text_of(stop.node)] if stop.bound_in else []
    return all(binding.path is not None for binding in bindings)


def _place(found: Reference | Doubt) -> tuple[int, int]:
    return found.node.start_byte, found.node.end_byte


def instrument(program: str) -> Instrumented:
    """Return `program` with each attribute load `x.a` turned into `__edittool_trace__(n, x).a`, and what n loads.

    Not traced: names with two leading underscores, attributes of `super()`, patterns, annotations, and what an
    f-string shows as text (`{x.a=}`). Lines keep their numbers. A program that does not parse is returned as it is.
    """
    root, source = parse(program), source_of(program)
    shown = list(_shown_expressions(root))
    loads = sorted(
        (step for site in Walk(root).sites for step in _loads(site) if not _lies_in(step.node, shown)),
        key=lambda step: step.node.start_byte,
    )
    openings = [(step.inner.start_byte, -step.inner.end_byte, f"{TRACE}({n}, ") for n, step in enumerate(loads)]
    closings = [(step.inner.end_byte, 0, ")") for step in loads]
    parts, position = [], 0
    for place, _, text in sorted(openings + closings):
        parts += [source[position:place], text.encode()]
        position = place
    traced = b"".join([*parts, source[position:]]).decode()
    if not (is_python(program) and is_python(traced)):
        return Instrumented(program, ())
    return Instrumented(traced, tuple((step.node.start_byte, text_of(step.node)) for step in loads))


def _loads(site: Site) -> list[Step]:
    root, steps = chain_of(site.node)
    loads = [step for step in (steps[:-1] if site.stored else steps) if step.whole.type == "attribute"]
    bare = [step for step in loads if not text_of(step.node).startswith("__")]
    of_super = text_of(root) == "super" and len(steps) > 1 and steps[0].kind == "call"
    return [step for step in bare if not (of_super and step is steps[1])]


def _shown_expressions(root: Node) -> Iterator[Node]:
    """Yield the replacement fields of f-strings that show their own text: `{x.a=}`."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if node.type == "interpolation" and any(child.type == "=" for child in node.children):
            yield node
        nodes += node.named_children


def _lies_in(node: Node, places: list[Node]) -> bool:
    return any(place.start_byte <= node.start_byte < place.end_byte for place in places)
