"""The uses of an API in a program: names resolved through aliases, imports and scopes down to the API they mean."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from ..tree.chains import Site
from ..tree.names import Walk
from ..tree.scopes import Binding, Scope
from ..tree.syntax import evaluated_text, first_argument, line_of, parse, text_of
from .resolution import GETTERS, Origin, Resolver, Stop, attribute_of, names_in_getter
from .standard_library import BUILTIN_NAMES, canonical, is_class, member

Kind = Literal["call", "value", "import", "definition", "attribute"]

MAX_TEXTS = 50  # programs in strings that are read


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the API `name`, on a 1-based line.

    `call` and `value`: referred to, and called there or not. `import`: imported by name. `definition`: the program
    gives that name (bare, or as an attribute of its module) a meaning of its own. `attribute`: an attribute of that
    name on a receiver whose type is not known, such as `x.split` for str.split; a name that Python does not have, on
    any value.
    """

    name: str
    kind: Kind
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read about the names asked for.

    `redefined`: names whose references reach a definition of the program's own. `always_called`: names called
    whenever the program loads, outside any branch or function.
    """

    uses: tuple[Use, ...]
    redefined: frozenset[str]
    always_called: frozenset[str]


def find_uses(program: str, names: Collection[str]) -> list[Use]:
    """Return the uses in `program` of the APIs `names`, by qualified name ("len", "math.sqrt"), in source order.

    Works on any text. Annotations, comments and strings are no uses; a literal `getattr(math, "sqrt")` is, and so are
    those in a literal given to eval or exec. Not seen: the attributes of a class pattern.
    """
    return list(read_program(program, names).uses)


def read_program(program: str, names: Collection[str]) -> Reading:
    """Return what `program` does with the APIs `names`."""
    return _Reader(Walk(parse(program)), Asked(names)).read()


class Asked:
    """The names asked for, ready to be matched.

    A bare name that Python does not have (`my_builtin_len`) is a shim: it counts wherever it stands, so
    `math.my_builtin_len` names it too. A name whose owner is a class is a method.
    """

    def __init__(self, names: Collection[str]):
        self.exact = {canonical(name): name for name in names}
        self.bare = {name for name in self.exact if "." not in name}
        self.shims = self.bare - BUILTIN_NAMES
        self.roots = {path.partition(".")[0] for path in self.exact if "." in path} - BUILTIN_NAMES
        self.methods: dict[str, list[str]] = {}
        for path, name in self.exact.items():
            owner, _, tail = path.rpartition(".")
            if is_class(owner):
                self.methods.setdefault(tail, []).append(name)

    def match(self, path: str) -> str | None:
        """Return the name asked for that the API `path` is."""
        tail = path.rpartition(".")[2]
        return self.exact.get(path) or (self.exact[tail] if tail in self.shims else None)

    def on_unknown(self, attribute: str) -> list[str]:
        """Return the names that `x.attribute` may be, x being unknown."""
        shim = [self.exact[attribute]] if attribute in self.shims else []
        return self.methods.get(attribute, []) + shim


class _Reader:
    def __init__(self, walk: Walk, asked: Asked):
        self.walk, self.asked = walk, asked
        self.resolver = Resolver(walk, assumed=asked.shims | asked.roots, wanted=asked.exact.__contains__)
        self.uses: list[tuple[int, Use]] = []
        self.redefined: set[str] = set()
        self.always_called: set[str] = set()
        self.texts: list[tuple[Walk, Node]] = []  # programs in strings, and where they stand

    def read(self) -> Reading:
        self._read_walk(self.walk)
        for walk, place in self.texts:  # grows meanwhile
            self.resolver.add(walk)
            outside, self.uses = self.uses, []
            self._read_walk(walk)
            self.uses = outside + [(place.start_byte, Use(use.name, use.kind, line_of(place))) for _, use in self.uses]
        uses = tuple(use for _, use in sorted(self.uses, key=lambda found: found[0]))
        return Reading(uses, frozenset(self.redefined), frozenset(self.always_called))

    def _read_walk(self, walk: Walk) -> None:
        for scope in walk.scopes:
            for name, bindings in scope.bindings.items():
                for binding in bindings:
                    self._read_binding(scope, name, binding)
        for site in walk.sites:
            self._read_site(site)

    def _read_binding(self, scope: Scope, name: str, binding: Binding) -> None:
        origins = self.resolver.origins_of_binding(binding)
        if binding.path is not None:
            for found in self._matches(origins):
                self._add(binding.node, found, "import")
        if name not in self.asked.bare or self.asked.exact[name] in self._matches(origins):
            return
        asked = self.asked.exact[name]
        if binding.how == "imported" and name in self.asked.shims:  # sought in the wrong place, not redefined
            self._add(binding.node, asked, "import")
            return
        self._add(binding.node, asked, "definition")
        if scope.kind == "module" and binding.how not in ("given", "updated"):
            self.redefined.add(asked)

    def _read_site(self, site: Site) -> None:
        stops = self.resolver.follow(site)
        for stop in stops:
            last = stop is stops[-1]
            called = stop.call is not None or (last and site.applied)
            for name, certain in self._found(stop).items():
                if certain and (stop.stores or (last and site.stored)):
                    self._add(stop.node, name, "definition")
                    self.redefined.add(name)
                elif not stop.stores:
                    self._add(stop.node, name, ("call" if called else "value") if certain else "attribute")
                if called and certain and site.always:
                    self.always_called.add(name)
            if called:
                self._read_call(stop, site.scope)
        self._note_capture(stops[0])

    def _found(self, stop: Stop) -> dict[str, bool]:
        """Return the names asked for that stand at `stop`, and whether that is certain."""
        if stop.kind == "name":
            return dict.fromkeys(self._matches(stop.origins), True)
        found: dict[str, bool] = {}
        for owner in stop.owners:
            known = owner.kind in ("api", "instance")
            names = self._members(owner, stop.attribute) if known else self.asked.on_unknown(stop.attribute)
            certain = owner.kind == "api" or (known and len(stop.owners) == 1)
            for name in names:
                no_member = canonical(name) in self.asked.shims and (owner.kind == "instance" or is_class(owner.path))
                found[name] = found.get(name, False) or (certain and not no_member)
        return found

    def _members(self, owner: Origin, attribute: str) -> list[str]:
        """Return the name asked for that `owner.attribute` is: its own, or that of the class that defines it."""
        own = self.asked.match(member(owner.path, attribute))
        return [own] if own else self._matches([attribute_of(owner, attribute)])

    def _read_call(self, stop: Stop, scope: Scope) -> None:
        paths = {origin.path for origin in stop.origins if origin.kind == "api"}
        if not stop.call or paths.isdisjoint((*GETTERS, *_EVALUATORS)):
            return
        for attribute in names_in_getter(stop.call) if not paths.isdisjoint(GETTERS) else ():
            for name in self.asked.on_unknown(attribute):
                self._add(stop.call, name, "attribute")
        first = first_argument(stop.call)
        text = evaluated_text(first) if first and not paths.isdisjoint(_EVALUATORS) else None
        if first and text is not None and len(self.texts) < MAX_TEXTS:
            self.texts.append((Walk(parse(text), outer=scope), first))

    def _note_capture(self, root: Stop) -> None:
        """A reference reaches a local definition; parameters and loop variables may carry the API itself."""
        scope = root.bound_in
        if scope is None or scope.kind == "module":
            return
        name = text_of(root.node)
        if name not in self.asked.bare:
            return
        own = any(binding.how in ("assigned", "defined", "renamed") for binding in scope.bindings[name])
        if own and self.asked.exact[name] not in self._matches(self.resolver.values_of(scope, name)):
            self.redefined.add(self.asked.exact[name])

    def _add(self, node: Node, name: str, kind: Kind) -> None:
        self.uses.append((node.start_byte, Use(name, kind, line_of(node))))

    def _matches(self, origins: Iterable[Origin]) -> list[str]:
        return sorted(set(_present(self.asked.match(origin.path) for origin in origins if origin.kind == "api")))


_EVALUATORS = frozenset({"compile", "eval", "exec"})


def _present(names: Iterable[str | None]) -> Iterator[str]:
    return (name for name in names if name is not None)
