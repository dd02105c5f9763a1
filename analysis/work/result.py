"""The part of a program that its result depends on: a backward slice from what the entry point returns.

From each `return` and `yield` back through assignments, changes of what is returned, conditions and the program's own
functions. It errs on the side of too much: names count wherever their scope binds them, and order does not.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from ..tree.chains import Site, chain_of
from ..tree.names import Walk
from ..tree.scopes import Binding, Scope
from ..tree.syntax import parts_of, text_of

# Calls of these change what they are called on or given, and give something else.
CHANGERS = frozenset(
    "add append appendleft clear discard extend extendleft heapify heappop heappush heappushpop heapreplace insert "
    "insort insort_left insort_right intersection_update move_to_end pop popitem popleft remove reverse rotate "
    "setdefault shuffle sort subtract symmetric_difference_update update difference_update".split()
)
_FUNCTIONS = frozenset({"function_definition", "class_definition"})
_PARAMETERS = frozenset({"parameters"})
_LEAVING = frozenset({"break_statement", "continue_statement", "return_statement", "yield"})
_STORING = frozenset({"assignment", "augmented_assignment", "delete_statement", "for_statement"})
# The parts of statements that decide whether, or how often, what stands in them runs.
_DECIDING = {
    "elif_clause": ("condition",),
    "for_statement": ("right",),
    "if_statement": ("condition",),
    "match_statement": ("subject",),
    "while_statement": ("condition",),
}

MAX_PLACES = 20  # of functions of one name that are looked at
MAX_CLIMB = 200  # nodes from an expression to the function that it stands in; programs that people write need fewer

_Name = tuple[int, str]  # the id of the scope that binds it, and itself


class Part(NamedTuple):
    """The part of a program that its result depends on.

    `sites` are the expressions in it that may name an API, `nodes` all its nodes: of a statement that decides what runs
    the statement's own, but not all that stands in it. `recursive`: a function in it that reaches itself.
    """

    sites: list[Site]
    nodes: list[Node]
    recursive: bool


def part_of_result(walk: Walk, root: Node, entry_point: str) -> Part:
    """Return what the result of `entry_point` (`f`, `Solution().f`) depends on; everything, where that is not bound."""
    return _Slice(walk, root).of(root, entry_point)


class _Slice:
    def __init__(self, walk: Walk, root: Node):
        self.walk = walk
        self.parents = _parents(root)
        self.sites = {site.node.id: site for site in walk.sites}
        self.changes: dict[_Name, list[Node]] = defaultdict(list)  # what stores into, or changes, the value of a name
        self.calls: dict[str, list[Node]] = defaultdict(list)  # of functions, for what these do and not what they give
        self.methods: dict[str, list[Node]] = defaultdict(list)
        self.parameters: dict[int, list[tuple[Scope, str]]] = defaultdict(list)  # by the id of their node
        self.places: dict[str, list[range]] = defaultdict(list)  # of the program's functions and classes
        self.live: dict[int, Node] = {}
        self.names: set[_Name] = set()
        self.defined: set[int] = set()
        self.decided: set[int] = set()
        self.pending: list[Node] = []
        for site in walk.sites:
            self._note_change(site)
        for scope in walk.scopes:
            for name, bindings in scope.bindings.items():
                self._note_bindings(scope, name, bindings)

    def _note_bindings(self, scope: Scope, name: str, bindings: list[Binding]) -> None:
        for binding in bindings:
            definition = self._definition(binding)
            if definition:
                self.places[name].append(range(definition.start_byte, definition.end_byte))
            if definition and scope.kind == "class":
                self.methods[name].append(definition)
            if binding.how == "given" and scope.kind == "function":
                self.parameters[self._around(binding.node, _PARAMETERS).id].append((scope, name))

    def of(self, root: Node, entry_point: str) -> Part:
        name = entry_point.partition(".")[0].partition("(")[0]
        if name in self.walk.module.bindings:
            self._need_name(self.walk.module, name)
            self._follow(_FUNCTIONS)
        else:
            self.pending.append(root)
            self._follow(frozenset())
        sites = [site for site in self.walk.sites if site.node.id in self.live]
        return Part(sites, list(self.live.values()), any(map(self._reaches_itself, sites)))

    def _follow(self, left_out: frozenset[str]) -> None:
        while self.pending:
            node = self.pending.pop()
            if node.id in self.live:
                continue
            self.live[node.id] = node
            if site := self.sites.get(node.id):
                self._need_site(site)
            self.pending += [child for child in parts_of(node) if child.type != "type" and child.type not in left_out]

    # What is needed

    def _need(self, node: Node) -> None:
        self.pending.append(node)
        self._need_deciding(node)

    def _need_site(self, site: Site) -> None:
        root, steps = chain_of(site.node)
        if root.type == "identifier" and (scope := site.scope.binder_of(text_of(root))):
            self._need_name(scope, text_of(root))
        for step in steps:
            for function in self.methods.get(text_of(step.node), ()) if step.kind == "attribute" else ():
                self._need_definition(function)

    def _need_name(self, scope: Scope, name: str) -> None:
        if (id(scope), name) in self.names:
            return
        self.names.add((id(scope), name))
        for binding in scope.bindings.get(name, ()):
            if definition := self._definition(binding):
                self._need_definition(definition)
            elif value := self._value(binding):
                self._need(value)
            self._need_deciding(binding.node)
            if binding.how == "updated" and (statement := self.parents.get(binding.node.id)):
                self.live[statement.id] = statement
        for change in self.changes[id(scope), name]:
            self._need(change)

    def _need_definition(self, node: Node) -> None:
        """Need what a function gives, or what the methods of a class do."""
        if node.id in self.defined:
            return
        self.defined.add(node.id)
        leaving = list(_leaving(node))
        for statement in leaving:
            self._need(statement)
        body = node.child_by_field_name("body")
        for inner in _definitions_in(body) if body and node.type == "class_definition" else ():
            self._need_definition(inner)
        if not any(next(parts_of(statement), None) for statement in leaving):
            self._need_parameters(node)

    def _need_parameters(self, function: Node) -> None:
        """A function that gives nothing changes what it is given."""
        parameters = function.child_by_field_name("parameters")
        for scope, name in self.parameters[parameters.id] if parameters else ():
            self._need_name(scope, name)

    def _need_deciding(self, node: Node) -> None:
        """Need what decides whether `node` runs."""
        around = self.parents.get(node.id)
        while around is not None and around.id not in self.decided:
            if around.type in _FUNCTIONS:
                name = around.child_by_field_name("name")
                self.pending += self.calls[text_of(name)] if name else []
                break
            self.decided.add(around.id)
            if around.type in _DECIDING:
                self.live[around.id] = around
                self.pending += filter(None, map(around.child_by_field_name, _DECIDING[around.type]))
            elif around.type == "with_statement":
                self.pending += [part for part in parts_of(around) if part.type == "with_clause"]
            elif around.type == "try_statement":
                self.live[around.id] = around
                self.pending += _tried(around)
            around = self.parents.get(around.id)

    # What changes a value that has a name

    def _note_change(self, site: Site) -> None:
        root, steps = chain_of(site.node)
        name = text_of(root) if root.type == "identifier" else ""
        if site.stored and steps:
            self._note(site.scope, name, self._around(site.node, _STORING))
            return
        call = next((step for step in reversed(steps) if step.kind == "call"), None)
        if call is None:
            return
        function = call.inner.child_by_field_name("attribute") if call.inner.type == "attribute" else call.inner
        parent = self.parents.get(site.node.id)
        for_itself = parent is not None and parent.type in ("expression_statement", "await")
        if not for_itself and text_of(function or root) not in CHANGERS:
            return
        if for_itself:
            self.calls[text_of(function or root)].append(site.node)
        if name != "print":
            for changed in {name, *_names_in(call.node)}:
                self._note(site.scope, changed, site.node)

    def _note(self, scope: Scope, name: str, change: Node) -> None:
        if binder := scope.binder_of(name):
            self.changes[id(binder), name].append(change)

    def _reaches_itself(self, site: Site) -> bool:
        root, steps = chain_of(site.node)
        called = {text_of(step.node) for step in steps if step.kind == "attribute"} | {text_of(root)}
        places = [place for name in called for place in self.places.get(name, ())[:MAX_PLACES]]
        return any(site.node.start_byte in place for place in places) and any(step.kind == "call" for step in steps)

    # Around a binding

    def _definition(self, binding: Binding) -> Node | None:
        return self.parents.get(binding.node.id) if binding.how == "defined" else None

    def _value(self, binding: Binding) -> Node | None:
        """Return what gives the name its value."""
        if binding.value is not None:
            return binding.value
        statement = self._around(binding.node, _STORING | {"as_pattern", "for_in_clause"})
        if statement.type == "as_pattern":
            return next(parts_of(statement), None)
        return statement.child_by_field_name("right")

    def _around(self, node: Node, kinds: frozenset[str]) -> Node:
        """Return the innermost of the nodes of `kinds` that `node` stands in, or `node`."""
        around: Node | None = node
        for _ in range(MAX_CLIMB):
            if around is None or around.type in _FUNCTIONS:
                break
            if around.type in kinds:
                return around
            around = self.parents.get(around.id)
        return node


def _parents(root: Node) -> dict[int, Node]:
    """Return the parent of each node, by the node's id: a node itself looks for its parent from the root on."""
    parents: dict[int, Node] = {}
    nodes = [root]
    while nodes:
        node = nodes.pop()
        children = node.named_children
        parents.update(dict.fromkeys([child.id for child in children], node))
        nodes += children
    return parents


def _leaving(function: Node) -> Iterator[Node]:
    """Yield the statements that leave `function`, or a loop in it, but for those of functions inside it."""
    nodes = [function]
    while nodes:
        node = nodes.pop()
        if node.type in _LEAVING:
            yield node
        nodes += [child for child in parts_of(node) if child.type not in _FUNCTIONS]


def _definitions_in(body: Node) -> Iterator[Node]:
    for part in parts_of(body):
        definition = part.child_by_field_name("definition") if part.type == "decorated_definition" else part
        if definition is not None and definition.type in _FUNCTIONS:
            yield definition


def _tried(statement: Node) -> Iterator[Node]:
    """Yield what may fail in a try statement, and so decides what else in it runs."""
    body = statement.child_by_field_name("body")
    for part in parts_of(body) if body else ():
        if part.type == "expression_statement":
            yield part


def _names_in(arguments: Node) -> Iterator[str]:
    """Yield the names that are given as they are."""
    return (text_of(part) for part in parts_of(arguments) if part.type == "identifier")
