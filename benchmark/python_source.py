"""Python source: its syntax tree, and the names that it reads, calls and defines."""

import ast
import warnings
from collections.abc import Iterator


class NotPythonError(ValueError):
    """A text that Python cannot parse; `line` (1-based) says where, as far as that is known."""

    def __init__(self, reason: str, line: int | None = None):
        super().__init__(reason if line is None else f"{reason}, line {line}")
        self.reason = reason
        self.line = line


def parse_python(text: str) -> ast.Module:
    r"""Return the syntax tree of `text`; warnings about it ("\d" in a plain string) are not ours to give.

    Raises NotPythonError where `text` is not Python, or nested too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise NotPythonError(error.msg, error.lineno) from None
        except (RecursionError, MemoryError):
            raise NotPythonError("nested too deeply") from None


def defined_names(node: ast.AST) -> dict[str, ast.AST]:
    """Return the names that a module, or one statement, binds at its top level, each with the node that binds it."""
    statements = node.body if isinstance(node, ast.Module) else [node]
    return {name: statement for statement in statements for name in _bound_by(statement)}


def _bound_by(statement: ast.AST) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case _:
            yield from (n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


def asserts(statement: ast.stmt) -> bool:
    """Say whether running `statement` asserts something."""
    defines = isinstance(statement, ast.FunctionDef | ast.ClassDef)  # what it asserts, it asserts when it is called
    return not defines and any(isinstance(node, ast.Assert) for node in ast.walk(statement))


def loaded_names(tree: ast.AST) -> dict[str, None]:
    """Return the names that are read anywhere in `tree`, in the order of the walk."""
    return {node.id: None for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def called_names(tree: ast.AST) -> dict[str, None]:
    """Return the bare names that are called anywhere in `tree`, outer calls first."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {function.id: None for function in calls if isinstance(function, ast.Name)}
