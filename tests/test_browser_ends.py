"""Nothing is left of the browser of tests: no process, no file, no event loop."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from .browser import find_chromium, running_chromium
from .browser_processes import browsers, children, files_of, mentioning, session
from .conftest import REPOSITORY

SECONDS = 15
DIES = """
import os, signal, sys
from pathlib import Path
from tests.browser import running_chromium
from tests.browser_processes import browsers, files_of

with running_chromium() as chromium, chromium.visits() as open_page:
    open_page(Path(sys.argv[1]))
    [browser] = browsers(os.getpid())
    print(browser, *files_of(browser), sep="\\n", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><title>a page</title>")
    return path


def leave(browser: int) -> None:
    """Let it be closed as always."""


def kill(browser: int) -> None:
    os.kill(browser, signal.SIGKILL)


@pytest.mark.parametrize("end", [leave, kill])
def test_no_process_file_or_loop_is_left(end: Callable[[int], None], page: Path) -> None:
    before = children(os.getpid())
    with running_chromium() as chromium, chromium.visits() as open_page:
        open_page(page)
        [browser] = browsers(os.getpid())
        files = files_of(browser)
        assert len(session(browser)) > 1
        assert len(files) == 2
        assert all(path.exists() for path in files)
        assert mentioning(files[1])
        end(browser)
    wait_until_gone(browser, files)
    assert children(os.getpid()) == before
    assert not any(path.exists() for path in files)
    assert asyncio.run(asyncio.sleep(0, "slept")) == "slept"


def test_a_failing_test_leaves_nothing(page: Path) -> None:
    opened: list[tuple[int, list[Path]]] = []

    def fail() -> None:
        with running_chromium() as chromium, chromium.visits() as open_page:
            open_page(page)
            opened.extend((browser, files_of(browser)) for browser in browsers(os.getpid()))
            raise AssertionError("a test failed")

    with pytest.raises(AssertionError, match="a test failed"):
        fail()
    [(browser, files)] = opened
    wait_until_gone(browser, files)
    assert not any(path.exists() for path in files)


def test_a_killed_test_run_leaves_no_process_and_its_files_to_the_next(page: Path) -> None:
    find_chromium()
    run = subprocess.run(
        [sys.executable, "-c", DIES, page], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    browser, *folders = run.stdout.splitlines()
    files = [Path(folder) for folder in folders]
    wait_until_gone(int(browser), files)
    assert len(files) == 2
    with running_chromium():
        assert not any(path.exists() for path in files)


def wait_until_gone(browser: int, files: Sequence[Path]) -> None:
    deadline = time.monotonic() + SECONDS
    while rest := {*session(browser), *(process for folder in files for process in mentioning(folder))}:
        assert time.monotonic() < deadline, f"processes of the browser still run: {sorted(rest)}"
        time.sleep(0.05)
