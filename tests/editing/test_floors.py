"""The floors of `edittool.editing`, as its docstring draws them: a folder imports from lower floors alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import edittool.editing

ROOT = Path(edittool.editing.__path__[0])
FLOORS = [
    {"context", "edits", "model", "requests"},
    {"covariance", "locate_then_edit"},
    {"methods"},
    {"api", "runs"},
]


def place(path: Path) -> str:
    """The folder of a file, or its own name where it stands in none."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The places that a file imports from by a relative import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            origin = path.parents[node.level - 1]
            if origin.is_relative_to(ROOT):
                names = [node.module] if node.module else [name.name for name in node.names]
                yield from (place(origin.joinpath(*name.split("."))) for name in names)


def test_folders_import_from_lower_floors_alone() -> None:
    floor_of = {name: number for number, floor in enumerate(FLOORS) for name in floor}
    files = [path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py"]
    assert {place(path) for path in files} == floor_of.keys()
    edges = {(place(path), other) for path in files for other in imported(path) if other != place(path)}
    assert len(edges) > 10
    assert [(upper, lower) for upper, lower in sorted(edges) if floor_of[lower] >= floor_of[upper]] == []
