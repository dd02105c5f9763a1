"""The names a program binds, by scope, and the expressions that may name an API.

The tree is walked once, with a stack: programs nest deeper than Python recurses. Nothing is resolved here; `uses` does.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from tree_sitter import Node

from .chains import CHAINS, Site, chain_of
from .patterns import matches
from .scopes import Binding, How, Scope
from .syntax import dotted_text, parts_of, text_of

_SKIPPED = frozenset({"comment", "type", "type_parameter", "type_alias_statement", "import_prefix", "escape_sequence"})
_PATTERNS = frozenset(
    {
        "as_pattern_target",
        "dictionary_splat_pattern",
        "expression_list",
        "list",
        "list_pattern",
        "list_splat",
        "list_splat_pattern",
        "parenthesized_expression",
        "pattern_list",
        "tuple",
        "tuple_pattern",
    }
)
_COMPREHENSIONS = ("list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression")
# What stands inside these may not run although the program loads.
_MAYBE = frozenset(
    {
        "ERROR",
        "assert_statement",
        "boolean_operator",
        "comparison_operator",
        "conditional_expression",
        "if_statement",
        "match_statement",
        "try_statement",
        "while_statement",
        "with_statement",
    }
)


MAX_DOTS = 20  # no package nests deeper


class _Task(NamedTuple):
    node: Node
    scope: Scope
    always: bool


class Walk:
    """The scopes and sites of a program, gathered in one pass over its tree; `imported`: every module it imports from.

    `outer` is the scope in which the program stands, where it is a string in another one (`eval`).
    """

    def __init__(self, root: Node, outer: Scope | None = None):
        top = Scope("function", outer) if outer else Scope("module")
        self.module = top.module
        self.scopes = [top]
        self.sites: list[Site] = []
        self.imported: set[str] = set()
        self._tasks = [_Task(root, top, outer is None)]
        while self._tasks:
            self._visit(self._tasks.pop())
        self._move_declared()

    def _visit(self, task: _Task) -> None:
        kind = task.node.type
        if kind in _SKIPPED:
            return
        if kind in CHAINS:
            self._read(task)
        elif handler := _HANDLERS.get(kind):
            handler(self, task)
        else:
            self._push(parts_of(task.node), task.scope, task.always and kind not in _MAYBE)

    def _push(self, nodes: Iterator[Node] | list[Node], scope: Scope, always: bool) -> None:
        self._tasks.extend([_Task(node, scope, always) for node in nodes][::-1])

    def _open(self, kind: Literal["class", "function", "comprehension"], parent: Scope) -> Scope:
        scope = Scope(kind, parent)
        self.scopes.append(scope)
        return scope

    def _read(self, task: _Task, *, stored: bool = False, applied: bool = False) -> None:
        self.sites.append(Site(task.node, task.scope, stored, applied, task.always))
        root, steps = chain_of(task.node)
        inside: list[Node] = []
        if root.type in CHAINS and root.type != "identifier":  # a chain broken by an error
            inside += parts_of(root)
        elif root.type != "identifier":
            inside.append(root)
        for step in steps:
            if step.kind == "call":
                inside.append(step.node)
            elif step.kind == "item":
                inside += step.node.children_by_field_name("subscript")
        self._push(inside, task.scope, task.always)

    # Bindings

    def _bind(
        self,
        node: Node,
        scope: Scope,
        how: How,
        effective: int,
        value: Node | None = None,
        *,
        path: str | None = None,
        seen_from: Scope | None = None,
        annotation: Node | None = None,
        element: bool = False,
    ) -> None:
        binding = Binding(how, node, effective, value, seen_from or scope, path, annotation, element)
        while scope.kind == "comprehension" and how == "assigned" and scope.parent:  # a walrus binds outside
            scope = scope.parent
        scope.bindings.setdefault(text_of(node), []).append(binding)

    def _bind_target(
        self,
        target: Node,
        task: _Task,
        how: How,
        effective: int,
        value: Node | None = None,
        *,
        seen_from: Scope | None = None,
        element: bool = False,
    ) -> None:
        pending = [(target, value, element)]
        while pending:
            node, its_value, its_element = pending.pop()
            if node.type == "identifier":
                self._bind(node, task.scope, how, effective, its_value, seen_from=seen_from, element=its_element)
            elif node.type in _PATTERNS:
                pending.extend(reversed(list(_pairs(node, its_value, its_element))))
            elif node.type in CHAINS:
                self._read(_Task(node, task.scope, task.always), stored=True)
            else:
                self._push([node], task.scope, task.always)

    def _assignment(self, task: _Task) -> None:
        targets, value = [], task.node
        while value.type == "assignment":  # a = b = c
            found = matches("bindings", value)
            if not found:  # an annotation without a value binds nothing
                return
            _, parts = found[0]
            targets.append(parts["target"])
            value = parts["value"]
        for target in targets:
            self._bind_target(target, task, "assigned", task.node.end_byte, value)
        self._push([value], task.scope, task.always)

    def _augmented(self, task: _Task) -> None:
        for _, parts in matches("bindings", task.node):
            self._bind_target(parts["target"], task, "updated", task.node.end_byte)
            self._push([parts["value"]], task.scope, task.always)

    def _walrus(self, task: _Task) -> None:
        for _, parts in matches("bindings", task.node):
            self._bind(parts["target"], task.scope, "assigned", task.node.end_byte, parts["value"])
            self._push([parts["value"]], task.scope, task.always)

    def _function(self, task: _Task) -> None:
        inner = self._open("function", task.scope)
        for child in task.node.children:
            if child.type == "identifier":
                self._bind(child, task.scope, "defined", task.node.end_byte)
            elif child.type in ("parameters", "lambda_parameters"):
                self._parameters(child, inner, task)
            elif child.is_named:
                self._push([child], inner, False)

    def _lambda(self, task: _Task) -> None:
        inner = self._open("function", task.scope)
        for child in parts_of(task.node):
            if child.type == "lambda_parameters":
                self._parameters(child, inner, task)
            else:
                self._push([child], inner, False)

    def _parameters(self, parameters: Node, inner: Scope, outside: _Task) -> None:
        for parameter in parts_of(parameters):
            found = matches("parameters", parameter)
            parts = found[0][1] if found else {}
            if "default" in parts:
                self._push([parts["default"]], outside.scope, outside.always)
            name, annotation = parts.get("name"), parts.get("annotation")
            if name and name.type == "identifier":
                start = parameter.start_byte
                self._bind(name, inner, "given", start, seen_from=outside.scope, annotation=annotation)
            else:
                self._bind_target(name or parameter, _Task(parameter, inner, False), "given", parameter.start_byte)

    def _loose_parameters(self, task: _Task) -> None:
        self._parameters(task.node, task.scope, task)

    def _class(self, task: _Task) -> None:
        inner = self._open("class", task.scope)
        for child in task.node.children:
            if child.type == "identifier":
                self._bind(child, task.scope, "defined", task.node.end_byte)
            elif child.type == "argument_list":
                self._push([child], task.scope, task.always)
            elif child.is_named:
                self._push([child], inner, task.always)

    def _decorator(self, task: _Task) -> None:
        for node in parts_of(task.node):
            if node.type in CHAINS:
                self._read(_Task(node, task.scope, task.always), applied=True)
            else:
                self._push([node], task.scope, task.always)

    def _comprehension(self, task: _Task) -> None:
        inner = self._open("comprehension", task.scope)
        first = True
        for child in parts_of(task.node):
            if child.type == "for_in_clause" and first:
                self._clause(child, inner, task.scope, task.always)
                first = False
            else:
                self._push([child], inner, False)

    def _loose_clause(self, task: _Task) -> None:
        self._clause(task.node, task.scope, task.scope, False)

    def _clause(self, clause: Node, inner: Scope, outer: Scope, always: bool) -> None:
        rights = clause.children_by_field_name("right")
        over = rights[0] if len(rights) == 1 else None
        for left in clause.children_by_field_name("left"):
            task = _Task(left, inner, False)
            self._bind_target(left, task, "given", clause.start_byte, over, seen_from=outer, element=True)
        self._push(rights, outer, always)

    def _for(self, task: _Task) -> None:
        bound: list[Node] = []
        for _, parts in matches("bindings", task.node):
            target, values = bound = [parts["target"], parts["values"]]
            self._bind_target(target, task, "given", values.end_byte, values, element=True)
            self._push([values], task.scope, task.always)
        self._push([child for child in parts_of(task.node) if child not in bound], task.scope, False)

    def _as(self, task: _Task) -> None:
        """`with value as name`, `except value as name`, and `case pattern as name`."""
        parts = list(parts_of(task.node))
        self._push(parts[:1], task.scope, task.always)
        for target in parts[1:]:
            for node in [target] if target.type == "identifier" else list(parts_of(target)):
                self._bind_target(node, task, "given", task.node.end_byte)

    def _import(self, task: _Task) -> None:
        end = task.node.end_byte
        for _, parts in matches("imports", task.node):
            path = dotted_text(parts["path"])
            self._note_import(path)
            if alias := parts.get("alias"):
                self._bind(alias, task.scope, "renamed", end, path=path)
            else:
                self._bind(parts["first"], task.scope, "imported", end, path=text_of(parts["first"]))

    def _import_from(self, task: _Task) -> None:
        found = matches("imports", task.node)
        if not found:
            return
        source = found[0][1]["module"]
        module = "" if source.type == "relative_import" else dotted_text(source)
        self._note_import(module)
        for kind, parts in found:
            if kind == "member":
                self._import_member(task, module, parts["path"], parts.get("alias"))
            elif kind == "star" and module:
                self.module.stars.append(module)

    def _import_member(self, task: _Task, module: str, name: Node, alias: Node | None) -> None:
        what = dotted_text(name)
        path = f"{module}.{what}" if module else None
        how: How = "renamed" if alias and text_of(alias) != what else "imported"
        self._bind(alias or name, task.scope, how, task.node.end_byte, path=path)

    def _note_import(self, module: str) -> None:
        parts = module.split(".")[:MAX_DOTS]
        self.imported.update(".".join(parts[: end + 1]) for end in range(len(parts)))

    # Statements and patterns with rules of their own

    def _declare(self, task: _Task) -> None:
        kind: Literal["global", "nonlocal"] = "global" if task.node.type == "global_statement" else "nonlocal"
        for name in parts_of(task.node):
            task.scope.elsewhere[text_of(name)] = kind

    def _delete(self, task: _Task) -> None:
        targets = list(parts_of(task.node))
        while targets:
            target = targets.pop()
            if target.type in _PATTERNS:
                targets.extend(parts_of(target))
            elif target.type == "identifier":
                continue
            elif target.type in CHAINS:
                self._read(_Task(target, task.scope, task.always), stored=True)
            else:
                self._push([target], task.scope, task.always)

    def _keyword(self, task: _Task) -> None:
        self._push(task.node.children_by_field_name("value"), task.scope, task.always)

    def _old_statement(self, task: _Task) -> None:
        """`print x` and `exec x`, of Python 2: the keyword is the API."""
        self.sites.append(Site(task.node.children[0], task.scope, applied=True))
        self._push(list(parts_of(task.node)), task.scope, False)

    def _pattern_name(self, task: _Task) -> None:
        """In a pattern a bare name is a capture, a dotted one a value."""
        names = list(parts_of(task.node))
        if len(names) > 1:
            self.sites.append(Site(task.node, task.scope))
        elif names and text_of(names[0]) != "_":
            self._bind(names[0], task.scope, "given", task.node.start_byte)

    def _class_pattern(self, task: _Task) -> None:
        parts = list(parts_of(task.node))
        self.sites += [Site(part, task.scope) for part in parts[:1]]
        self._push(parts[1:], task.scope, False)

    def _keyword_pattern(self, task: _Task) -> None:
        self._push(list(parts_of(task.node))[1:], task.scope, False)

    def _splat_pattern(self, task: _Task) -> None:
        for name in parts_of(task.node):
            self._bind_target(name, task, "given", task.node.start_byte)

    def _error(self, task: _Task) -> None:
        """Read what the parser could not place: loose tokens, where only the neighbours tell their meaning."""
        children = task.node.children
        for before, node, after in zip([None, *children], children, [*children[1:], None], strict=False):
            previous = before.type if before else ""
            if node.type == "identifier" and previous in ("def", "class"):
                self._bind(node, task.scope, "defined", node.end_byte)
            elif node.type == "identifier" and previous == ".":
                continue
            elif node.type in CHAINS:
                applied = after is not None and after.type == "("
                self._read(_Task(node, task.scope, False), applied=applied)
            elif node.is_named:
                self._push([node], task.scope, False)

    def _move_declared(self) -> None:
        for scope in self.scopes:
            for name in scope.elsewhere:
                owner = scope.owner_of(name)
                if owner is not scope and name in scope.bindings:
                    owner.bindings.setdefault(name, []).extend(scope.bindings.pop(name))


def _pairs(pattern: Node, value: Node | None, element: bool) -> Iterator[tuple[Node, Node | None, bool]]:
    """Pair the targets of `a, b = c, d` with their values, and say whether that is an element of the value.

    The value is None where the sides do not match.
    """
    targets = list(parts_of(pattern))
    splats = any("splat" in node.type for node in [pattern, *targets])
    displayed = value is not None and value.type in ("expression_list", "tuple", "list")
    values = list(parts_of(value)) if value is not None and displayed and not element else []
    plain = len(values) == len(targets) and not splats and not any("splat" in node.type for node in values)
    for index, target in enumerate(targets):
        if pattern.type == "parenthesized_expression":
            yield target, value, element
        elif plain:
            yield target, values[index], False
        elif element or splats or displayed:
            yield target, None, False
        else:
            yield target, value, True


_HANDLERS: Mapping[str, Callable[[Walk, _Task], None]] = {
    "ERROR": Walk._error,
    "as_pattern": Walk._as,
    "assignment": Walk._assignment,
    "augmented_assignment": Walk._augmented,
    "class_definition": Walk._class,
    "class_pattern": Walk._class_pattern,
    "decorator": Walk._decorator,
    "delete_statement": Walk._delete,
    "dotted_name": Walk._pattern_name,
    "exec_statement": Walk._old_statement,
    "for_in_clause": Walk._loose_clause,
    "for_statement": Walk._for,
    "function_definition": Walk._function,
    "global_statement": Walk._declare,
    "import_from_statement": Walk._import_from,
    "import_statement": Walk._import,
    "keyword_argument": Walk._keyword,
    "keyword_pattern": Walk._keyword_pattern,
    "lambda": Walk._lambda,
    "named_expression": Walk._walrus,
    "nonlocal_statement": Walk._declare,
    "parameters": Walk._loose_parameters,
    "lambda_parameters": Walk._loose_parameters,
    "print_statement": Walk._old_statement,
    "splat_pattern": Walk._splat_pattern,
    **dict.fromkeys(_COMPREHENSIONS, Walk._comprehension),
}
