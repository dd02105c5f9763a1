"""Where a program uses an API: names resolved through aliases, imports and scopes down to the API they stand for."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tree_sitter import Node

from .chains import Site, Step, chain_of
from .known import (
    BASES,
    BUILTIN_NAMES,
    STAR_MODULES,
    TWINS,
    VALUES,
    canonical,
    is_class,
    member,
    result_type,
    star_names,
)
from .names import Walk
from .scopes import Binding, Scope
from .syntax import line_of, literal_text, parse, parts_of, text_of

Kind = Literal["call", "value", "import", "definition", "attribute"]

MAX_ORIGINS = 8  # a name that may stand for more things than this stands for nothing certain
MAX_PATH = 300  # characters of an API's name; no API has a longer one
MAX_STARS = 20  # star imports of more modules than this are not searched
MAX_NESTING = 4  # getattr(getattr(...)) is followed this deep


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the API `name`, on a 1-based line.

    `call` and `value`: referred to, and called there or not. `import`: imported by name. `definition`: the program
    gives that name (bare, or as an attribute of its module) a meaning of its own. `attribute`: an attribute of that
    name on a receiver whose type is not known, such as `x.split` for str.split.
    """

    name: str
    kind: Kind
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read about the names asked for.

    `redefined`: names whose references reach a definition of the program's own. `always_called`: names called
    whenever the program loads, outside any branch or function. `called`: every API called, asked for or not; a
    method of an unknown receiver as ".name".
    """

    uses: tuple[Use, ...]
    redefined: frozenset[str]
    always_called: frozenset[str]
    called: frozenset[str]


class Origin(NamedTuple):
    """What an expression stands for: an API, a value of the type `path`, the namespace of a module, or unknown."""

    kind: Literal["api", "instance", "namespace", "unknown"]
    path: str


Origins = frozenset[Origin]
UNKNOWN: Origins = frozenset({Origin("unknown", "")})

_LITERALS = {
    "concatenated_string": "str",
    "dictionary": "dict",
    "dictionary_comprehension": "dict",
    "false": "bool",
    "float": "float",
    "integer": "int",
    "list": "list",
    "list_comprehension": "list",
    "set": "set",
    "set_comprehension": "set",
    "true": "bool",
    "tuple": "tuple",
}
_IMPORTERS = ("__import__", "importlib.import_module")


def find_uses(program: str, names: Collection[str]) -> list[Use]:
    """Return the uses in `program` of the APIs `names`, by qualified name ("len", "math.sqrt"), in source order.

    Works on any text. Annotations, comments and strings are no uses, a literal `getattr(math, "sqrt")` is. Not seen:
    code in strings (eval, exec), operator.methodcaller and attrgetter, and the attributes of a class pattern.
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

    def attribute(self, owner: str, name: str) -> str:
        """Return the path of `owner.name`, on the base class where the method asked for stands there."""
        paths = [member(kind, name) for kind in (owner, *BASES.get(owner, ()))]
        return next((path for path in paths if path in self.exact), paths[0])


@dataclass(slots=True)
class _Stop:
    """A link of a chain at which an API may have been named: what it may be, name -> certain."""

    node: Node
    found: dict[str, bool]
    origins: Origins
    called: bool = False
    unknown_method: str | None = None
    stored: list[str] = field(default_factory=list)  # names given a new value here (setattr)


class _Reader:
    def __init__(self, walk: Walk, asked: Asked):
        self.walk, self.asked = walk, asked
        latest = dict.fromkeys(map(canonical, reversed(walk.module.stars)))
        self.stars = list(latest)[:MAX_STARS]
        self.values: dict[tuple[int, str], Origins] = {}  # (id of scope, name): what the name may stand for
        self.effective: dict[tuple[int, str], int] = {}
        self.uses: list[tuple[int, Use]] = []
        self.redefined: set[str] = set()
        self.always_called: set[str] = set()
        self.called: set[str] = set()

    def read(self) -> Reading:
        self._evaluate_bindings()
        self._report_bindings()
        for site in self.walk.sites:
            self._report_site(site)
        uses = tuple(use for _, use in sorted(self.uses, key=lambda found: found[0]))
        return Reading(uses, *map(frozenset, (self.redefined, self.always_called, self.called)))

    # Bindings: evaluated in source order, outer scopes first, so that no lookup has to wait for another one.

    def _evaluate_bindings(self) -> None:
        for scope in self.walk.scopes:
            for name, bindings in scope.bindings.items():
                self.effective[id(scope), name] = min(binding.effective for binding in bindings)
        for scope in self.walk.scopes:
            pairs = [(name, binding) for name, bindings in scope.bindings.items() for binding in bindings]
            for name, binding in sorted(pairs, key=lambda pair: pair[1].effective):
                known = self.values.get((id(scope), name), frozenset())
                origins = known | self._origins_of_binding(binding)
                self.values[id(scope), name] = origins if len(origins) <= MAX_ORIGINS else UNKNOWN

    def _origins_of_binding(self, binding: Binding) -> Origins:
        if binding.how == "updated":  # keeps its type
            return frozenset()
        if binding.path is not None:
            return frozenset({Origin("api", canonical(binding.path))})
        if binding.value is not None:
            return self._origins(binding.value, binding.seen_from)
        return UNKNOWN

    def _report_bindings(self) -> None:
        for scope in self.walk.scopes:
            for name, bindings in scope.bindings.items():
                for binding in bindings:
                    self._report_binding(scope, name, binding)

    def _report_binding(self, scope: Scope, name: str, binding: Binding) -> None:
        origins = self._origins_of_binding(binding)
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

    # Sites

    def _report_site(self, site: Site) -> None:
        stops = self._follow(site.node, site.scope, record=True)
        for stop in stops:
            last = stop is stops[-1]
            called = stop.called or (last and site.applied)
            for name in stop.stored:
                self._redefine(stop.node, name)
            for name, certain in stop.found.items():
                if last and site.stored and certain:
                    self._redefine(stop.node, name)
                    continue
                self._add(stop.node, name, ("call" if called else "value") if certain else "attribute")
                if called and certain and site.always:
                    self.always_called.add(name)
            if called:
                self._note_call(stop)

    def _redefine(self, node: Node, name: str) -> None:
        self._add(node, name, "definition")
        self.redefined.add(name)

    def _note_call(self, stop: _Stop) -> None:
        self.called.update(origin.path for origin in stop.origins if origin.kind == "api")
        if stop.unknown_method:
            self.called.add(f".{stop.unknown_method}")

    def _add(self, node: Node, name: str, kind: Kind) -> None:
        self.uses.append((node.start_byte, Use(name, kind, line_of(node))))

    # Expressions

    def _origins(self, node: Node, scope: Scope, nesting: int = 0) -> Origins:
        stops = self._follow(node, scope, nesting=nesting)
        return stops[-1].origins

    def _follow(self, node: Node, scope: Scope, *, nesting: int = 0, record: bool = False) -> list[_Stop]:
        """Follow a chain from its root, and return what stands at each link; there is at least one."""
        root, steps = chain_of(node)
        rest: list[Node] = []
        if root.type == "dotted_name":
            root, *rest = [*parts_of(root)] or [root]
        steps = [Step("attribute", name) for name in rest] + steps
        stops = [self._root(root, scope, record)]
        for step in steps:
            stops.append(self._step(stops[-1], step, scope, nesting))
        return stops

    def _root(self, node: Node, scope: Scope, record: bool) -> _Stop:
        if node.type in ("identifier", "print", "exec"):
            origins = self._lookup(text_of(node), node, scope, record)
            return _Stop(node, dict.fromkeys(self._matches(origins), True), origins)
        return _Stop(node, {}, _literal(node))

    def _step(self, before: _Stop, step: Step, scope: Scope, nesting: int) -> _Stop:
        if step.kind == "attribute":
            return self._attribute(before.origins, text_of(step.node), step.node)
        if step.kind == "call":
            before.called = True
            return self._call(before, step.node, scope, nesting)
        return self._item(before.origins, step.node)

    def _attribute(self, owners: Origins, name: str, node: Node) -> _Stop:
        reached: set[Origin] = set()
        found: dict[str, bool] = {}
        for owner in owners:
            if owner.kind in ("api", "instance") and len(owner.path) <= MAX_PATH:
                origin = self._attribute_of(owner, name)
                reached.add(origin)
                for match in self._matches([origin]):
                    certain = owner.kind == "api" or len(owners) == 1
                    found[match] = found.get(match, False) or certain
            else:
                reached |= UNKNOWN
                for match in self.asked.on_unknown(name):
                    found.setdefault(match, False)
        unknown = name if Origin("unknown", "") in reached else None
        return _Stop(node, found, frozenset(reached), unknown_method=unknown)

    def _attribute_of(self, owner: Origin, name: str) -> Origin:
        if name == "__dict__":
            return Origin("namespace", owner.path)
        path = self.asked.attribute(owner.path, name)
        known_value = path in VALUES and path not in self.asked.exact
        return Origin("instance", VALUES[path]) if known_value else Origin("api", path)

    def _item(self, owners: Origins, subscript: Node) -> _Stop:
        key = literal_text(subscript.child_by_field_name("subscript"))
        for owner in owners:
            names = owner.kind == "namespace" or owner == Origin("api", "builtins")  # __builtins__ may be a dict
            if key is not None and names:
                return self._attribute(frozenset({Origin("api", owner.path)}), key, subscript)
        text = Origin("instance", "str")
        return _Stop(subscript, {}, frozenset({text}) if owners == {text} else UNKNOWN)

    def _call(self, function: _Stop, arguments: Node, scope: Scope, nesting: int) -> _Stop:
        results: set[Origin] = set()
        for origin in function.origins:
            special = self._special_call(origin, arguments, scope, nesting) if origin.kind == "api" else None
            if special:
                return special
            kind = result_type(origin.path) if origin.kind == "api" else None
            results.add(Origin("instance", kind) if kind else Origin("unknown", ""))
        return _Stop(arguments, {}, frozenset(results) or UNKNOWN)

    def _special_call(self, origin: Origin, arguments: Node, scope: Scope, nesting: int) -> _Stop | None:
        """Follow the calls that name an API by a string: getattr, setattr, vars, and the importers."""
        if origin.path not in ("getattr", "setattr", "vars", *_IMPORTERS) or nesting >= MAX_NESTING:
            return None
        given = list(parts_of(arguments)) if arguments.type == "argument_list" else []
        if origin.path in _IMPORTERS:
            return _imported_module(origin.path, given, arguments)
        if origin.path == "vars" and len(given) == 1:
            owners = self._origins(given[0], scope, nesting + 1)
            spaces = frozenset(Origin("namespace", owner.path) for owner in owners if owner.kind == "api")
            return _Stop(arguments, {}, spaces or UNKNOWN)
        name = literal_text(given[1]) if len(given) > 1 else None
        if name is None:
            return None
        stop = self._attribute(self._origins(given[0], scope, nesting + 1), name, arguments)
        if origin.path == "setattr":
            return _Stop(arguments, {}, UNKNOWN, stored=[name for name, certain in stop.found.items() if certain])
        return stop

    # Names

    def _lookup(self, name: str, node: Node, scope: Scope, record: bool) -> Origins:
        for seen in scope.enclosing():
            if seen.kind != "module" and name in seen.elsewhere:
                if seen.elsewhere[name] == "global":
                    return self._lookup(name, node, scope.module, record)
                continue
            if name in seen.bindings and not self._comes_before(name, node, scope, seen):
                if record and seen.kind != "module":
                    self._note_capture(name, seen)
                return self.values.get((id(seen), name)) or UNKNOWN
        return self._outside(name)

    def _comes_before(self, name: str, node: Node, scope: Scope, seen: Scope) -> bool:
        """Say whether a module or class body reads a name that it binds only later: then the name outside is meant."""
        return seen is scope and seen.kind in ("module", "class") and node.start_byte < self.effective[id(seen), name]

    def _note_capture(self, name: str, scope: Scope) -> None:
        """A reference reaches a local definition; parameters and loop variables may carry the API itself."""
        if name not in self.asked.bare:
            return
        own = any(binding.how in ("assigned", "defined", "renamed") for binding in scope.bindings[name])
        if own and self.asked.exact[name] not in self._matches(self.values.get((id(scope), name), UNKNOWN)):
            self.redefined.add(self.asked.exact[name])

    def _outside(self, name: str) -> Origins:
        """Return what a name that no scope binds stands for: star imports, builtins, a module never imported."""
        for module in self.stars:
            path = member(module, name)
            if name in star_names(module) or (module not in STAR_MODULES and path in self.asked.exact):
                return frozenset({Origin("api", path)})
        if name in BUILTIN_NAMES or name in self.asked.shims or name in self.asked.roots or name in TWINS:
            return frozenset({Origin("api", canonical(name))})
        return UNKNOWN

    def _matches(self, origins: Iterable[Origin]) -> list[str]:
        return sorted(set(_present(self.asked.match(origin.path) for origin in origins if origin.kind == "api")))


def _present(names: Iterable[str | None]) -> Iterator[str]:
    return (name for name in names if name is not None)


def _imported_module(importer: str, given: list[Node], node: Node) -> _Stop | None:
    path = literal_text(given[0]) if given else None
    if path is None:
        return None
    if importer == "__import__" and len(given) == 1:  # gives the top package
        path = path.partition(".")[0]
    return _Stop(node, {}, frozenset({Origin("api", canonical(path))}))


def _literal(node: Node) -> Origins:
    kind = _LITERALS.get(node.type)
    if node.type == "string":
        prefix = text_of(node.children[0]).rstrip("\"'").lower() if node.children else ""
        kind = "bytes" if "b" in prefix else "str"
    elif node.type == "binary_operator":  # "..." % x
        left, operator = (node.child_by_field_name(name) for name in ("left", "operator"))
        text = left is not None and left.type in ("string", "concatenated_string")
        kind = "str" if text and operator is not None and operator.type in ("%", "+") else None
    return frozenset({Origin("instance", kind)}) if kind else UNKNOWN
