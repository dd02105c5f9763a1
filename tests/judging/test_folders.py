"""The folders of judging import one way: each only from those on the floors below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edittool import judging

FOLDER = Path(next(iter(judging.__path__)))
FLOORS = {"engine": 0, "image": 1, "sandbox": 2, "resume": 3, "verify": 3, "": 4}  # "": judge.py and those beside it


def folders_imported(folder: str, source: str) -> Iterator[str]:
    """Yield the folder of judging for each relative import in a module of `folder` that stays in judging."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            up = node.level - 1 - bool(folder)  # 0: names are looked up in judging itself, -1: in the module's folder
            first = (node.module or node.names[0].name).partition(".")[0]
            if up <= 0:
                yield folder if up < 0 else first if first in FLOORS else ""


def upward(folder: str, source: str) -> list[str]:
    """Return the folders that a module of `folder` may not import from, and does."""
    imported = set(folders_imported(folder, source)) - {folder}
    return sorted(other or "judging itself" for other in imported if FLOORS[other] >= FLOORS[folder])


@pytest.mark.parametrize("folder", FLOORS)
def test_a_folder_imports_from_lower_floors_only(folder):
    modules = sorted((FOLDER / folder).glob("*.py"))
    assert modules
    assert {module.name: upward(folder, module.read_text(encoding="utf-8")) for module in modules} == {
        module.name: [] for module in modules
    }


def test_every_folder_has_a_floor():
    assert {path.name for path in FOLDER.iterdir() if (path / "__init__.py").is_file()} == set(FLOORS) - {""}


@pytest.mark.parametrize(
    ("folder", "source", "found"),
    [
        ("engine", "from ..image.build import find_image", ["image"]),
        ("image", "from .. import sandbox", ["sandbox"]),
        ("resume", "from ..judge import Summary", ["judging itself"]),
        ("resume", "from ..verify.check import check_image", ["verify"]),
        ("sandbox", "if True:\n    def late():\n        from ..resume import keys", ["resume"]),
        ("sandbox", "from ..engine.engine import connect\nfrom .job import Job\nfrom ...schemas.errors import X", []),
        ("", "from .verify.check import check_image\nfrom .samples import read_samples", []),
    ],
)
def test_an_import_from_above_is_found(folder, source, found):
    assert upward(folder, source) == found
