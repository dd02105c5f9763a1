"""docs/how-to/add-a-model-family.md, followed word for word in a copy of the repository."""

from pathlib import Path

import pytest

from .pages import commands, copy_of_the_repository, run, steps

PAGE = "add-a-model-family.md"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with the page's lines in it."""
    copy = copy_of_the_repository(tmp_path_factory.mktemp("copy"))
    for step in steps(PAGE):
        step.follow(copy)
    return copy


@pytest.mark.torch
@pytest.mark.slow  # the tests of a family, every method's among them
@pytest.mark.parametrize("command", commands(PAGE))
def test_the_tests_that_the_page_names_pass(copy: Path, command: str) -> None:
    done = run(command, copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
