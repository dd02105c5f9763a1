"""Problems that are the same task: the same program up to names, or the same text up to words that carry no meaning.

A threshold on shared words or on edit distance cannot tell the same task in other words from another task in the same
words: "the maximum of two numbers" is nearer to "the minimum of two numbers" than to "the largest of two given values".
So texts are the same where they are equal once filler words and repeats are dropped, synonyms are one word, and a
closing "using ..." is cut, which names the means and not the task.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

from ...schemas.problems import Problem
from ..python_source import defined_names, parse_python

MIN_WORDS = 2  # "Write a function to find it" names no task

_FILLER = frozenset(
    "write create python program function return returns find get check calculate compute print determine "
    "given specified certain only single format equivalent a an the this that which it its i you your "
    "and of in to for by with from on at is are be been has have if whether".split()
)
_SYNONYMS = {
    word: words.split()[0]
    for words in (
        "maximum max largest biggest highest greatest",
        "minimum min smallest lowest",
        "list lists array arrays",
        "string strings",
        "number integer value element item",
        "numbers integers values elements items",
        "frequency frequencies occurrence occurrences",
        "character char characters chars",
        "sum addition summation",
        "remove delete",
        "zeros zeroes",
        "dictionary dict",
    )
    for word in words.split()
}
_HOW = re.compile(r"\b(?:by |with )?(?:the )?(?:using|use of|help of)\b.*", re.DOTALL)
_EXAMPLES = re.compile(r"\s*(?:>>>|assert\b|(?:for )?examples?\b)", re.IGNORECASE)


def find_clusters(problems: Sequence[Problem]) -> tuple[frozenset[str], ...]:
    """Return the groups of two and more problems that are the same task, as task ids.

    A problem that is the same as two others, by program or by text, joins them into one group.
    """
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for problem in problems:
        for likeness in _likenesses(problem):
            alike[likeness].append(problem.task_id)
    groups = (group for group in _join(alike.values()) if len(group) > 1)
    return tuple(sorted(groups, key=min))


def _likenesses(problem: Problem) -> Iterator[Hashable]:
    """Yield what two problems share when they are the same task; nothing for a solution that does not parse."""
    try:
        tree = parse_python(problem.solution)
    except ValueError:
        return
    words = _content_words(_description(tree, problem.entry_point))
    if len(words) >= MIN_WORDS:
        yield words
    yield _shape(tree)


def _join(groups: Iterable[Sequence[str]]) -> Iterator[frozenset[str]]:
    """Yield the groups, those with a common member made one."""
    group_of: dict[str, set[str]] = {}
    for members in groups:
        joined = set(members).union(*(group_of.get(member, ()) for member in members))
        group_of.update(dict.fromkeys(joined, joined))
    yield from {id(group): frozenset(group) for group in group_of.values()}.values()


# Texts


def _description(tree: ast.Module, entry_point: str) -> str:
    """Return the text of the task: the docstring of the entry point, else of the program, up to its examples."""
    told: list[ast.FunctionDef | ast.Module] = [tree]
    told[:0] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry_point]
    texts = (ast.get_docstring(node) for node in told)
    lines = next((text.splitlines() for text in texts if text), [])
    return "\n".join(_before_examples(lines, entry_point))


def _before_examples(lines: Iterable[str], entry_point: str) -> Iterator[str]:
    for line in lines:
        if _EXAMPLES.match(line) or line.lstrip().startswith(f"{entry_point}("):
            return
        yield line


def _content_words(text: str) -> tuple[str, ...]:
    words = re.findall(r"\w+", _HOW.sub("", text.lower()))
    return tuple(dict.fromkeys(_SYNONYMS.get(word, word) for word in words if word not in _FILLER))


# Programs


def _shape(tree: ast.Module) -> str:
    """Return the program without its own names, imports, annotations and docstrings; consumes `tree`."""
    return ast.dump(_Anonymous(tree).visit(tree))


class _Anonymous(ast.NodeTransformer):
    """Numbers the names that a program binds itself, and calls what it imports by its full name."""

    def __init__(self, tree: ast.Module) -> None:
        self.imported = dict(_imported(tree))
        self.own = frozenset(_bound(tree))
        self.numbers: dict[str, str] = {}
        for name in defined_names(tree):
            self._rename(name)

    def _rename(self, name: str) -> str:
        if name in self.own:
            return self.numbers.setdefault(name, f"<{len(self.numbers)}>")
        return self.imported.get(name, name)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.body = [statement for statement in node.body if not _says_nothing(statement)]
        return super().generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._rename(node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        of_module = isinstance(node.value, ast.Name) and node.value.id in self.imported
        self.generic_visit(node)
        if of_module and isinstance(node.value, ast.Name):
            return ast.Name(f"{node.value.id}.{node.attr}", node.ctx)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._rename(node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns = self._rename(node.name), None
        outside = dict(self.numbers)
        self.generic_visit(node)
        self.numbers = outside  # what the function calls its own is nobody else's
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._rename(node.name)
        return self.generic_visit(node)


def _says_nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
