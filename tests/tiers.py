"""What each test needs of the machine, told by the modules that it imports and the fixtures that it takes.

A test that needs nothing is `pure`. `pytest -m pure` proves that: there is no engine to be reached, torch cannot be
imported, and whatever else is not pure refuses to start.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).resolve().parent
# A test file that imports one of these, and every test of a folder whose conftest.py does, has the mark.
IMPORTS: Final = {
    "torch": {"torch", "transformers", "edittool.editing"},
    "engines": {"engines", "other_engines", "later_engines"},
    "browser": {"browser", "browser_processes"},
}
# So has one that takes one of these.
FIXTURES: Final = {"docker": "docker_client", "browser": "chromium"}
NEEDS: Final = {*IMPORTS, *FIXTURES, "root", "alone"}

_IMPORT: Final = re.compile(r"^[ \t]*(?:from|import)[ \t]+\.*([\w.]+)", re.MULTILINE)
_REFUSING: Final = "EDITTOOL_TESTS_ARE_PURE"  # in the environment of every process of a pure run


def only_pure(config: pytest.Config) -> bool:
    """Tell whether these are the pure tests alone: `-m pure`, or `-m "pure and ..."`."""
    return bool(re.match(r"pure\b", config.option.markexpr))


def refuse_the_rest(patch: pytest.MonkeyPatch) -> None:
    """Make every test fail that needs Docker, torch, a browser, engines or root, in this process and its children."""
    refused = str(TESTS / "refused")  # there, `torch` is a module that cannot be imported
    patch.setenv(_REFUSING, "1")
    patch.setenv("DOCKER_HOST", "unix:///no/engine/for/pure/tests.sock")
    patch.setenv("PYTHONPATH", refused, prepend=os.pathsep)
    patch.syspath_prepend(refused)


def is_pure_run() -> bool:
    """Tell whether the pure tests alone are run, which is for every few lines: what takes long then does less."""
    return bool(os.environ.get(_REFUSING))


def refuse_if_pure(what: str) -> None:
    """Fail a test of a pure run that starts `what`."""
    if is_pure_run():
        pytest.fail(f"a pure test starts {what}; see tests/tiers.py")


def marks_of_file(path: Path) -> set[str]:
    """Return the marks that all tests in the file `path` have for what it, or its folder's conftest.py, imports."""
    folders = [folder for folder in path.parents if TESTS in folder.parents]
    files = [path, *(file for folder in folders if (file := folder / "conftest.py").is_file())]
    imported = {name for file in files for name in _IMPORT.findall(file.read_text(encoding="utf-8"))}
    return {mark for mark, modules in IMPORTS.items() if any(_is_of(name, modules) for name in imported)}


def mark(items: Iterable[pytest.Item]) -> None:
    """Give each test its marks."""
    of_file: dict[Path, set[str]] = {}
    for item in items:
        if item.path not in of_file:
            of_file[item.path] = marks_of_file(item.path)
        taken = set(getattr(item, "fixturenames", ()))
        needs = of_file[item.path] | {mark for mark, fixture in FIXTURES.items() if fixture in taken}
        needs |= NEEDS.intersection(mark.name for mark in item.iter_markers())
        for name in needs or {"pure"}:
            item.add_marker(name)


def _is_of(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)
