"""The mere rename: a program in which the deprecated API's name gives way to the replacement's, and nothing else.

Certification runs it to see that a change asks for more than a new name. It is made by editing the text in place, and
not at all where a name might mean something else: then None is returned and the program is left unchecked.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..schemas.changes import Change
from .names import parse_python


@dataclass(frozen=True, slots=True)
class _Edit:
    """In line `line` (1-based), `old` ends at the byte `end` and gives way to `new`."""

    line: int
    end: int
    old: str
    new: str

    def apply(self, line: bytes) -> bytes | None:
        """Return the line with the edit made, or None where `old` does not stand there."""
        head, tail = line[: self.end], line[self.end :]
        old = self.old.encode("utf-8")
        return head.removesuffix(old) + self.new.encode("utf-8") + tail if head.endswith(old) else None


def rename(program: str, change: Change) -> str | None:
    """Return `program` with the deprecated API of `change` merely renamed, or None where that is not safe."""
    try:
        tree = parse_python(program)
    except ValueError:
        return None
    edits = _find_edits(tree, change)
    return _apply(program, edits) if edits and "\r" not in program else None


def _find_edits(tree: ast.Module, change: Change) -> list[_Edit] | None:
    owner, _, name = change.deprecated.rpartition(".")
    if change.replacement in _names(tree):
        return None
    if not owner:
        return None if name in _bound(tree) else _rename_names(tree, name, change.replacement)
    if isinstance(getattr(builtins, owner, None), type):
        return _rename_methods(tree, name, change.replacement)
    return _rename_members(tree, owner, name, change.replacement)


def _rename_names(tree: ast.Module, name: str, new: str) -> list[_Edit]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)
    return [_edit(node, name, new) for node in found]


def _rename_methods(tree: ast.Module, name: str, new: str) -> list[_Edit] | None:
    """Rename the attribute everywhere; the receivers' types are unknown, but a module's function is no method."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name]
    modules = {alias.asname or alias.name.partition(".")[0] for node in _imports(tree) for alias in node.names}
    if any(isinstance(node.value, ast.Name) and node.value.id in modules for node in found):
        return None
    return [_edit(node, name, new) for node in found]


def _edit(node: ast.expr, old: str, new: str) -> _Edit:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return _Edit(node.end_lineno, node.end_col_offset, old, new)


def _rename_members(tree: ast.Module, module: str, name: str, new: str) -> list[_Edit] | None:
    """Rename what is reached through `import module`, in any spelling; from-imports are left unchecked."""
    spellings = set(_spellings(tree, module))
    heads = {spelling.partition(".")[0] for spelling in spellings}
    if heads & _bound(tree, with_imports=False) or any(_imports_from(node, module, name) for node in _imports(tree)):
        return None
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == name]
    found = [node for node in attributes if ast.unparse(node.value) in spellings]
    return [_edit(node, ast.unparse(node), new) for node in found]


def _spellings(tree: ast.Module, module: str) -> Iterator[str]:
    """Yield how the program can spell `module`: os.path after `import os`, p after `import os.path as p`."""
    for node in _imports(tree):
        for alias in node.names:
            full = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
            if module == full and (alias.asname or isinstance(node, ast.ImportFrom)):
                yield alias.asname or alias.name
            elif isinstance(node, ast.Import) and f"{module}.".startswith(f"{full}."):
                yield (alias.asname or full) + module[len(full) :]


def _imports_from(node: ast.Import | ast.ImportFrom, module: str, name: str) -> bool:
    names = {alias.name for alias in node.names}
    return isinstance(node, ast.ImportFrom) and node.module == module and bool(names & {name, "*"})


def _imports(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def _bound(tree: ast.Module, *, with_imports: bool = True) -> set[str]:
    """Return every name that anything in the program binds, whatever the scope."""
    bound: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.alias) and with_imports:
            bound.add(node.asname or node.name.partition(".")[0])
        elif not isinstance(node, ast.alias):
            bound.update(_names_given_by(node))
    return bound


def _names_given_by(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.arg(arg=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
    return []


def _names(tree: ast.Module) -> set[str]:
    return _bound(tree) | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _apply(program: str, edits: list[_Edit]) -> str | None:
    """Return the edited program, or None where an edit finds something else: inside f-strings positions can be wrong.

    The same holds for a name that is spread over lines or written with spaces.
    """
    lines: list[bytes] = [line.encode("utf-8") for line in program.split("\n")]
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.end), reverse=True):
        edited = edit.apply(lines[edit.line - 1])
        if edited is None:
            return None
        lines[edit.line - 1] = edited
    return b"\n".join(lines).decode("utf-8")
