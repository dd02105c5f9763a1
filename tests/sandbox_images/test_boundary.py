"""The trust boundary is a folder boundary: who imports whom, read from the code, type checkers' blocks included."""

import ast
import graphlib
import sys
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from edittool.sandbox_images import python as sandbox

TOP = "python"
SIDES = {"trusted", "untrusted", "boundary"}
# The one thing that crosses: what the forked child runs.
CHILD, RUN = "untrusted.candidate", {"run"}

Sources = Mapping[str, str]  # by dotted name below the sandbox's folder; "" is that folder's own __init__


def read_sources(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "image":
            yield from read_sources(entry, f"{prefix}{entry.name}.")
        elif entry.name.endswith(".py"):
            name = prefix + entry.name.removesuffix(".py")
            yield name.removesuffix("__init__").removesuffix("."), entry.read_text(encoding="utf-8")


def imports(module: str, source: str, sources: Sources) -> Iterator[tuple[str, str | None]]:
    """Yield what `module` imports: a module, and the name taken from it or None for the module itself.

    Modules of the sandbox are named from its folder on; whatever lies outside begins with a dot where it was asked for
    relatively. What a package holds is looked up first: `from ..untrusted import candidate` imports a module.
    """
    package = [TOP, *module.split(".")][: None if is_package(module, sources) else -1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            outside = node.level > len(package)
            place = ".".join([*start[1:], *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                inner = f"{place}.{alias.name}".strip(".")
                if outside:
                    yield f"{'.' * node.level}{node.module or ''}", alias.name
                elif node.level and inner in sources:
                    yield inner, None
                else:
                    yield place, alias.name


def is_package(module: str, sources: Sources) -> bool:
    return not module or any(name.startswith(f"{module}.") for name in sources)


def names_taken(module: str, alias: str, source: str) -> set[str]:
    """Return the attributes that `source` reads of the imported module it calls `alias`."""
    reads = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and node.id == alias)
    attributes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    taken = [node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == alias]
    # The module itself, handed on, would be all of it.
    return set(taken) | ({f"{module} itself"} if len(list(reads)) > len(taken) else set())


def faults(sources: Sources) -> list[str]:
    """Return each import that breaks a rule of the boundary, and why."""
    found = []
    graph: dict[str, set[str]] = {}
    for module, source in sorted(sources.items()):
        side = module.partition(".")[0]
        if is_package(module, sources) and not is_docstring_only(source):
            found.append(f"{module or TOP}: the package holds more than its docstring")
        for imported, name in imports(module, source, sources):
            other = imported.partition(".")[0]
            what = f"{module} imports {imported}" + (f".{name}" if name else "")
            if imported in sources:
                graph.setdefault(module, set()).add(imported)
            elif imported.startswith(".") or other not in sys.stdlib_module_names:
                found.append(f"{what}: neither of the sandbox nor of the standard library")
                continue
            if side == "boundary" and other in SIDES - {"boundary"}:
                found.append(f"{what}: the boundary belongs to neither side")
            elif side == "untrusted" and other == "trusted":
                found.append(f"{what}: nothing of the trusted side reaches the other")
            elif side == "trusted" and other == "untrusted":
                names = {name} if name else names_taken(imported, imported.rpartition(".")[2], source)
                if imported != CHILD or not names <= RUN:
                    found.append(f"{what}: only {CHILD}.run crosses, not {sorted(names - RUN)}")
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append(f"a circle of imports: {' - '.join(error.args[1])}")
    return found


def is_docstring_only(source: str) -> bool:
    body = ast.parse(source).body
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


SOURCES = dict(read_sources(files(sandbox)))


def test_the_sandbox_keeps_the_rules():
    assert {name for name in SOURCES if "." not in name} == {"", *SIDES}
    assert faults(SOURCES) == []


# Each rule, broken in small: the module that breaks it and what it holds.
BROKEN = {
    "a constant of the untrusted side": (
        "trusted.tests",
        "from ..untrusted.world import CANDIDATE_FILE",
        "only untrusted.candidate.run crosses",
    ),
    "more of the child": ("trusted.runner", "from ..untrusted.candidate import Candidate, run", "not ['Candidate']"),
    "more of the child, by its module": (
        "trusted.runner",
        "from ..untrusted import candidate\ncandidate.run(3, 4)\ncandidate.serve(3, 4)",
        "not ['serve']",
    ),
    "the child's module, handed on": (
        "trusted.runner",
        "from ..untrusted import candidate\ncandidate.run(3, 4)\nall_of_it = candidate",
        "itself",
    ),
    "for type checkers": (
        "trusted.tests",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from ..untrusted.world import World",
        "only untrusted.candidate.run crosses",
    ),
    "in a function": (
        "trusted.tests",
        "def run():\n    from ..untrusted import world",
        "only untrusted.candidate.run crosses",
    ),
    "the trusted side": ("untrusted.guard", "from ..trusted.tests import Trial", "nothing of the trusted side"),
    "one side, from the boundary": ("boundary.codec", "from ..untrusted import world", "belongs to neither side"),
    "the other side, from the boundary": ("boundary.codec", "from ..trusted.tests import Trial", "to neither side"),
    "edittool": ("trusted.tests", "from ....schemas.errors import InputError", "neither of the sandbox"),
    "edittool by its name": ("trusted.tests", "import edittool.schemas", "neither of the sandbox"),
    "a package": ("untrusted.world", "import numpy", "nor of the standard library"),
    "a package with code": ("untrusted", '"""The side."""\n\nfrom . import world', "more than its docstring"),
    "a circle": ("untrusted.removal", "from .world import World", "a circle of imports"),
    "a circle, for type checkers": (
        "untrusted.lookup",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from .world import World",
        "a circle of imports",
    ),
}


@pytest.mark.parametrize(("module", "source", "why"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_found(module, source, why):
    (fault, *more) = faults({**SOURCES, module: source})
    assert why in fault or any(why in other for other in more), [fault, *more]
    assert module in fault or any(module in other for other in more)
