"""Every path that a page of docs/how-to names is there, or the page makes it."""

import re
from pathlib import Path

import pytest

from .pages import HOW_TO, REPOSITORY, steps

FOLDERS = "|".join(
    sorted(path.name for path in REPOSITORY.iterdir() if path.is_dir() and not path.name.startswith("."))
)
PATH = re.compile(rf"\b(?:{FOLDERS})/[\w./-]*\w/?")
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=lambda page: page.name)
def test_paths_exist_or_are_made_by_the_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    made = {step.path for step in steps(page.name) if step.line is None}
    named = set(PATH.findall(text))
    assert named
    assert {path for path in named if path not in made and not (REPOSITORY / path).exists()} == set()


@pytest.mark.parametrize("page", [*HOW_TO.glob("*.md"), REPOSITORY / "editing/methods/README.md"], ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert {link for link in LINK.findall(prose) if not (page.parent / link).exists()} == set()
