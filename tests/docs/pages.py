"""The pages of docs/how-to, followed word for word: the files that they write, and the commands that they give."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
HOW_TO = REPOSITORY / "docs" / "how-to"

# A label (a path, and for a file that is there already the line beside which the block goes), then a fenced block.
STEP = re.compile(
    r"^`(?P<path>[^`\n]+)`(?:, (?P<side>after|before) the line `(?P<line>[^`\n]+)`)?:\n\n```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A file that a page writes, or lines that it inserts after or before a line of a file."""

    path: str
    text: str
    side: str | None = None
    line: str | None = None

    def follow(self, folder: Path) -> None:
        """Do in `folder` what the page says."""
        file = folder / self.path
        if self.line is None:
            assert not file.exists(), f"{self.path} is there already"
            file.write_text(self.text, encoding="utf-8")
            return
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, line in enumerate(lines) if line == f"{self.line}\n"]
        assert len(places) == 1, f"{self.path} has the line {self.line!r} {len(places)} times"
        at = places[0] + (self.side == "after")
        new = self.text if self.side == "after" else f"{self.text}\n"
        file.write_text("".join([*lines[:at], new, *lines[at:]]), encoding="utf-8")


def steps(page: str) -> list[Step]:
    """The steps of docs/how-to/`page`, in order."""
    found = STEP.finditer((HOW_TO / page).read_text(encoding="utf-8"))
    return [Step(step["path"], step["text"], step["side"], step["line"]) for step in found]


def commands(page: str) -> list[str]:
    """The lines of the page's shell blocks."""
    blocks = COMMANDS.findall((HOW_TO / page).read_text(encoding="utf-8"))
    return [line for block in blocks for line in block.splitlines()]


def copy_of_the_repository(folder: Path) -> Path:
    """A copy of packages, tests and documentation in `folder`/edittool: the namespace package is found by that name."""
    copy = folder / "edittool"
    packages = [path.parent for path in REPOSITORY.glob("*/__init__.py")]
    for source in (*packages, REPOSITORY / "tests", REPOSITORY / "docs"):
        shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    return copy


def run(command: str, copy: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in `copy`, whose packages are the ones that are imported."""
    python = f'"{sys.executable}" -m'
    line = re.sub(r"^(edittool|pytest)\b", lambda name: f"{python} {MODULES[name[0]]}", command)
    path = os.pathsep.join(filter(None, [str(copy.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        ["bash", "-c", line],
        cwd=copy,
        # With CI, as where contributions are checked: pytest then shows the whole of a difference.
        env={**os.environ, "CI": "true", "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )


MODULES = {"edittool": "edittool.cli", "pytest": "pytest -q -p no:cacheprovider"}
