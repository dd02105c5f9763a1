"""Measures the structure of the code: modules and lines of each folder, and who imports whom, on how many floors.

    python scripts/structure.py                    every folder of product code
    python scripts/structure.py editing judging    these alone, with each import between their places
    python scripts/structure.py --root OTHER       another checkout, to compare

A place is a folder's child: a module, or a folder with all that it holds. An import from one place to another counts
once, however many names and lines it has; imports for type checkers and inside functions count too. The floor of a
place is 0 where it imports no other place of the folder, else one above the highest that it imports; places that
import each other in a circle share a floor, and are named.
"""

import argparse
import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MAX_MODULES = 16  # of a folder: more are a hall, not a room
Edges = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Folder:
    """A folder of product code: its path from the root, its own modules, and the edges between its places."""

    path: str
    modules: tuple[str, ...]
    lines: int
    imports: Edges

    @property
    def edge_count(self) -> int:
        """Return the number of imports between places."""
        return sum(map(len, self.imports.values()))


def main() -> None:
    """Print the measures of the folders that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", help="folders to show with their imports [default: all, in short]")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="the checkout")
    given = parser.parse_args()
    folders = {folder.path: folder for folder in measure(given.root)}
    unknown = [name for name in given.folders if name not in folders]
    if unknown:
        parser.error(f"no folder of product code: {', '.join(unknown)}; there are {', '.join(folders)}")
    for line in in_detail([folders[name] for name in given.folders]) if given.folders else in_short(folders.values()):
        print(line)


def measure(root: Path) -> list[Folder]:
    """Return every folder of product code below `root`: the packages at its top, and the folders in them."""
    sources = {path: path.read_text(encoding="utf-8") for path in product_files(root)}
    modules = {module_name(path.relative_to(root)): path for path in sources}
    imported = {name: imported_modules(name, sources[path], modules) for name, path in modules.items()}
    folders = sorted({path.parent.relative_to(root) for path in sources})
    return [_folder(folder, root, sources, imported) for folder in folders]


def product_files(root: Path) -> list[Path]:
    """Return the Python files below `root` that are installed: those of the packages at its top."""
    tops = [init.parent for init in sorted(root.glob("*/__init__.py"))]
    return [path for top in tops for path in sorted(top.rglob("*.py"))]


def module_name(path: Path) -> str:
    """Return the dotted name of the module at `path`, from the root on; a folder's `__init__` bears its name."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_modules(name: str, source: str, modules: Mapping[str, Path]) -> frozenset[str]:
    """Return which of `modules` the module `name` imports, whether relatively or as part of the namespace edittool."""
    is_folder = modules[name].name == "__init__.py"
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("edittool.") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, name, is_folder)
            inner = {f"{origin}.{alias.name}".lstrip(".") for alias in node.names}
            found |= (inner & modules.keys()) or {origin}
    return frozenset(found & modules.keys() - {name})


def _origin(node: ast.ImportFrom, name: str, is_folder: bool) -> str:
    if not node.level:
        return (node.module or "").removeprefix("edittool.")
    parts = name.split(".")
    kept = parts[: len(parts) - node.level + is_folder]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _folder(folder: Path, root: Path, sources: Mapping[Path, str], imported: Mapping[str, frozenset[str]]) -> Folder:
    inside = ".".join(folder.parts) + "."
    edges: dict[str, set[str]] = {}
    for name, others in imported.items():
        if name.startswith(inside):
            place = name.removeprefix(inside).split(".")[0]
            targets = {other.removeprefix(inside).split(".")[0] for other in others if other.startswith(inside)}
            edges.setdefault(place, set()).update(targets - {place})
    own = [path for path in sources if path.parent == root / folder]
    modules = tuple(path.stem for path in own if path.name != "__init__.py")
    below = [text for path, text in sources.items() if path.is_relative_to(root / folder)]
    lines = sum(text.count("\n") for text in below)
    return Folder(folder.as_posix(), modules, lines, {place: frozenset(to) for place, to in edges.items()})


def floors(edges: Edges) -> dict[str, int]:
    """Return the floor of each place; those of a circle share one."""
    circle = {place: group for group in circles(edges) for place in group}
    found: dict[str, int] = {}

    def floor(place: str) -> int:
        group = circle.get(place, frozenset([place]))
        if place not in found:
            below = {other for member in group for other in edges.get(member, ())} - group
            level = max((floor(other) + 1 for other in below), default=0)
            found.update(dict.fromkeys(group, level))
        return found[place]

    for place in edges:
        floor(place)
    return found


def circles(edges: Edges) -> list[frozenset[str]]:
    """Return the groups of places that reach each other by imports."""
    reached = {place: _reached(place, edges) for place in edges}
    groups = {frozenset(other for other in reached[place] if place in reached.get(other, ())) for place in edges}
    return sorted((group for group in groups if len(group) > 1), key=sorted)


def _reached(place: str, edges: Edges) -> set[str]:
    seen, pending = set[str](), [place]
    while pending:
        new = edges.get(pending.pop(), frozenset()) - seen
        seen |= new
        pending += new
    return seen


def in_short(folders: Collection[Folder]) -> Iterator[str]:
    """Yield a line for each folder, and the totals."""
    yield f"{'folder':36} {'modules':>8} {'places':>7} {'imports':>8} {'floors':>7} {'lines':>7}"
    for one in folders:
        height = 1 + max(floors(one.imports).values(), default=0)
        many = "  more than 16 modules" if len(one.modules) > MAX_MODULES else ""
        ring = "".join(f"  circle: {', '.join(sorted(group))}" for group in circles(one.imports))
        yield (
            f"{one.path:36} {len(one.modules):8} {len(one.imports):7} {one.edge_count:8} {height:7} {one.lines:7}"
            f"{many}{ring}"
        )
    lines = sum(one.lines for one in folders if "/" not in one.path)
    yield f"{len(folders)} folders, {sum(len(one.modules) for one in folders)} modules, {lines} lines"


def in_detail(folders: list[Folder]) -> Iterator[str]:
    """Yield the places of each folder from the highest floor down, each with what it imports."""
    for one in folders:
        levels = floors(one.imports)
        height = 1 + max(levels.values(), default=0)
        yield f"{one.path}: {len(one.imports)} places on {height} floors, {one.edge_count} imports"
        for place in sorted(one.imports, key=lambda place: (-levels[place], place)):
            yield f"  {levels[place]}  {place:24} {' '.join(sorted(one.imports[place]))}"
        for group in circles(one.imports):
            yield f"  circle: {', '.join(sorted(group))}"


if __name__ == "__main__":
    main()
