"""The house: which folder may import which, how many modules a folder holds, and that no imports form a circle."""

import ast
import importlib.util
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("structure", REPOSITORY / "scripts" / "structure.py")
structure = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(structure)

# What each folder at the top may import, as docs/architecture.md and CONTRIBUTING say.
ALLOWED = {
    "schemas": set(),
    "sandbox_images": set(),
    "analysis": {"schemas"},
    "judging": {"schemas", "analysis", "sandbox_images"},
    "benchmark": {"schemas", "analysis", "judging"},
    "samples": {"schemas", "analysis"},
    "editing": {"schemas", "analysis"},
    "reporting": {"schemas", "analysis"},
    "scaling": {"schemas", "benchmark", "editing"},
    "cli": {"schemas", "analysis", "judging", "benchmark", "samples", "editing", "reporting", "scaling"},
}
# The places of these, floor by floor from the ground up: each imports from lower floors alone.
FLOORS = {
    "editing": (
        "statements",
        "context edits model requests",
        "covariance locate_then_edit sampling",
        "success training",
        "methods",
        "api runs",
    ),
    "judging": (
        "engine notices places tasks world_probe",
        "image world_choice",
        "sandbox",
        "resume verify world_check",
        "samples",
        "make_verdict",
        "judge",
    ),
    "reporting": (
        "bounds finding options printable read research_questions",
        "explain table",
        "count",
        "charts questions",
        "report",
        "build page write",
    ),
    "samples/importing": (
        "answers opening repeats shapes",
        "find_tasks places values",
        "recognise samples_of",
        "readers",
        "run",
    ),
    "sandbox_images/python": ("boundary image", "untrusted", "trusted"),
    "scaling/study": ("plan", "steps", "counts record", "run"),
}
NEED_TORCH = {"torch", "transformers", "safetensors", "tokenizers"}


@pytest.fixture(scope="module")
def folders():
    return {folder.path: folder for folder in structure.measure(REPOSITORY)}


@pytest.fixture
def checkout(tmp_path):
    """Write modules, by path, below a folder of packages, and measure them."""

    def write(**sources):
        for name, text in sources.items():
            path = tmp_path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            for folder in [path.parent, *path.parent.parents][: len(path.relative_to(tmp_path).parts) - 1]:
                (folder / "__init__.py").touch()
        return {folder.path: folder for folder in structure.measure(tmp_path)}

    return write


def top_imports(root):
    modules = {structure.module_name(path.relative_to(root)): path for path in structure.product_files(root)}
    found = {}
    for name, path in modules.items():
        others = structure.imported_modules(name, path.read_text(encoding="utf-8"), modules)
        found.setdefault(name.split(".")[0], set()).update(other.split(".")[0] for other in others)
    return {top: others - {top} for top, others in found.items()}


def test_imports_between_the_folders_at_the_top_run_one_way():
    found = top_imports(REPOSITORY)
    assert found.keys() == ALLOWED.keys()
    assert {top: others - ALLOWED[top] for top, others in found.items()} == {top: set() for top in ALLOWED}


def test_no_folder_has_imports_in_a_circle(folders):
    assert {path: structure.circles(folder.imports) for path, folder in folders.items()} == {
        path: [] for path in folders
    }


@pytest.mark.parametrize("folder", FLOORS)
def test_places_import_from_lower_floors_alone(folders, folder):
    floor_of = {place: floor for floor, places in enumerate(FLOORS[folder]) for place in places.split()}
    imports = folders[folder].imports
    assert imports.keys() == floor_of.keys()
    edges = [(place, other) for place, others in imports.items() for other in others]
    assert [edge for edge in edges if floor_of[edge[1]] >= floor_of[edge[0]]] == []


def test_no_folder_is_a_hall(folders):
    assert {path: len(one.modules) for path, one in folders.items() if len(one.modules) > structure.MAX_MODULES} == {}


def outside_imports(source):
    """Yield the packages outside edittool that `source` imports as soon as it is imported itself."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


def test_the_image_of_the_toolkit_is_given_every_folder_and_what_installs_them():
    given = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert given == {*ALLOWED, "LICENSE", "README.md", "constraints.txt", "pyproject.toml", "setup.py"}


def test_everything_but_editing_can_be_imported_without_torch():
    found = {
        str(path.relative_to(REPOSITORY))
        for path in structure.product_files(REPOSITORY)
        if NEED_TORCH.intersection(outside_imports(path.read_text(encoding="utf-8")))
    }
    assert {path for path in found if not path.startswith("editing/")} == set()
    assert "editing/methods/ft.py" in found


def test_every_kind_of_import_is_seen(checkout):
    found = checkout(
        a__one="from . import two\nfrom .b.three import x\n",
        a__two="import edittool.a.b.three\n",
        a__b__three="def f():\n    from edittool.c import d\n",
        c__d="if TYPE_CHECKING:\n    from ..a.two import y\n",
    )
    assert {place: set(others) for place, others in found["a"].imports.items() if others} == {
        "one": {"two", "b"},
        "two": {"b"},
    }
    assert found["c"].imports == {"d": frozenset()}


def test_a_circle_and_its_floor_are_seen(checkout):
    found = checkout(
        a__one="from . import two",
        a__two="from . import three",
        a__three="from .one import x",
        a__top="from . import one",
    )
    assert structure.circles(found["a"].imports) == [{"one", "two", "three"}]
    assert structure.floors(found["a"].imports) == {"one": 0, "two": 0, "three": 0, "top": 1}
