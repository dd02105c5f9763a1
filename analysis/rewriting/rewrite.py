"""Rewriting: a program whose uses of removed APIs have become uses of their replacements.

The calls are rewritten from the inside out, so that each convention sees the new text of the parts of its call. What is
not concerned is copied byte for byte, but for line ends, which become newlines; comments between the arguments of a
rewritten call are lost. An annotation is no use: programs run with annotations that are not evaluated. A method used as
a value becomes a lambda, which looks its object's name up at each call.

A builtin type that is used as a type becomes the type of a literal, `type([])`: a replacement is no type.

A program that cannot be rewritten with certainty is refused; `call_rewrites.REASONS` lists why. One needs words:
a convention may change the order of the arguments, and with it the order in which they are evaluated. That is refused
where it moves an argument that contains a walrus, yield or await, or calls something that is known to change what it
is called on or to depend on what was called before (next, pop, input, random ...); a program's own functions are taken
to have no such effects.
"""

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence

from tree_sitter import Node

from ..tree.syntax import line_of, parts_of, text_of
from ..uses.references import Doubt, Reference, References, read_references
from ..uses.standard_library import is_class
from .call_rewrites import Argument, Convention, OldCall, Refusal, Renaming
from .effects import is_constant, ordered
from .emission import Emission
from .imports import drop_imports
from .value_uses import SPECIMENS, arity_at, is_stored, is_type_use

__all__ = ["Refusal", "Renaming", "rewrite"]

_PARAMETERS = ("x", "y", "z", "item", "other")


def rewrite(references: References, conventions: Sequence[Convention]) -> str:
    """Return the program of `references` with the API of each convention replaced, from `references.start` on.

    Raises Refusal where that cannot be done with certainty.
    """
    _require_python(references.source.decode("utf-8"), "the program")
    by_api = {convention.api: convention for convention in conventions}
    for convention in conventions:
        if convention.replacement in references.bound:
            raise Refusal("name_taken", f"the program binds {convention.replacement}")
    _require_no_store(references, by_api.keys())
    for doubt in references.doubts:
        for convention in conventions:
            _require_certainty(doubt, convention.api)
    rewritten = _Rewriter(references, by_api).rewrite()
    _require_python(rewritten, "the rewritten program")
    for reference in read_references(rewritten).after(references.start).found:
        if reference.api in by_api:
            raise Refusal("use_left", f"line {line_of(reference.node)} of the rewritten program uses {reference.api}")
    return rewritten


def _require_python(program: str, what: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(program)
        except SyntaxError as error:
            raise Refusal("does_not_parse", f"{what} is not Python: {error.msg}, line {error.lineno}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise Refusal("does_not_parse", f"{what} cannot be parsed: {error}") from None


def _require_certainty(doubt: Doubt, api: str) -> None:
    owner, _, name = api.rpartition(".")
    if doubt.attribute != name or not is_class(owner):
        return
    possible = not doubt.candidates and not doubt.ran
    if possible or owner in doubt.candidates or api in doubt.candidates:
        raise Refusal("unknown_receiver", f"line {line_of(doubt.node)}: {text_of(doubt.node)} may be {api}")


class _Rewriter:
    """The program under way: its text so far, and what its calls call."""

    def __init__(self, references: References, conventions: dict[str, Convention]):
        self.emission = Emission(references.source)
        self.conventions = conventions
        self.concerned = [found for found in references.found if found.api in conventions]
        self.called = {found.call.id: found.api for found in references.found if found.call is not None}
        self.root = references.root
        self.bound = references.bound
        # A node finds its parent by searching from the root, which takes too long in deep programs.
        self.parents = {child.id: node for node in _descendants(references.root) for child in node.children}

    def rewrite(self) -> str:
        names = {reference.node.id for reference in self.concerned if reference.receiver is None}
        for reference in sorted(self.concerned, key=_size):
            around = list(self._around(reference.node))
            if reference.role == "import" or any(node.id in names for node in around):  # `dict` in `dict.fromkeys`
                continue
            try:
                self._replace(reference, around)
            except Refusal as refusal:
                raise _with_line(refusal, reference.node) from None
        drop_imports([reference.node for reference in self.concerned if reference.role == "import"], self.emission)
        return self.emission.whole()

    def _around(self, node: Node) -> Iterator[Node]:
        """Yield the nodes around `node`, innermost first."""
        parent = self.parents.get(node.id)
        while parent is not None:
            yield parent
            parent = self.parents.get(parent.id)

    def _replace(self, reference: Reference, around: Sequence[Node]) -> None:
        convention = self.conventions[reference.api]
        node = reference.call or reference.node
        if any(outer.type == "case_pattern" for outer in around):
            raise Refusal("pattern", f"{text_of(node)} stands in a pattern")
        if isinstance(convention, Renaming):
            node, text = self._renamed(reference, convention)
        elif reference.call is not None:
            text = self._call(reference, reference.call, convention)
        elif convention.kind == "module_constant":
            text = convention.rewrite(OldCall(None, ()))
        else:
            text = self._value(reference, around, convention)
        if self.emission.text_of(node).startswith("*"):  # the grammar reads [*x.y()] as (*x).y()
            text = f"*{text}"
        _require_f_string(node, around, text)
        self.emission.replace(node.start_byte, node.end_byte, text)

    def _renamed(self, reference: Reference, convention: Renaming) -> tuple[Node, str]:
        """Return what a rename replaces, a bound method's name alone, and the new name for it."""
        attribute = reference.node.child_by_field_name("attribute")
        if reference.receiver is not None and attribute is not None:
            return attribute, convention.replacement
        return reference.node, convention.value(self._receiver(reference))

    # Calls

    def _call(self, reference: Reference, call: Node, convention: Convention) -> str:
        listed = call.child_by_field_name("arguments")
        assert listed is not None
        nodes = [listed] if listed.type == "generator_expression" else list(parts_of(listed))
        old = OldCall(self._receiver(reference), tuple(map(self._argument, nodes)))
        new = convention.rewrite(old)
        parts = nodes if reference.receiver is None else [reference.receiver, *nodes]
        _require_order(old, parts, convention)
        return new

    def _receiver(self, reference: Reference) -> str | None:
        if reference.receiver is None:
            return None
        text = self.emission.text_of(reference.receiver).removeprefix("*")  # see _replace
        return f"({text})" if reference.receiver.type == "integer" else text  # 1 .real

    def _argument(self, node: Node) -> Argument:
        if node.type == "keyword_argument":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            assert name is not None
            assert value is not None
            return Argument(self._argument_text(value), keyword=text_of(name))
        if node.type == "list_splat":
            return Argument(self._argument_text(next(parts_of(node))), splat="*")
        if node.type == "dictionary_splat":
            return Argument(self._argument_text(next(parts_of(node))), splat="**")
        return Argument(self._argument_text(node))

    def _argument_text(self, node: Node) -> str:
        text = self.emission.text_of(node)
        return f"({text})" if node.type in ("named_expression", "yield") else text

    # Values

    def _value(self, reference: Reference, around: Sequence[Node], convention: Convention) -> str:
        receiver = self._receiver(reference)
        value = convention.value(receiver)
        if value is not None:
            return value
        if reference.api in SPECIMENS and is_type_use(reference.node, self.called):
            return self._type_of(SPECIMENS[reference.api])
        arity = arity_at(reference.node, self.called)
        if reference.receiver is not None:
            _require_lasting(reference.receiver, around)
        names = self._unused_names(arity)
        body = convention.rewrite(OldCall(receiver, tuple(map(Argument, names))))
        return f"lambda {', '.join(names)}: {body}" if names else f"lambda: {body}"

    def _type_of(self, specimen: str) -> str:
        """Return an expression for the type of a literal: a replacement makes such values, but is no type itself."""
        if "type" in self.bound:
            raise Refusal("type_use", "the program binds the name type")
        call = OldCall(None, (Argument(specimen),))
        return self.conventions["type"].rewrite(call) if "type" in self.conventions else f"type({specimen})"

    def _unused_names(self, count: int) -> list[str]:
        used = {text_of(node) for node in _descendants(self.root) if node.type == "identifier"}
        used |= {convention.replacement for convention in self.conventions.values()}
        numbered = (f"x{number}" for number in range(len(used) + count))
        return [name for name in (*_PARAMETERS, *numbered) if name not in used][:count]


def _size(reference: Reference) -> int:
    node = reference.call or reference.node
    return node.end_byte - node.start_byte


def _descendants(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.children)


def _with_line(refusal: Refusal, node: Node) -> Refusal:
    detail = refusal.detail
    return Refusal(refusal.reason, detail if detail.startswith("line ") else f"line {line_of(node)}: {detail}")


# What has to hold where something is replaced


def _require_no_store(references: References, apis: Collection[str]) -> None:
    """Refuse a program that puts something else in the place of a module's member: `math.pi = 3`, `del math.pi`."""
    owners = (reference.api.rpartition(".") for reference in references.found if reference.api in apis)
    names = {name for owner, _, name in owners if owner and not is_class(owner)}
    for node in _descendants(references.root):
        name = node.child_by_field_name("attribute") if node.type == "attribute" else None
        if name is not None and (text_of(name) in names or text_of(node) in apis) and is_stored(node):
            raise Refusal("stored", f"line {line_of(node)}: {text_of(node)} is assigned to or deleted")


def _require_order(old: OldCall, parts: Sequence[Node], convention: Convention) -> None:
    """Refuse a call whose parts would be evaluated in another order, which rewriting it with marks for parts shows."""
    kept = ordered(parts)
    if len(kept) < 2:
        return
    marks = [f"__part_{number}__" for number in range(len(parts))]
    receiver = None if old.receiver is None else marks[0]
    arguments = zip(old.arguments, marks if receiver is None else marks[1:], strict=True)
    marked = (Argument(mark, argument.keyword, argument.splat) for argument, mark in arguments)
    new = convention.rewrite(OldCall(receiver, tuple(marked)))
    places = [new.find(marks[number]) for number in kept]
    if -1 in places or places != sorted(places):
        raise Refusal("evaluation_order", "an argument with side effects would be evaluated in another order")


def _require_lasting(receiver: Node, around: Sequence[Node]) -> None:
    """Refuse an object that may be another by the time that a lambda evaluates it."""
    link: Node | None = receiver
    while link is not None and link.type == "attribute":
        link = link.child_by_field_name("object")
    if link is None or not (link.type == "identifier" or is_constant(link)):
        raise Refusal("receiver_value", f"{text_of(receiver)} would be evaluated later, and more than once")
    scopes = ("function_definition", "lambda", "class_definition")
    scope = next((node for node in around if node.type in scopes), None)
    if link.type == "identifier" and scope is not None and scope.type == "class_definition":
        raise Refusal("class_scope", f"a lambda in a class body does not see {text_of(receiver)}")


def _require_f_string(node: Node, around: Sequence[Node], text: str) -> None:
    """Refuse what Python 3.11 does not read inside an f-string: its own quote, a backslash, a comment, a line end."""
    for outer in around:
        if outer.type == "interpolation" and any(child.type == "=" for child in outer.children):
            raise Refusal("f_string", "the f-string shows the text of the expression")
        if outer.type == "string":
            quote = text_of(outer.children[0]).lstrip("rRfFbBuU")
            forbidden = {quote, "\\", "#"} | ({"\n"} if len(quote) == 1 else set())
            if any(part in text and part not in text_of(node) for part in forbidden):
                raise Refusal("f_string", f"{text} cannot stand in an f-string in {quote}")
