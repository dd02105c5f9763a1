"""The statements of a program at module level, in any text: what each of them binds, reads and changes.

A scan for strings, comments and brackets finds where statements start, and unlike a tree it gives the same answer for
a text and for its beginning. Each statement is then read by itself, so that what is broken in one spoils no other.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import import_module
from itertools import chain, pairwise
from typing import Literal, NamedTuple

from tree_sitter import Node

from .tree.chains import CHAINS, chain_of
from .tree.names import Walk
from .tree.scopes import Scope
from .tree.syntax import parse, parts_of, text_of
from .tree.tokens import TOKEN
from .uses.standard_library import BUILTIN_NAMES, MODULES

# No bracket can hold these words: one that was never closed must not swallow what follows.
_STATEMENT = re.compile(
    r"(?:def|class|import|while|with|return|assert|del|raise)[ \t]|async[ \t]+def[ \t]|from[ \t]+[\w.]+[ \t]+import\b"
)
_CLAUSE = re.compile(r"(?:elif|else|except|finally)\b")
_BLANK = re.compile(r"[ \t\f]*(?:[\r\n]|\Z)")
_MAIN = re.compile(r"if\s*\(?\s*(?:__name__\s*==|[\"']__main__[\"']\s*==\s*__name__)")
_OVERLOAD = re.compile(r"@(?:\w+\.)?overload\b")
# What these set holds for the whole process: a function may need it though it names nothing of it.
_SETTING = re.compile(
    r"\b(?:setrecursionlimit|stack_size|set_int_max_str_digits|getcontext|setcontext|seed|filterwarnings|simplefilter|"
    r"seterr)\s*\("
)
_REMEMBERED = 10_000  # characters of the longest statement whose facts are kept
_TREES = 50_000  # characters of the longest statement that is read as a tree; of longer ones, tables, the words count
MAX_STATEMENTS = 4000  # of a text, that are looked at: no model writes more

Kind = Literal["definition", "import", "assignment", "assert", "main", "expression", "block", "comment", "broken"]
_KINDS: dict[str, Kind] = {
    "function_definition": "definition",
    "class_definition": "definition",
    "decorated_definition": "definition",
    "import_statement": "import",
    "import_from_statement": "import",
    "future_import_statement": "import",
    "assert_statement": "assert",
}

_DATA = frozenset(
    "dictionary list set tuple string concatenated_string integer float true false none list_comprehension "
    "set_comprehension dictionary_comprehension generator_expression binary_operator comparison_operator".split()
)


def line_starts(text: str) -> Iterator[int]:
    """Yield where the lines of `text` start, leaving out those inside a string, a bracket or a continuation."""
    depth = 0
    yield 0
    for token in TOKEN.finditer(text):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif token.lastgroup == "newline":
            depth = 0 if _STATEMENT.match(text, token.end()) else depth
            if depth == 0:
                yield token.end()


class Facts(NamedTuple):
    """What a statement does: `binds` and `declares` (`global` in a function) are names of the module that it gives.

    `reads`: names that it reads anywhere and does not bind inside; `annotations`: those in annotations that are
    evaluated; `changes`: names whose attributes, items or bases it uses when it runs, and so may change; `stores`:
    those of which it sets or deletes one; `data`: those of `binds` that are no functions, for they are displays or
    literals; `stars`: modules of `import *`; `stub`: what it defines does nothing.
    """

    kind: Kind
    binds: frozenset[str]
    declares: frozenset[str]
    reads: frozenset[str]
    annotations: frozenset[str]
    changes: frozenset[str]
    stores: frozenset[str]
    data: frozenset[str]
    stars: tuple[str, ...]
    stub: bool


@dataclass(frozen=True)
class Statement:
    """A statement of `whole` that starts at column 0, with its clauses and decorators.

    `end` is where its last line ends, `stop` where the next statement starts, or a comment at column 0 after it.
    """

    whole: str
    start: int
    end: int
    stop: int

    @property
    def text(self) -> str:
        """Return its source."""
        return self.whole[self.start : self.end]

    @cached_property
    def facts(self) -> Facts:
        """Return what it does."""
        return _remembered(self.text) if self.end - self.start <= _REMEMBERED else _read(self.text)

    def first_line(self) -> str | None:
        """Return its first logical line; None where the text ends within it."""
        starts = line_starts(self.text)
        next(starts)
        ends = next(starts, None)
        if ends is not None:
            return self.text[:ends]
        return self.text if self.text.endswith(("\n", "\r")) else None

    @property
    def is_setting(self) -> bool:
        """Say whether it sets something for the whole process, such as the limit on recursion."""
        return self.facts.kind in ("expression", "assignment", "block") and bool(_SETTING.search(self.text))

    @property
    def is_overload(self) -> bool:
        """Say whether it is a signature for type checkers alone."""
        return bool(_OVERLOAD.match(self.text))


@lru_cache(maxsize=4)
def split(text: str) -> Sequence[Statement]:
    """Return the statements of `text` at column 0, in their order; comments at column 0 belong to none.

    Lines indented before the first statement make one of their own. What follows twice MAX_STATEMENTS belongs to the
    last of them.
    """
    found: list[list[int]] = []  # start, end, stop
    open_above = False  # decorators wait for what they decorate
    for start, following in pairwise(chain(line_starts(text), [len(text)])):
        if len(found) == 2 * MAX_STATEMENTS:
            found[-1][1] = len(text)
            break
        if _BLANK.match(text, start):
            continue
        first = text[start]
        if first == "#":
            if found and found[-1][2] == len(text):
                found[-1][2] = start
            continue
        continues = found and (first in " \t\f" or open_above or _CLAUSE.match(text, start))
        if continues:
            found[-1][1:] = following, len(text)
        else:
            if found and found[-1][2] == len(text):
                found[-1][2] = start
            found.append([start, following, len(text)])
        open_above = first == "@" or (open_above and first in " \t\f")
    return tuple(Statement(text, *place) for place in found)


@lru_cache(maxsize=1024)
def _remembered(text: str) -> Facts:
    return _read(text)


def _read(text: str) -> Facts:
    if len(text) > _TREES:
        return _read_words(text)
    tree = parse(text)
    walk = Walk(tree)
    module = walk.module
    binds: set[str] = set()
    declares: set[str] = set()
    reads: set[str] = set()
    changes: set[str] = set()
    stores: set[str] = set()
    data: set[str] = set()
    for name, bindings in module.bindings.items():
        at_load = [binding for binding in bindings if _runs_at_load(binding.seen_from)]
        (binds if at_load else declares).add(name)
        if len(at_load) < len(bindings) or any(binding.how == "updated" for binding in bindings):
            reads.add(name)
        if all(binding.value is not None and binding.value.type in _DATA for binding in bindings):
            data.add(name)
    kind = _kind_of(tree, text)
    for site in walk.sites:
        root, steps = chain_of(site.node)
        if root.type != "identifier":
            continue
        name = text_of(root)
        if any(scope is not module and name in scope.bindings for scope in site.scope.enclosing()):
            continue
        if not (site.stored and not steps):
            reads.add(name)
        if not _runs_at_load(site.scope):
            continue
        if site.stored and steps:
            stores.add(name)
        if site.applied or kind == "definition" or (steps and steps[0].kind != "call"):
            changes.add(name)
    return Facts(
        kind,
        frozenset(binds),
        frozenset(declares),
        frozenset(reads),
        frozenset(_annotations(tree)),
        frozenset(changes),
        frozenset(stores),
        frozenset(data),
        tuple(module.stars),
        kind == "definition" and _is_stub(tree),
    )


def _read_words(text: str) -> Facts:
    """Return what the first words of a long statement, such as a table, say of it: the name that it binds."""
    found = re.match(r"(?:(?:async[ \t]+)?(def|class)[ \t]+)?(\w+)[ \t]*([=:(]?)", text)
    defined = found is not None and bool(found[1])
    binds = frozenset({found[2]} if found and (defined or found[3] == "=") else ())
    kind: Kind = "definition" if defined else "assignment" if binds else "block"
    nothing: frozenset[str] = frozenset()
    return Facts(kind, binds, nothing, nothing, nothing, nothing, nothing, nothing, (), False)


def _runs_at_load(scope: Scope | None) -> bool:
    while scope is not None and scope.kind in ("class", "comprehension"):
        scope = scope.parent
    return scope is None or scope.kind == "module"


def _kind_of(tree: Node, text: str) -> Kind:
    if tree.has_error:
        return "broken"
    parts = list(parts_of(tree))
    if not parts:
        return "comment"
    if _MAIN.match(text):
        return "main"
    first = parts[0]
    if first.type == "expression_statement":
        inner = next(parts_of(first), None)
        return "assignment" if inner and inner.type in ("assignment", "augmented_assignment") else "expression"
    return _KINDS.get(first.type, "block")


def _annotations(tree: Node) -> Iterator[str]:
    """Yield the names in annotations that are evaluated: not those of variables inside functions."""
    pending = [(tree, False)]
    while pending:
        node, inside = pending.pop()
        if node.type == "type":
            if not (inside and node.parent and node.parent.type == "assignment"):
                yield from _names_in(node)
            continue
        inside = inside or node.type == "function_definition"
        pending.extend((child, inside) for child in node.named_children)


def _names_in(node: Node) -> Iterator[str]:
    pending = [node]
    while pending:
        node = pending.pop()
        if node.type in CHAINS:
            node = chain_of(node)[0]
        if node.type == "identifier":
            yield text_of(node)
        else:
            pending.extend(node.named_children)


def _is_stub(tree: Node) -> bool:
    """Say whether what is defined has no body worth the name: a docstring, `...`, `pass`, what says to be written."""
    node: Node | None = next(parts_of(tree), None)
    while node and node.type == "decorated_definition":
        node = node.child_by_field_name("definition")
    body = node.child_by_field_name("body") if node else None
    return body is not None and all(_does_nothing(part) for part in parts_of(body))


def _does_nothing(node: Node) -> bool:
    if node.type in ("pass_statement", "import_statement", "import_from_statement"):
        return True
    if node.type in ("return_statement", "raise_statement"):
        text = text_of(node).rstrip("; ")
        return text in ("return", "return None") or text.startswith("raise NotImplementedError")
    inner = next(parts_of(node), None) if node.type == "expression_statement" else None
    return inner is not None and inner.type in ("string", "concatenated_string", "ellipsis")


# ---- names across statements


@cache
def exports(module: str) -> frozenset[str]:
    """Return what `from module import *` gives; nothing for modules that are not looked at."""
    if module not in MODULES:
        return frozenset()
    try:
        found = import_module(module)
    except ImportError:  # a module of another platform, or one that this Python was built without
        return frozenset()
    return frozenset(getattr(found, "__all__", None) or (name for name in dir(found) if not name.startswith("_")))


class Names:
    """The names of a row of statements: which statements bind each, and what is reached from some of them."""

    def __init__(self, statements: Sequence[Statement]):
        self.statements: list[Statement] = []
        self.binders: dict[str, list[int]] = {}
        self.given = set(BUILTIN_NAMES)
        for statement in statements[:MAX_STATEMENTS]:
            self.add(statement)

    def add(self, statement: Statement) -> None:
        """Take one more statement in."""
        facts = statement.facts
        for name in facts.binds | facts.declares:
            self.binders.setdefault(name, []).append(len(self.statements))
        for module in facts.stars:
            self.given |= exports(module)
        self.statements.append(statement)

    def reached(self, names: Iterable[str], before: Iterable[str] = ()) -> set[str]:
        """Return `names` and all that the statements which bind them read, and so on.

        The names `before` are among them, and are not followed.
        """
        found, pending = set(before), list(names)
        while pending:
            name = pending.pop()
            if name in found:
                continue
            found.add(name)
            for place in self.binders.get(name, ()):
                facts = self.statements[place].facts
                pending.extend((facts.reads | facts.annotations) - found)
        return found

    def missing(self, names: Iterable[str]) -> set[str]:
        """Return those of `names` that nothing gives: no statement, no builtin, no `import *`."""
        return {
            name
            for name in names
            if name not in self.binders and name not in self.given and not (name[:2] == name[-2:] == "__")
        }

    def own(self, names: Iterable[str]) -> set[str]:
        """Return those of `names` that the statements define themselves, by other means than imports."""
        return {
            name
            for name in names
            if any(self.statements[place].facts.kind != "import" for place in self.binders.get(name, ()))
        }


def root_of(entry_point: str) -> str:
    """Return the name of the module that an entry point starts from: `Solution` of `Solution().f`."""
    found = re.match(r"\w+", entry_point)
    return found[0] if found else entry_point


def defines(statements: Sequence[Statement], entry_point: str) -> list[int]:
    """Return the places of the statements that bind the entry point; for a method, of classes that have it."""
    root, method = root_of(entry_point), entry_point.rpartition(".")[2]
    found = []
    for place, statement in enumerate(statements[:MAX_STATEMENTS]):
        if root not in statement.text or root not in statement.facts.binds - statement.facts.data:
            continue
        if statement.is_overload:
            continue
        if method == root or "." not in entry_point or re.search(rf"\b{re.escape(method)}\b", statement.text):
            found.append(place)
    return found
