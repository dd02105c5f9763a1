"""What the source of a package says to be deprecated, and in what words."""

import ast
import inspect
import re
from collections.abc import Iterator, Sequence

_CATEGORIES = ("DeprecationWarning", "FutureWarning")  # PendingDeprecationWarning ends so too
_VERSION = re.compile(r"v?\d[\w.]*")  # since when
_DIRECTIVE = re.compile(
    r"^\.\. deprecated::[ \t]*(?:v?\d[\w.]*)?(.*(?:\n(?:[ \t]+.*|[ \t]*(?=\n[ \t])))*)", re.MULTILINE
)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def deprecation(node: Definition) -> str | None:
    """Return the words in which a function or class is called deprecated as a whole; None where it is not.

    A warning that stands under a condition speaks of a parameter, and a directive that is indented as well.
    """
    said = [*_by_decorators(node), *_by_docstring(node), *_by_warning(_own_body(node))]
    return " ".join(filter(None, said)) if said else None


def deprecated_by_getattr(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each name that the `__getattr__` of a module serves with a warning, and the words of that."""
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__getattr__":
            for branch in ast.walk(function):
                if isinstance(branch, ast.If) and (said := " ".join(_by_warning(branch.body))):
                    yield from ((name, said) for name in _compared(branch.test))


def _compared(test: ast.expr) -> list[str]:
    match test:
        case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=str(name))]):
            return [name]
    return []


def _by_decorators(node: Definition) -> Iterator[str]:
    for decorator in node.decorator_list:
        if is_marker(decorator.func if isinstance(decorator, ast.Call) else decorator):
            yield _texts(decorator)


def is_marker(called: ast.expr) -> bool:
    """Say whether this is a decorator that marks what it decorates as deprecated."""
    return "deprecated" in last_name(called).lower()


def _by_docstring(node: Definition) -> Iterator[str]:
    docstring = ast.get_docstring(node, clean=False)
    if docstring and (found := _DIRECTIVE.search(inspect.cleandoc(docstring))):
        yield found[1]


def _own_body(node: Definition) -> Sequence[ast.stmt]:
    if not isinstance(node, ast.ClassDef):
        return node.body
    makers = (part for part in node.body if isinstance(part, ast.FunctionDef) and part.name in ("__init__", "__new__"))
    return [statement for maker in makers for statement in maker.body]


def _by_warning(body: Sequence[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and _warns(statement.value):
            yield _texts(statement.value)


def _warns(call: ast.Call) -> bool:
    name = last_name(call.func).lower()
    if name not in ("warn", "warn_explicit"):
        return "deprecat" in name  # a helper of the package's own
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(last_name(value).endswith(_CATEGORIES) for value in given)


def last_name(node: ast.expr) -> str:
    """Return the name that `node` ends with: `c` of `a.b.c`; "" where it is no name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(node: ast.AST) -> str:
    """Return the texts that stand in `node`, in their order."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    found.sort(key=lambda part: (part.lineno, part.col_offset))
    return " ".join(text for part in found if not _VERSION.fullmatch(text := str(part.value)))
