"""Resolution: the meaning of a program's expressions, names followed through aliases, imports and scopes to APIs."""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tree_sitter import Node

from ..tree.chains import Site, Step, chain_of
from ..tree.names import Walk
from ..tree.scopes import Binding, Scope
from ..tree.syntax import evaluated_text, first_argument, literal_text, parts_of, text_of
from .standard_library import (
    ANNOTATED,
    BUILTIN_NAMES,
    ELEMENTS,
    MODULES,
    SLICED,
    TWINS,
    canonical,
    constant_type,
    home,
    is_class,
    member,
    result_type,
    standing,
    star_names,
)

MAX_ORIGINS = 8  # a name that may stand for more things than this stands for nothing certain
MAX_PATH = 300  # characters of an API's name; no API has a longer one
MAX_STARS = 20  # star imports of more modules than this are not searched
MAX_NESTING = 4  # getattr(getattr(...)) and operators in operators are followed this deep
MAX_PASSES = 3  # over the bindings, each with what the one before found

Receivers = Mapping[int, frozenset[str]]


class Origin(NamedTuple):
    """What an expression stands for.

    An API, a value of the type `path` (one that holds values of the type `element`), the namespace of a module, a value
    whose type is the program's own, or unknown.
    """

    kind: Literal["api", "instance", "namespace", "own", "unknown"]
    path: str
    element: str = ""


Origins = frozenset[Origin]
UNKNOWN: Origins = frozenset({Origin("unknown", "")})
NOTHING: Origins = frozenset()


@dataclass(slots=True, eq=False)
class Stop:
    """A link of a chain, and what the chain up to it stands for.

    `node` is where it is reported, `whole` the chain so far. A name has the scope that binds it, `bound_in`; an
    attribute has its name, its object and what that stands for. `call`: the call whose function this is.
    `stores`: setattr, which gives the attribute a new value here.
    """

    kind: Literal["name", "attribute", "other"]
    node: Node
    whole: Node
    origins: Origins
    bound_in: Scope | None = None
    attribute: str = ""
    owner: Node | None = None
    owners: Origins = NOTHING
    call: Node | None = None
    stores: bool = False


class Resolver:
    """Follows the chains of a walked program.

    `assumed`: names that stand for APIs although nothing binds them. `wanted` says of an API of a module that is not
    looked at whether a star import brings it. `receivers`: see references.
    """

    def __init__(
        self,
        walk: Walk,
        *,
        assumed: Collection[str] = (),
        wanted: Callable[[str], bool] = lambda path: False,
        receivers: Receivers | None = None,
    ):
        self._assumed, self._wanted, self._receivers = assumed, wanted, receivers or {}
        self._roots = {canonical(name).partition(".")[0] for name in walk.imported}
        latest = dict.fromkeys(map(canonical, reversed(walk.module.stars)))
        self._stars = list(latest)[:MAX_STARS]
        self._values: dict[tuple[int, str], Origins] = {}  # (id of scope, name): what the name may stand for
        self._effective: dict[tuple[int, str], int] = {}
        self.add(walk)

    # Bindings: evaluated in source order, outer scopes first, so that few lookups have to wait for another one; again,
    # for those that a later binding changes.

    def add(self, walk: Walk) -> None:
        """Take in what the scopes of `walk` bind."""
        for scope in walk.scopes:
            for name, bindings in scope.bindings.items():
                self._effective[id(scope), name] = min(binding.effective for binding in bindings)
        for _ in range(MAX_PASSES):
            changed = [scope for scope in walk.scopes if self._evaluate(scope)]
            if not changed:
                break

    def _evaluate(self, scope: Scope) -> bool:
        changed = False
        pairs = [(name, binding) for name, bindings in scope.bindings.items() for binding in bindings]
        for name, binding in sorted(pairs, key=lambda pair: pair[1].effective):
            known = self._values.get((id(scope), name), NOTHING)
            origins = known | self.origins_of_binding(binding)
            if origins != known:
                self._values[id(scope), name] = origins if len(origins) <= MAX_ORIGINS else UNKNOWN
                changed = True
        return changed

    def origins_of_binding(self, binding: Binding) -> Origins:
        """Return what `binding` makes its name stand for; nothing where it keeps what it stood for, or gives None."""
        if binding.how == "updated":
            return NOTHING
        if binding.path is not None:
            return frozenset({Origin("api", canonical(binding.path))})
        if binding.annotation is not None:
            return self._annotated(binding.annotation, binding.seen_from)
        if binding.value is None:
            return UNKNOWN
        if binding.value.type == "none":  # no attribute is taken from None by a program that works
            return NOTHING
        origins = self.origins(binding.value, binding.seen_from)
        if binding.element:
            return _elements(origins)
        return frozenset(Origin(origin.kind, origin.path) for origin in origins)  # a list with a name may be changed

    def values_of(self, scope: Scope, name: str) -> Origins:
        """Return what `name`, bound in `scope`, may stand for."""
        return self._values.get((id(scope), name)) or UNKNOWN

    def _annotated(self, annotation: Node, scope: Scope) -> Origins:
        """Return the type that a parameter's annotation tells: `str`, `List[str]`, `Optional[str]`."""
        for _ in range(MAX_NESTING):
            inner = next(parts_of(annotation), None)
            if annotation.type != "type" or inner is None:
                break
            annotation = inner
        generic, *inside = [*parts_of(annotation)] if annotation.type in ("generic_type", "subscript") else [annotation]
        if generic.type not in ("identifier", "attribute"):
            return UNKNOWN
        path = self._single_api(generic, scope)
        arguments = [part for node in inside for part in (parts_of(node) if node.type == "type_parameter" else [node])]
        if path == "typing.Optional" and len(arguments) == 1:
            return self._annotated(arguments[0], scope) if arguments[0].type == "type" else UNKNOWN
        kind = ANNOTATED.get(path)
        if kind is None:
            return UNKNOWN
        element = ""
        if kind in ("list", "set") and len(arguments) == 1:
            of = next(parts_of(arguments[0]), None) if arguments[0].type == "type" else arguments[0]
            of = next(parts_of(of), None) if of and of.type == "generic_type" else of
            element = ANNOTATED.get(self._single_api(of, scope), "") if of and of.type == "identifier" else ""
        return frozenset({Origin("instance", kind, element)})

    def _single_api(self, node: Node, scope: Scope) -> str:
        origins = self.origins(node, scope)
        origin = next(iter(origins))
        return origin.path if len(origins) == 1 and origin.kind == "api" else ""

    # Expressions

    def follow(self, site: Site) -> list[Stop]:
        """Follow the chain of `site` from its root, and return what stands at each link; there is at least one."""
        return self._follow(site.node, site.scope)

    def origins(self, node: Node, scope: Scope, nesting: int = 0) -> Origins:
        """Return what the expression `node`, read in `scope`, may stand for; there is at least one."""
        return self._follow(node, scope, nesting)[-1].origins

    def _follow(self, node: Node, scope: Scope, nesting: int = 0) -> list[Stop]:
        root, steps = chain_of(node)
        if root.type == "dotted_name":
            dotted, (root, *rest) = root, [*parts_of(root)] or [root]
            steps = [Step("attribute", name, dotted, root) for name in rest] + steps
        stops = [self._root(root, scope, nesting)]
        for step in steps:
            stops.append(self._step(stops[-1], step, scope, nesting))
        return stops

    def _root(self, node: Node, scope: Scope, nesting: int) -> Stop:
        if node.type in ("identifier", "print", "exec"):
            origins, bound_in = self._look_up(text_of(node), node, scope)
            return Stop("name", node, node, origins, bound_in)
        return Stop("other", node, node, self._value(node, scope, nesting))

    def _step(self, before: Stop, step: Step, scope: Scope, nesting: int) -> Stop:
        if step.kind == "attribute":
            return self._attribute(before.origins, step.inner, text_of(step.node), step.node, step.whole)
        if step.kind == "call":
            before.call = step.whole
            return self._call(before, step, scope, nesting)
        return self._item(before.origins, step)

    def _attribute(self, owners: Origins, owner: Node, name: str, node: Node, whole: Node) -> Stop:
        owners = self._seen(node, owners)
        reached = {attribute_of(owner, name) for owner in owners}
        return Stop("attribute", node, whole, frozenset(reached), attribute=name, owner=owner, owners=owners)

    def _seen(self, name: Node, owners: Origins) -> Origins:
        """Return what an attribute was taken from at run time; where that was no instance, or never ran, `owners`."""
        seen = self._receivers.get(name.start_byte)
        if not seen or seen == {"module"} or all(_is_class_or_module(owner) for owner in owners):
            return owners
        return frozenset(self._instance(path) for path in seen - {"module"}) | (owners if "module" in seen else NOTHING)

    def _instance(self, path: str) -> Origin:
        path = canonical(path)
        root = path.partition(".")[0]
        known = root in (BUILTIN_NAMES if path == root else self._roots | sys.stdlib_module_names)
        return Origin("instance" if known else "own", path)

    def _item(self, owners: Origins, step: Step) -> Stop:
        subscripts = step.node.children_by_field_name("subscript")
        key = literal_text(subscripts[0]) if subscripts else None
        for owner in owners:
            names = owner.kind == "namespace" or owner == Origin("api", "builtins")  # __builtins__ may be a dict
            if key is not None and names:
                api = frozenset({Origin("api", owner.path)})
                return self._attribute(api, step.inner, key, step.node, step.whole)
        sliced = len(subscripts) == 1 and subscripts[0].type == "slice"
        if sliced and all(owner.kind == "instance" and owner.path in SLICED for owner in owners):
            return Stop("other", step.node, step.whole, owners)
        indexed = all(owner.path != "set" for owner in owners) and not sliced
        return Stop("other", step.node, step.whole, _elements(owners) if indexed else UNKNOWN)

    def _call(self, function: Stop, step: Step, scope: Scope, nesting: int) -> Stop:
        results: set[Origin] = set()
        for origin in function.origins:
            special = self._special_call(origin, step, scope, nesting) if origin.kind == "api" else None
            if special:
                return special
            results |= _instance_of(result_type(origin.path)) if origin.kind == "api" else UNKNOWN
        return Stop("other", step.node, step.whole, frozenset(results) or UNKNOWN)

    def _special_call(self, origin: Origin, step: Step, scope: Scope, nesting: int) -> Stop | None:
        """Follow the calls that name an API by a string: getattr, setattr, vars, and the importers."""
        if origin.path not in ("getattr", "setattr", "vars", *_IMPORTERS) or nesting >= MAX_NESTING:
            return None
        given = list(parts_of(step.node)) if step.node.type == "argument_list" else []
        if origin.path in _IMPORTERS:
            return _imported_module(origin.path, given, step)
        if origin.path == "vars" and len(given) == 1:
            owners = self.origins(given[0], scope, nesting + 1)
            spaces = frozenset(Origin("namespace", owner.path) for owner in owners if owner.kind == "api")
            return Stop("other", step.node, step.whole, spaces or UNKNOWN)
        name = literal_text(given[1]) if len(given) > 1 else None
        if name is None:
            return None
        stop = self._attribute(self.origins(given[0], scope, nesting + 1), given[0], name, step.node, step.whole)
        if origin.path == "setattr":
            stop.stores, stop.origins = True, UNKNOWN
        return stop

    def _value(self, node: Node, scope: Scope, nesting: int) -> Origins:
        """Return the type of an expression that is no chain."""
        if nesting >= MAX_NESTING:
            return literal_type(node)
        if node.type == "binary_operator":
            return self._operation(node, scope, nesting)
        parts = list(parts_of(node)) if node.type in _CHOICES else []
        choices = [parts[index] for index in _CHOICES.get(node.type, ()) if index < len(parts)]
        if choices:
            return NOTHING.union(*(self.origins(choice, scope, nesting + 1) for choice in choices))
        return literal_type(node)

    def _operation(self, node: Node, scope: Scope, nesting: int) -> Origins:
        operator = node.child_by_field_name("operator")
        sides = [node.child_by_field_name(name) for name in ("left", "right")]
        left, right = (self.origins(side, scope, nesting + 1) if side else UNKNOWN for side in sides)
        kinds = [_type_of(left), _type_of(right)]
        sign = text_of(operator) if operator else ""
        if (sign == "+" and "str" in kinds) or (sign == "%" and kinds[0] == "str"):
            return frozenset({Origin("instance", "str")})
        if sign == "+" and kinds[0] == kinds[1] and kinds[0] in ("list", "tuple"):
            return frozenset({Origin("instance", kinds[0])})
        if sign in ("-", "&", "|", "^") and kinds == ["set", "set"]:
            return frozenset({Origin("instance", "set")})
        if sign == "*" and (repeated := {"str", "list", "tuple"}.intersection(kinds)):
            return frozenset({Origin("instance", repeated.pop())}) if len(repeated) == 1 else UNKNOWN
        return UNKNOWN

    # Names

    def _look_up(self, name: str, node: Node, scope: Scope) -> tuple[Origins, Scope | None]:
        for seen in scope.enclosing():
            if seen.kind != "module" and name in seen.elsewhere:
                if seen.elsewhere[name] == "global":
                    return self._look_up(name, node, scope.module)
                continue
            if name in seen.bindings and not self._comes_before(name, node, scope, seen):
                return self.values_of(seen, name), seen
        return self._outside(name), None

    def _comes_before(self, name: str, node: Node, scope: Scope, seen: Scope) -> bool:
        """Say whether a module or class body reads a name that it binds only later: then the name outside is meant."""
        own = seen is scope and seen.kind in ("module", "class")
        return own and node.start_byte < self._effective.get((id(seen), name), 0)

    def _outside(self, name: str) -> Origins:
        """Return what a name that no scope binds stands for: star imports, builtins, a module never imported."""
        for module in self._stars:
            path = member(module, name)
            if name in star_names(module) or (module not in MODULES and self._wanted(path)):
                return frozenset({Origin("api", path)})
        if name in BUILTIN_NAMES or name in self._assumed or name in TWINS:
            return frozenset({Origin("api", canonical(name))})
        return UNKNOWN


# Of expressions that have the value of one of their parts: those parts.
_CHOICES = {"conditional_expression": (0, 2), "boolean_operator": (0, 1), "named_expression": (1,)}
_IMPORTERS = ("__import__", "importlib.__import__", "importlib.import_module")


GETTERS = frozenset({"operator.attrgetter", "operator.methodcaller"})


def names_in_getter(call: Node) -> list[str]:
    """Return the attributes that `attrgetter("a.b")` or `methodcaller("a")` names, where that is a literal."""
    first = first_argument(call)
    text = evaluated_text(first) if first else None
    return text.split(".") if text else []


def attribute_of(owner: Origin, name: str) -> Origin:
    """Return what the attribute `name` of something that stands for `owner` stands for."""
    if owner.kind not in ("api", "instance") or len(owner.path) > MAX_PATH:
        return Origin("unknown", "")
    if name == "__dict__":
        return Origin("namespace", owner.path)
    kind = constant_type(owner.path) if owner.kind == "api" else owner.path
    instance = owner.kind == "instance" or kind is not None or is_class(owner.path)
    path = home(kind or owner.path, name) if instance else None
    return Origin("api", path or member(owner.path, name))


def _is_class_or_module(owner: Origin) -> bool:
    return owner.kind == "api" and (is_class(owner.path) or standing(owner.path) in ("module", "unseen"))


def _imported_module(importer: str, given: list[Node], step: Step) -> Stop | None:
    path = literal_text(given[0]) if given else None
    if path is None:
        return None
    if importer == "__import__" and len(given) == 1:  # gives the top package
        path = path.partition(".")[0]
    return Stop("other", step.node, step.whole, frozenset({Origin("api", canonical(path))}))


_LITERALS = {
    "concatenated_string": "str",
    "dictionary": "dict",
    "dictionary_comprehension": "dict",
    "false": "bool",
    "float": "float",
    "integer": "int",
    "list": "list",
    "list_comprehension": "list",
    "not_operator": "bool",
    "set": "set",
    "set_comprehension": "set",
    "true": "bool",
    "tuple": "tuple",
}


def literal_type(node: Node) -> Origins:
    """Return the type of a literal or display."""
    kind = _LITERALS.get(node.type)
    first = next(parts_of(node), node) if node.type == "concatenated_string" else node
    if first.type == "string":
        prefix = text_of(first.children[0]).rstrip("\"'").lower() if first.children else ""
        kind = "bytes" if "b" in prefix else "str"
    return _instance_of(kind)


def _instance_of(kind: str | None) -> Origins:
    """Return a value of the type `str` or `list[str]`."""
    if kind is None:
        return UNKNOWN
    path, _, element = kind.partition("[")
    return frozenset({Origin("instance", path, element.removesuffix("]"))})


def _type_of(origins: Iterable[Origin]) -> str:
    """Return the type of what is certainly a value of one type, or nothing."""
    types = {origin.path if origin.kind == "instance" else "" for origin in origins}
    return types.pop() if len(types) == 1 else ""


def _elements(origins: Origins) -> Origins:
    """Return what iterating over, or subscribing, something gives."""
    kinds = {(origin.element or ELEMENTS.get(origin.path)) if origin.kind == "instance" else None for origin in origins}
    return NOTHING.union(*map(_instance_of, kinds)) if None not in kinds else UNKNOWN
